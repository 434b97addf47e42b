import ALBEFTraining
import ArgumentParser
import CommandSupport
import Retrieval
import Storage
import SystemPackage

/// `albef index merge`: joins the indexes of shards.
struct IndexMergeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Join indexes, such as the shards of a folder, into one.",
        discussion: """
            Checks that all shards are there and finished, that one model made them, and that no \
            image is in two. Files are not rewritten: the merged index shares them by hard links, \
            and copies them only to another disk. The shards stay as they are, and can be deleted \
            afterwards. Searches see the merged index in one step.

              albef index add ~/Pictures --index shards --shard 0/2
              albef index add ~/Pictures --index shards --shard 1/2
              albef index merge shards --index pictures.index
              albef index merge 2023.index 2024.index --index all.index
            """)

    @Argument(
        help: ArgumentHelp(
            "Indexes, or folders that contain the indexes of shards.", valueName: "shards"),
        completion: .directory)
    var shards: [String]

    @Option(
        help: ArgumentHelp("The merged index.", valueName: "directory"), completion: .directory)
    var index: String

    @Flag(help: "Merge although shards are missing or not finished.")
    var allowMissing = false

    @Flag(help: "Let the merged index replace one that has entries.")
    var replace = false

    @Flag(help: "Print what was merged as JSON.")
    var json = false

    func run() async throws {
        let index = FilePath(index)
        let clock = ContinuousClock.now
        let report = try await Interrupts.cancelling("stopping; the index is unchanged") {
            var bar = ProgressBar("merging", unit: "files")
            defer { bar.finish() }
            return try ForwardIndex.merge(
                shards.map { FilePath($0) }, into: index, allowsMissing: allowMissing,
                replaces: replace
            ) { done, total in
                try Task.checkCancellation()
                bar.show(done, of: total)
            }
        }
        let seconds = (ContinuousClock.now - clock).seconds
        if json {
            try Console.json(MergeOutput(report, seconds))
            return
        }
        let noun = try ForwardIndex(index).content == .images ? "images" : "texts"
        let whole = "\(report.entries) \(noun) of \(report.sources) indexes"
        guard !report.wasDone else {
            Console.result("nothing to do: \(whole) were merged before")
            return
        }
        Console.result(
            "merged \(whole) in \(NumberText.time(seconds)): \(report.linked) files linked,"
                + " \(report.copied) copied")
        if report.droppedGraph {
            Console.note("the graphs were left out; 'albef index graph' makes one of all \(noun)")
        }
    }
}

/// The JSON of `albef index merge --json`.
private struct MergeOutput: Encodable {
    let indexes, entries, linked, copied: Int
    let unchanged, graphDropped: Bool
    let seconds: Double

    enum CodingKeys: String, CodingKey {
        case indexes, entries, linked, copied, unchanged, seconds
        case graphDropped = "graph_dropped"
    }

    init(_ report: IndexMerge, _ seconds: Double) {
        indexes = report.sources
        entries = report.entries
        linked = report.linked
        copied = report.copied
        unchanged = report.wasDone
        graphDropped = report.droppedGraph
        self.seconds = seconds
    }
}
