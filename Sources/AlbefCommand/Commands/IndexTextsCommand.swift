import ALBEFTraining
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
            "animals"}, and what else it says can be asked for by --where. Lines that have not \
            changed are not encoded again.

              albef index texts captions.txt --index captions.index
              albef search --image dog.jpg --index captions.index
            """)

    @Argument(help: ArgumentHelp("Texts, one a line.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("The index; created where there is none.", valueName: "directory"))
    var index: String

    @OptionGroup var model: ModelOptions

    @Flag(help: "Print what was done as JSON.")
    var json = false

    func run() async throws {
        let list = try TextListFile(FilePath(file))
        let indexer = TextIndexer(try model.load())
        let clock = ContinuousClock.now
        let report = try await Interrupts.cancelling("stopping after this batch") {
            var bar = ProgressBar("indexing", unit: "texts")
            defer { bar.finish() }
            return try indexer.update(FilePath(index), with: list) { progress in
                if progress.total > 0 { bar.show(progress.done, of: progress.total) }
            }
        }
        try IndexOutput.show((report, (ContinuousClock.now - clock).seconds), json: json)
        if report.wasCancelled { throw Interrupts.exitCode }
    }
}
