import Storage
import ALBEFTraining
import ArgumentParser
import Retrieval
import SystemPackage

import func Torch.setThreadCount

/// `albef index graph`: prepares approximate recall.
struct IndexGraphCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph",
        abstract: "Make a graph of the photos, for recall that does not compare them all.",
        discussion: """
            Worth it from about a million photos on: below that, comparing all takes milliseconds \
            and misses nothing. The graph holds every feature in memory. Photos that are added \
            later are compared one by one until the graph is made again; compacting keeps it.

              albef index graph pictures.index
            """)

    @Argument(help: ArgumentHelp("The index.", valueName: "directory"), completion: .directory)
    var index: String

    @Option(help: ArgumentHelp("Threads of the processor to use; default: all.", valueName: "n"))
    var threads: Int?

    @Flag(help: "Print what was made as JSON.")
    var json = false

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads must be from 1 to 1024.")
        }
    }

    func run() async throws {
        if let threads { setThreadCount(threads) }
        let index = FilePath(index)
        let clock = ContinuousClock.now
        try await Interrupts.cancelling("stopping; the index is as it was") {
            var bar = ProgressBar("linking", unit: "photos")
            defer { bar.finish() }
            try ForwardIndex.makeGraph(index) { done, total in
                try Task.checkCancellation()
                bar.show(done, of: total)
            }
        }
        let seconds = (ContinuousClock.now - clock).seconds
        let rows = try ForwardIndex(index).statistics.graphRows ?? 0
        if json {
            try Console.json(GraphOutput(photos: rows, seconds: seconds))
        } else {
            Console.result("linked \(rows) photos in \(NumberText.time(seconds))")
        }
    }
}

/// The JSON of `albef index graph --json`.
private struct GraphOutput: Encodable {
    let photos: Int
    let seconds: Double
}
