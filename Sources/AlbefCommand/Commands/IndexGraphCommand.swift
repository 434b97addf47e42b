import ALBEFTraining
import ArgumentParser
import CommandSupport
import Retrieval
import Storage
import SystemPackage

import func Torch.setThreadCount

/// `albef index graph`: makes a graph for approximate recall.
struct IndexGraphCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph",
        abstract: "Make a graph of the images, so that recall need not compare them all.",
        discussion: """
            Worth it from about a million images: below that, comparing all takes milliseconds and \
            misses nothing. The graph holds every feature in memory. Images that are added later \
            are compared one by one until the graph is made again; compacting keeps the graph.

              albef index graph pictures.index
            """)

    @Argument(help: ArgumentHelp("The index.", valueName: "directory"), completion: .directory)
    var index: String

    @Option(help: ArgumentHelp("Processor threads to use; default: all.", valueName: "n"))
    var threads: Int?

    @Flag(help: "Print the size of the graph as JSON.")
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
        try await Interrupts.cancelling("stopping; the index is unchanged") {
            var bar = ProgressBar("linking", unit: "images")
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
            Console.result("linked \(rows) images in \(NumberText.time(seconds))")
        }
    }
}

/// The JSON of `albef index graph --json`.
private struct GraphOutput: Encodable {
    let photos: Int
    let seconds: Double
}
