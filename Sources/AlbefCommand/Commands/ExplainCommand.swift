import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Retrieval
import SystemPackage

/// `albef explain`: shows where an image matches the words of a text.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show where an image matches a text, and each of its words.",
        discussion: """
            Draws heat maps of the fusion encoder's attention, weighted by its effect on the match \
            (Grad-CAM):

              albef explain street.jpg "white trousers" --model model --output heat.png

            Prints the words with their shares of the heat. The figure shows the image, the map of \
            the whole sentence, and one map per word, from blue to red.
            """)

    @Argument(help: ArgumentHelp("An image file.", valueName: "image"), completion: .file())
    var image: String

    @Argument(help: ArgumentHelp("The text.", valueName: "text"))
    var text: String

    @OptionGroup var model: ModelOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to write the figure, a .png or .jpg file.", valueName: "file"),
        completion: .file())
    var output: String?

    @Option(
        help: ArgumentHelp(
            "The layer whose attention to show, counted from 0; default: the third layer that "
                + "reads images (8 of the paper's 12), but at most the last but one.",
            valueName: "n"))
    var layer: Int?

    @Flag(help: "Print words, maps and probability as JSON.")
    var json = false

    func validate() throws {
        if let layer, !(0...1000).contains(layer) {
            throw ValidationError("--layer must be from 0 to 1000.")
        }
        _ = try output.map { try FigureFile($0, of: image) }
    }

    func run() async throws {
        let search = try await model.load()
        let reading = search.reading(of: text)
        reading.noteIfCut()
        if let unknown = reading.namedUnknownWords { Console.note("note: \(unknown)") }
        let explanation = try search.explain(FilePath(image), text, layer: layer)
        if let output {
            let pixels = try ImageLoader(targetSide: ExplanationFigure.imageSide)
                .load(FilePath(image))
            try FigureFile(output, of: image).write(
                ExplanationFigure(explanation, image: pixels).image())
        }
        if json {
            try Console.json(ExplainOutput(image: FilePath(image), explanation))
        } else {
            Console.result(Self.table(explanation))
        }
    }

    /// Formats the score, then one row per word with its share, in the order of the text.
    static func table(_ explanation: Explanation) -> String {
        let score = explanation.score
        let head = String(
            format: "match %.1f %%, logit %.2f, cosine %.4f", score.matchProbability * 100,
            score.matchLogit, score.similarity)
        return
            ([head, "", " share  word"]
            + explanation.words.map {
                String(format: "%4.0f %%  ", $0.share * 100) + $0.text
            }).joined(separator: "\n")
    }
}
