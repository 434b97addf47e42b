import ALBEF
import ArgumentParser
import CommandSupport
import Foundation
import SystemPackage
import Torch
import WeightFiles

/// `albef models pack`: writes a smaller model for searching.
struct ModelsPackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack",
        abstract: "Write a smaller model for searching, in half precision.",
        discussion: """
            Leaves out the momentum teacher and its queues, which only training needs, and stores \
            every weight as a 16-bit float, which is read as a 32-bit one. The results of searches \
            change only in the last digits.

            A card is a page of Markdown about the model. Its first line that is not a heading \
            says in a few words what the model was trained on; commands and the search page show \
            that line.

            With a list of the words that training images showed, one per line, searches name the \
            words of a query that the model never learned.

              albef models pack run/last --output model
              albef models pack run/last --output model --card card.md --words words.txt
            """)

    @ArgumentParser.Argument(
        help: ArgumentHelp("The model: a directory or a name.", valueName: "model"),
        completion: .directory)
    var model: String

    @Option(
        help: ArgumentHelp("Where to write the smaller model.", valueName: "directory"),
        completion: .directory)
    var output: String

    @Option(
        help: ArgumentHelp(
            "The score that its searches re-rank by: \(RankingScore.names); default: unchanged.",
            valueName: "score"))
    var ranking: RankingScore?

    @Option(
        help: ArgumentHelp(
            "The model's card, a page of Markdown; default: the card that the model has.",
            valueName: "file"), completion: .file())
    var card: String?

    @Option(
        help: ArgumentHelp(
            "The words that the model learned, one per line; default: the list that the model has.",
            valueName: "file"), completion: .file())
    var words: String?

    @Flag(help: "Keep 32-bit floats.")
    var full = false

    func run() async throws {
        let source = try ModelDirectory.open(try await ModelFetch().model(model))
        let card = try card.map { try ModelCard(contentsOf: FilePath($0)) } ?? source.card
        let words =
            try words.map { try LearnedWords(contentsOf: FilePath($0)) } ?? source.learnedWords
        let network = try ALBEFModel(source)
        let type: DType = full ? .float32 : .float16
        let entries = network.parameters.map { $1.value.to(type).entry(named: $0) }
        var metadata = source.weights.metadata
        if let ranking { metadata[ModelDirectory.rankingKey] = ranking.rawValue }
        let packed = try ModelDirectory.write(
            entries, configuration: source.configuration, vocabulary: source.vocabulary,
            to: FilePath(output), metadata: metadata)
        if let card { try packed.write(card) }
        if let words { try packed.write(words) }
        let attributes = try FileManager.default.attributesOfItem(
            atPath: packed.weights.path.string)
        let bytes = (attributes[.size] as? Int) ?? 0
        Console.result(
            "wrote \(output): \(String(format: "%.1f", Double(bytes) / 1e6)) MB of weights")
    }
}
