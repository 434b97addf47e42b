import ArgumentParser
import Retrieval
import SystemPackage

/// `albef index texts`: encodes sentences, for pictures to find.
struct IndexTextsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "texts",
        abstract: "Encode the texts of a file into an index, or bring one up to date.",
        discussion: """
            A line is a text; in a .jsonl file it is {"text": "a dog in the snow", "topic": \
            "animals"}, and what else it says can be asked for by --where. Texts that the index \
            has are not encoded again, wherever their lines moved.

              albef index texts captions.txt --index captions.index
              albef search --image dog.jpg --index captions.index

            With --recall, the features of the texts come from that model.
            """)

    @Argument(help: ArgumentHelp("Texts, one per line.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("The index; created if it does not exist.", valueName: "directory"))
    var index: String

    @OptionGroup var model: ModelOptions

    @Flag(help: "Print what was done as JSON.")
    var json = false

    func run() async throws {
        let list = try TextListFile(FilePath(file))
        let indexer = TextIndexer(try await model.load())
        let clock = ContinuousClock.now
        let report = try await Interrupts.cancelling("stopping after this batch") {
            var bar = ProgressBar("indexing", unit: "texts")
            defer { bar.finish() }
            return try await indexer.update(FilePath(index), with: list) { progress in
                if progress.isWaiting {
                    bar.finish()
                    Console.note("waiting for another process that writes to this index")
                } else if progress.total > 0 {
                    bar.show(progress.done, of: progress.total)
                }
            }
        }
        let seconds = (ContinuousClock.now - clock).seconds
        try IndexOutput.show(.init(report: report, scan: nil, seconds: seconds), json: json)
        if report.wasCancelled { throw CancellationError() }
    }
}
