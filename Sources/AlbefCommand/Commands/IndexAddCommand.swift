public import ArgumentParser
import CommandSupport
public import Retrieval
import Storage
import SystemPackage

/// `albef index add`: encodes a folder of images into an index.
struct IndexAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Encode a folder of images into an index, or update an index.",
        discussion: """
            Reads every image in the folder and its subfolders, and encodes those that are new or \
            have changed. Unreadable files are skipped and reported; entries whose files were \
            deleted are removed. An interruption loses no encoded image.

              albef index add ~/Pictures --index pictures.index
              albef index add ~/Pictures --index pictures.index --watch
              albef index add ~/Pictures --index pictures.index --exclude Screenshots
              albef index add shop --index shop.index --metadata shop.jsonl --tokens 64
              albef index add shop --index two.index \\
                --recall google/siglip2-base-patch16-224 \\
                --model Salesforce/blip-itm-base-coco

            If --model is not the model that made the index, the index of the new model is built \
            beside the old one, and searches use the old one until the new one is complete. An \
            interrupted change resumes at the next update.

            Hidden files and folders are left out, as are folders such as @eaDir and node_modules, \
            and the files and folders that a .albefignore file names, one pattern per line.

            With --shard 0/4, the first of four processes encodes its shard of the folder into \
            INDEX/shard-0-of-4; 'albef index merge' joins the shards.

              albef index add ~/Pictures --index shards --shard 0/4

            With --recall, the features come from that model and the tokens for re-ranking from \
            --model. The index records both; searches need not name them.

            A line of the metadata is {"image": "a.jpg", "price": 30, "tags": ["new"]}; \
            albef search --where 'price<50' filters by it.
            """)

    @Argument(
        help: ArgumentHelp("A folder of images, or one image.", valueName: "images"),
        completion: .file())
    var photos: String

    @Option(
        help: ArgumentHelp("The index; created if it does not exist.", valueName: "directory"),
        completion: .directory)
    var index: String

    @OptionGroup var model: ModelOptions

    @Option(
        help: ArgumentHelp(
            "Encode one of several shards of the folder, such as 0/4, the first of four; auto, or "
                + "auto/4, takes the number from the scheduler (Slurm, Kubernetes, RANK). --index is "
                + "then the folder of the shards' indexes.",
            valueName: "i/n"))
    var shard: ShardArgument?

    @Option(
        help: ArgumentHelp(
            "Images to encode at once; default: by the size of the model.", valueName: "n"))
    var batchSize: Int?

    @Option(
        help: ArgumentHelp(
            "Tokens to keep per image for re-ranking: all, none (a search reads the file again), "
                + "or a number to merge similar ones to. For a new index; default: all.",
            valueName: "n"))
    var tokens: TokenCount?

    @Option(
        help: ArgumentHelp(
            "The type of the tokens that a new index keeps; default: float16.", valueName: "type"))
    var precision: TokenBudget.Precision?

    @Option(
        help: ArgumentHelp("JSON Lines with the metadata of images.", valueName: "file"),
        completion: .file())
    var metadata: String?

    @Option(
        help: ArgumentHelp(
            "Files and folders to leave out: a name such as '*.tmp.jpg', or a path such as "
                + "2014/drafts; may be repeated.", valueName: "pattern"))
    var exclude: [String] = []

    @Flag(help: "Read every file again, even if its size and date have not changed.")
    var force = false

    @Flag(help: "Keep running, and update the index whenever the folder changes.")
    var watch = false

    @Option(
        help: ArgumentHelp(
            "Seconds for which to collect the changes of a watched folder.", valueName: "s"))
    var interval = 2.0

    @Flag(help: "Print a report as JSON; with --watch, one line per update.")
    var json = false

    func validate() throws {
        try NumberBounds.check("--batch-size", batchSize, 1...4096)
        try NumberBounds.check("--interval", interval, 0.1...86_400)
    }

    func run() async throws {
        // Report simple mistakes before loading the model.
        let shard = try shard?.shard()
        let index = try shard?.place(in: FilePath(index)) ?? FilePath(index)
        let scan = try FolderScan(FilePath(photos), exclude: exclude)
        let notes = try metadata.map { try MetadataFile(FilePath($0)).images } ?? [:]
        remark(on: scan, notes)
        if let shard {
            let count = scan.part(of: shard).files.count
            Console.note(
                "shard \(shard), in \(index.displayed): \(count) of \(scan.files.count) images")
        }
        let budget: TokenBudget? =
            tokens == nil && precision == nil
            ? nil : TokenBudget(count: tokens?.count, precision: precision ?? .float16)
        var options = Indexer.Options(batchSize: batchSize, budget: budget)
        options.rereads = force
        options.shard = shard
        options.changesModel = model.model != nil
        options.changesImageSize = model.imageSize != nil
        let made = try? ForwardIndex.model(of: index)
        let indexer = Indexer(try await model.load(of: made), options: options)
        defer { ChangeOutput.remark(on: index, continuing: photos) }
        let wasCancelled = try await Interrupts.cancelling("stopping after this batch") {
            // A watched folder may be empty at first.
            if !watch || !scan.files.isEmpty {
                let done = try await update(index, indexer, scan, notes)
                try IndexOutput.show(done, json: json, asLine: watch)
                if done.report.wasCancelled || !watch { return done.report.wasCancelled }
            }
            Console.note("watching \(photos.displayed); Ctrl-C stops it")
            try await follow(index, indexer, notes, since: scan.files.isEmpty ? nil : scan)
            return true
        }
        if wasCancelled { throw CancellationError() }
    }

    private func update(
        _ index: FilePath, _ indexer: Indexer, _ scan: FolderScan,
        _ notes: [FilePath: [String: MetadataValue]]
    ) async throws -> IndexOutput.Done {
        let clock = ContinuousClock.now
        var bar = IndexProgress(unit: "images")
        defer { bar.finish() }
        let report = try await indexer.update(index, with: scan, metadata: notes) {
            bar.show($0)
        }
        return .init(
            model: indexer.model, report: report, scan: scan,
            seconds: (ContinuousClock.now - clock).seconds, shard: indexer.options.shard)
    }

    /// Keeps the index up to date with the folder until the task is cancelled.
    private func follow(
        _ index: FilePath, _ indexer: Indexer, _ notes: [FilePath: [String: MetadataValue]],
        since scan: FolderScan?
    ) async throws {
        var start: ContinuousClock.Instant?
        var bar = IndexProgress(unit: "images")
        var isHindered = false
        var known: Set<SkippedFile> = []
        try await indexer.follow(
            index, with: FilePath(photos), exclude: exclude, metadata: notes,
            interval: .seconds(interval), since: scan
        ) { progress in
            start = start ?? .now
            bar.show(progress)
        } onEvent: { event in
            bar.finish()
            switch event {
            case .hindered(let error):
                isHindered = true
                Console.note("waiting: \("\(error)".displayed)")
            case .updated(let report, let scan):
                if isHindered { Console.note("indexing again") }
                isHindered = false
                if report.changed > 0 || !known.isSuperset(of: report.failures) {
                    let seconds = start.map { (ContinuousClock.now - $0).seconds } ?? 0
                    try IndexOutput.show(
                        .init(
                            model: indexer.model, report: report, scan: scan, seconds: seconds,
                            shard: indexer.options.shard),
                        json: json, asLine: true, except: known)
                }
                known = Set(report.failures)
            }
            start = nil
        }
    }

    /// Reports the files and the metadata that will not be used.
    private func remark(on scan: FolderScan, _ notes: [FilePath: [String: MetadataValue]]) {
        if let kinds = IndexOutput.passedOver(scan) { Console.note("note: passed over \(kinds)") }
        let unmatched = Set(notes.keys).subtracting(scan.files.map(\.path))
        if let first = unmatched.min(by: FilePath.precedes) {
            Console.note(
                "note: the metadata names images that are not in this folder: \(unmatched.count) of"
                    + " \(notes.count), such as \(first.displayed)")
        }
    }
}

/// The value of `--tokens`.
struct TokenCount: ExpressibleByArgument, Sendable {
    /// The number of tokens per image; nil for all.
    let count: Int?

    init?(argument: String) {
        switch argument {
        case "all": count = nil
        case "none": count = 0
        default:
            guard let count = Int(argument), (2...65_536).contains(count) else { return nil }
            self.count = count
        }
    }
}

extension TokenBudget.Precision: ExpressibleByArgument {}
