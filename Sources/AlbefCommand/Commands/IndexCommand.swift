import ALBEFTraining
import ArgumentParser
import Retrieval
import SystemPackage

/// `albef index`: encodes a folder of photos.
struct IndexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Encode a folder of photos into an index, or bring one up to date.",
        discussion: """
            Reads every picture in the folder and the folders in it, and encodes those that are \
            new or have changed. Files that cannot be read are skipped and reported; entries whose \
            files are gone are removed. Interrupting loses nothing that was encoded.

              albef index ~/Pictures --model model --index pictures.index
            """)

    @Argument(help: ArgumentHelp("A folder of pictures, or one picture.", valueName: "photos"))
    var photos: String

    @Option(help: ArgumentHelp("The index; created where there is none.", valueName: "directory"))
    var index: String

    @OptionGroup var model: ModelOptions

    @Option(
        help: ArgumentHelp("Pictures encoded at once; default: by size of model.", valueName: "n"))
    var batchSize: Int?

    @Flag(help: "Print what was done as JSON.")
    var json = false

    func validate() throws {
        if let batchSize, batchSize < 1 {
            throw ValidationError("--batch-size must be at least 1.")
        }
    }

    func run() async throws {
        let clock = ContinuousClock.now
        // Cheap mistakes are reported before the model is loaded.
        let scan = try FolderScan(FilePath(photos))
        let indexer = Indexer(try model.load(), options: .init(batchSize: batchSize))
        let directory = FilePath(index)
        let report = try await Interrupts.cancelling("stopping after this batch") {
            var bar = ProgressBar("indexing", unit: "photos")
            defer { bar.finish() }
            return try await indexer.update(directory, with: scan) { progress in
                bar.show(progress.done, of: progress.total)
            }
        }
        for failure in report.failures {
            Console.note("skipped \(failure.path.displayed): \(failure.reason)")
        }
        let seconds = (ContinuousClock.now - clock).seconds
        if json {
            try Console.json(IndexOutput(report, seconds: seconds))
        } else {
            Console.result(Self.summary(report, seconds: seconds))
        }
        if report.wasCancelled { throw Interrupts.exitCode }
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

/// The JSON of `albef index --json`.
private struct IndexOutput: Encodable {
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
}
