import ALBEFTraining
import CommandSupport
import Retrieval
import Storage
import SystemPackage

/// The JSON of `albef index add --json` and `albef index texts --json`.
struct IndexOutput: Encodable {
    /// The report of an update, and how long the update took.
    struct Done: Sendable {
        let model: SearchModel
        let report: Indexer.Report
        /// The folder; nil for a file of texts.
        let scan: FolderScan?
        let seconds: Double
        /// The part of the folder that was indexed; nil for all of it.
        var shard: IndexShard?
    }

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

    let model: ModelOutput
    let encoded, reused, unchanged, removed: Int
    let skipped: [Failure]
    let passedOver: [String: Int]?
    let interrupted: Bool
    /// The model whose index was replaced, or is being replaced.
    let replaced: String?
    let seconds: Double
    let shard: ShardOutput?

    private enum CodingKeys: String, CodingKey {
        case model, encoded, reused, unchanged, removed, skipped
        case passedOver = "passed_over"
        case interrupted, seconds, shard
        case replaced = "replaced_model"
    }

    init(_ done: Done) {
        let report = done.report
        model = ModelOutput(done.model)
        encoded = report.encoded
        reused = report.reused
        unchanged = report.unchanged
        removed = report.removed
        skipped = report.failures.map { Failure(path: $0.path, reason: $0.reason) }
        passedOver = done.scan?.passedOver
        interrupted = report.wasCancelled
        replaced = report.replaced
        seconds = done.seconds
        shard = done.shard.map { ShardOutput($0, isFinished: !report.wasCancelled) }
    }

    /// Prints the skipped files, and a summary of the update.
    ///
    /// - Parameters:
    ///   - asLine: whether to print the JSON on one line.
    ///   - known: failures that were already reported.
    static func show(
        _ done: Done, json: Bool, asLine: Bool = false, except known: Set<SkippedFile> = []
    ) throws {
        for failure in done.report.failures where !known.contains(failure) {
            Console.note("skipped \(failure.path.displayed): \(failure.reason.displayed)")
        }
        if json {
            try asLine ? Console.jsonLine(IndexOutput(done)) : Console.json(IndexOutput(done))
        } else {
            Console.result(summary(done))
        }
        if let replaced = done.report.replaced, !done.report.wasCancelled {
            Console.note("the index now belongs to this model instead of \(replaced.displayed)")
        }
    }

    /// Returns one line with the numbers of encoded, copied, unchanged, removed and skipped
    /// entries.
    private static func summary(_ done: Done) -> String {
        let report = done.report
        let copied = done.scan == nil ? "copied from equal texts" : "copied from identical files"
        let parts = [
            (report.encoded, "encoded"), (report.reused, copied),
            (report.unchanged, "unchanged"), (report.removed, "removed"),
            (report.failures.count, "skipped"),
        ].filter { $0.0 > 0 }
        let counts = parts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        let verb = report.wasCancelled ? "interrupted" : "indexed"
        return "\(verb) in \(NumberText.time(done.seconds)): \(parts.isEmpty ? "nothing" : counts)"
    }

    /// Returns the number of a folder's files that are not images, by extension; nil if it has
    /// none.
    static func passedOver(_ scan: FolderScan) -> String? {
        let kinds = scan.passedOver.sorted {
            $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value
        }
        let total = kinds.reduce(0) { $0 + $1.value }
        guard total > 0 else { return nil }
        var parts = kinds.prefix(5).map { kind in
            "\(kind.value) \(kind.key.isEmpty ? "without an extension" : "." + kind.key.displayed)"
        }
        let rest = kinds.dropFirst(5).reduce(0) { $0 + $1.value }
        if rest > 0 { parts.append("\(rest) more") }
        let noun = total == 1 ? "1 file that is not an image" : "\(total) files that are not images"
        return "\(noun) by name: " + parts.joined(separator: ", ")
    }
}
