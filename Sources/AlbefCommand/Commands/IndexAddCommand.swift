import ALBEFTraining
public import ArgumentParser
public import Retrieval
import SystemPackage

/// `albef index add`: encodes a folder of photos.
struct IndexAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Encode a folder of photos into an index, or bring one up to date.",
        discussion: """
            Reads every picture in the folder and the folders in it, and encodes those that are \
            new or have changed. Files that cannot be read are skipped and reported; entries whose \
            files are gone are removed. Interrupting loses nothing that was encoded.

              albef index add ~/Pictures --index pictures.index
              albef index add ~/Pictures --index pictures.index --watch
              albef index add shop --index shop.index --metadata shop.jsonl --tokens 64

            A line of the metadata is {"image": "a.jpg", "price": 30, "tags": ["new"]}; \
            albef search --where 'price<50' asks for it.
            """)

    @Argument(help: ArgumentHelp("A folder of pictures, or one picture.", valueName: "photos"))
    var photos: String

    @Option(help: ArgumentHelp("The index; created where there is none.", valueName: "directory"))
    var index: String

    @OptionGroup var model: ModelOptions

    @Option(
        help: ArgumentHelp("Pictures encoded at once; default: by size of model.", valueName: "n"))
    var batchSize: Int?

    @Option(
        help: ArgumentHelp(
            "Tokens kept of a picture for re-ranking: all, none (its file is read again), or a "
                + "number that similar ones are merged to. For a new index; default: all.",
            valueName: "n"))
    var tokens: TokenCount?

    @Option(
        help: ArgumentHelp(
            "How tokens are kept, in a new index; default: float16.", valueName: "type"))
    var precision: TokenBudget.Precision?

    @Option(help: ArgumentHelp("JSON Lines of what to note of pictures.", valueName: "file"))
    var metadata: String?

    @Flag(help: "Go on, and bring the index up to date whenever the folder changes.")
    var watch = false

    @Option(
        help: ArgumentHelp("Seconds between two looks at a watched folder.", valueName: "s"))
    var interval = 2.0

    @Flag(help: "Print what was done as JSON, with --watch one line an update.")
    var json = false

    func validate() throws {
        if let batchSize, batchSize < 1 {
            throw ValidationError("--batch-size must be at least 1.")
        }
        if !(interval >= 0.1 && interval <= 86_400) {
            throw ValidationError("--interval must be from 0.1 to 86400 seconds.")
        }
    }

    func run() async throws {
        // Cheap mistakes are reported before the model is loaded.
        let scan = try FolderScan(FilePath(photos))
        let notes = try metadata.map { try MetadataFile(FilePath($0)).pictures } ?? [:]
        let budget: TokenBudget? =
            tokens == nil && precision == nil
            ? nil : TokenBudget(count: tokens?.count, precision: precision ?? .float16)
        let indexer = Indexer(
            try model.load(), options: .init(batchSize: batchSize, budget: budget))
        let wasCancelled = try await Interrupts.cancelling("stopping after this batch") {
            let first = try await update(indexer, scan, notes)
            try IndexOutput.show(first, json: json, asLine: watch)
            if watch, !first.report.wasCancelled {
                Console.note("watching \(photos); Ctrl-C ends it")
                try await follow(indexer, notes)
            }
            return first.report.wasCancelled
        }
        if wasCancelled { throw Interrupts.exitCode }
    }

    /// Looks at the folder again and again until the task is cancelled.
    private func follow(
        _ indexer: Indexer, _ notes: [FilePath: [String: MetadataValue]]
    ) async throws {
        var last: FolderScan?
        while (try? await Task.sleep(for: .seconds(interval))) != nil {
            // The folder may be away for a while, such as a disk that is not mounted.
            guard let scan = try? FolderScan(FilePath(photos)), scan.files != last?.files else {
                continue
            }
            let done = try await update(indexer, scan, notes)
            if !done.report.wasCancelled { last = scan }
            if done.report.changed > 0 {
                try IndexOutput.show(done, json: json, asLine: true)
            }
        }
    }

    private func update(
        _ indexer: Indexer, _ scan: FolderScan, _ notes: [FilePath: [String: MetadataValue]]
    ) async throws -> (report: Indexer.Report, seconds: Double) {
        let clock = ContinuousClock.now
        var bar = ProgressBar("indexing", unit: "photos")
        defer { bar.finish() }
        let report = try await indexer.update(
            FilePath(index), with: scan, metadata: notes
        ) { progress in
            if progress.total > 0 { bar.show(progress.done, of: progress.total) }
        }
        return (report, (ContinuousClock.now - clock).seconds)
    }

    /// One line: what happened to how many photos.
    static func summary(_ report: Indexer.Report, seconds: Double) -> String {
        let parts = [
            (report.encoded, "encoded"), (report.reused, "copied from identical files"),
            (report.unchanged, "unchanged"), (report.removed, "removed"),
            (report.failures.count, "skipped"),
        ]
        let counts = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        let verb = report.wasCancelled ? "interrupted" : "indexed"
        return "\(verb) in \(RunFormat.time(seconds)): \(counts)"
    }
}

/// The JSON of `albef index add --json` and `albef index texts --json`.
struct IndexOutput: Encodable {
    struct Failure: Encodable {
        let path: FilePath
        let reason: String

        enum CodingKeys: String, CodingKey { case reason }

        func encode(to encoder: any Encoder) throws {
            try JSONPath(path: path).encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(reason, forKey: .reason)
        }
    }

    let encoded, reused, unchanged, removed: Int
    let skipped: [Failure]
    let interrupted: Bool
    let seconds: Double

    init(_ report: Indexer.Report, seconds: Double) {
        encoded = report.encoded
        reused = report.reused
        unchanged = report.unchanged
        removed = report.removed
        skipped = report.failures.map { Failure(path: $0.path, reason: $0.reason) }
        interrupted = report.wasCancelled
        self.seconds = seconds
    }

    /// Prints what was skipped, and what was done.
    ///
    /// - Parameter asLine: whether the JSON is to be one line of several.
    static func show(
        _ done: (report: Indexer.Report, seconds: Double), json: Bool, asLine: Bool = false
    ) throws {
        for failure in done.report.failures {
            Console.note("skipped \(failure.path.displayed): \(failure.reason)")
        }
        if json {
            let output = IndexOutput(done.report, seconds: done.seconds)
            try asLine ? Console.jsonLine(output) : Console.json(output)
        } else {
            Console.result(IndexAddCommand.summary(done.report, seconds: done.seconds))
        }
    }
}

/// What `--tokens` takes.
struct TokenCount: ExpressibleByArgument, Sendable {
    /// nil for all.
    let count: Int?

    init?(argument: String) {
        switch argument {
        case "all": count = nil
        case "none": count = 0
        default:
            guard let count = Int(argument), count >= 2 else { return nil }
            self.count = count
        }
    }
}

extension TokenBudget.Precision: ExpressibleByArgument {}
