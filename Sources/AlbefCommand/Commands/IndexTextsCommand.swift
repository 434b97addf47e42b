import ArgumentParser
import CommandSupport
import Retrieval
import SystemPackage

/// `albef index texts`: encodes texts, so that images can find them.
struct IndexTextsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "texts",
        abstract: "Encode the texts of a file into an index, or update an index.",
        discussion: """
            The file has one text per line. A line of a .jsonl file is {"text": "a dog in the \
            snow", "topic": "animals"}; --where filters by its other fields. Texts that the index \
            has already are not encoded again, even if their lines moved.

              albef index texts captions.txt --index captions.index
              albef search --image dog.jpg --index captions.index

            With --recall, the features of the texts come from that model. If --model is not \
            the model that made the index, the index is changed as 'albef index add' does.
            """)

    @Argument(help: ArgumentHelp("Texts, one per line.", valueName: "file"), completion: .file())
    var file: String

    @Option(
        help: ArgumentHelp("The index; created if it does not exist.", valueName: "directory"),
        completion: .directory)
    var index: String

    @OptionGroup var model: ModelOptions

    @Flag(help: "Print a report as JSON.")
    var json = false

    func run() async throws {
        let list = try TextListFile(FilePath(file))
        let changes = model.model != nil
        let model = try await model.load(of: try? ForwardIndex.model(of: FilePath(index)))
        let indexer = TextIndexer(model, changesModel: changes)
        let clock = ContinuousClock.now
        defer { ChangeOutput.remark(on: FilePath(index), continuing: "texts \(file)") }
        let report = try await Interrupts.cancelling("stopping after this batch") {
            var bar = IndexProgress(unit: "texts")
            defer { bar.finish() }
            return try await indexer.update(FilePath(index), with: list) { bar.show($0) }
        }
        let seconds = (ContinuousClock.now - clock).seconds
        try IndexOutput.show(
            .init(model: model, report: report, scan: nil, seconds: seconds), json: json)
        if report.wasCancelled { throw CancellationError() }
    }
}
