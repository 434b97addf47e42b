import ALBEFTraining
import ArgumentParser
import CommandSupport
import Retrieval
import Storage
import SystemPackage

/// `albef index push`: writes the features of an index to a store.
struct IndexPushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Write the features of an index to Milvus, so that it proposes candidates.",
        discussion: """
            Writes what is missing or outdated in the collection, and deletes what the index no \
            longer has. Run it again after each change of the index; an interrupted run is resumed \
            by the next one. The first run creates the collection. Tokens stay in the index, \
            which searches need as well.

              albef index push photos.index milvus://127.0.0.1:19530/photos
              albef search "a dog" --index photos.index --recall milvus://127.0.0.1:19530/photos

            An address is milvus://[user:password@]host[:port][/database]/collection?settings. \
            MILVUS_TOKEN in the environment is a token or user:password. Settings are tls, ca, \
            index (hnsw, flat, ivf_sq8), m, ef_construction, nlist, shards, replicas and timeout; \
            for searches ef, nprobe, consistency (strong, bounded, eventually) and timeout.

            The program must be built with 'swift build -c release --traits Milvus'.
            """)

    @Argument(help: ArgumentHelp("The index.", valueName: "directory"), completion: .directory)
    var index: String

    @Argument(help: ArgumentHelp("The address of the collection.", valueName: "address"))
    var address: String

    @Option(help: ArgumentHelp("Rows per request.", valueName: "n"))
    var batch = 1000

    @Flag(help: "Keep rows without an image in this index: other indexes share the collection.")
    var keepOthers = false

    @Flag(help: "If the collection has features of another model, delete it first.")
    var replace = false

    @Flag(help: "Print a report as JSON.")
    var json = false

    func validate() throws {
        try NumberBounds.check("--batch", batch, 1...10_000)
    }

    func run() async throws {
        let address = try MilvusAddress(address)
        let store = try RecallStore.open(address, patience: 300)
        let forward = try ForwardIndex(FilePath(index))
        var push = FeaturePush(to: store)
        push.batch = batch
        push.keepsOthers = keepOthers
        push.replaces = replace
        let clock = ContinuousClock.now
        let report = try await Interrupts.cancelling("stopping after this request") { [push] in
            var bar = ProgressBar("pushing", unit: "images")
            defer { bar.finish() }
            return try await push.run(forward) { bar.show($0.done, of: $0.total) }
        }
        let seconds = (ContinuousClock.now - clock).seconds
        if json {
            try Console.json(PushOutput(report, address, seconds))
        } else {
            Console.result(
                "pushed to \(address) in \(NumberText.time(seconds)): \(report.written) written,"
                    + " \(report.removed) removed, \(report.unchanged) unchanged")
        }
        for failure in report.failures {
            Console.note(
                "failed: \(failure.count) rows from \(failure.first) to \(failure.last):"
                    + " \(failure.reason.displayed)")
        }
        guard report.failures.isEmpty else {
            Console.note(
                (report.gaveUp ? "gave up after several failures in a row; " : "")
                    + "run the same command again to write the rest")
            throw ExitCode(1)
        }
    }
}

/// The JSON of `albef index push --json`.
private struct PushOutput: Encodable {
    struct Failure: Encodable {
        let first, last, reason: String
        let count: Int
    }

    let address: String
    let written, removed, unchanged: Int
    let failures: [Failure]
    let gaveUp: Bool
    let seconds: Double

    enum CodingKeys: String, CodingKey {
        case address, written, removed, unchanged, failures, seconds
        case gaveUp = "gave_up"
    }

    init(_ report: FeaturePush.Report, _ address: MilvusAddress, _ seconds: Double) {
        self.address = "\(address)"
        written = report.written
        removed = report.removed
        unchanged = report.unchanged
        failures = report.failures.map {
            Failure(first: $0.first, last: $0.last, reason: $0.reason, count: $0.count)
        }
        gaveUp = report.gaveUp
        self.seconds = seconds
    }
}
