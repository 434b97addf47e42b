import ArgumentParser
import CommandSupport
import Foundation
import Retrieval
import SystemPackage

/// `albef score`: scores texts for one image, without an index.
struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Score how well each of several texts describes one image.",
        discussion: """
            A model with a fusion encoder reads each text with the image. A model with only two \
            towers has its own kind of score: CLIP a share of each text among all, SigLIP a \
            probability of each pair.

              albef score street.jpg "black top, white trousers" "white top, black trousers" \
            --model model
            """)

    @Argument(help: ArgumentHelp("An image file.", valueName: "image"), completion: .file())
    var image: String

    @Argument(help: ArgumentHelp("One text or several.", valueName: "text"))
    var texts: [String]

    @OptionGroup var model: ModelOptions

    @Flag(help: "Print the scores as JSON.")
    var json = false

    func run() async throws {
        let model = try await model.load()
        guard model.matches else {
            try scoreByTowers(model)
            return
        }
        let scores = try model.score(FilePath(image), texts)
        if json {
            try Console.json(ScoreOutput(image: FilePath(image), scores: scores))
        } else {
            Console.result(Self.table(scores))
        }
    }

    /// Prints the scores of a model with only two towers, in the order of the texts.
    private func scoreByTowers(_ model: SearchModel) throws {
        let classifier = try ZeroShotClassifier(
            labels: texts, templates: [ZeroShotClassifier.place], model: model)
        let found = try classifier(model.encode(pixels: [model.pixels(of: FilePath(image))]))[0]
        let scores = texts.compactMap { text in found.first { $0.label == text } }
        if json {
            try Console.json(
                TowerOutput(
                    image: FilePath(image), isIndependent: classifier.isIndependent,
                    scores: scores))
            return
        }
        let column = classifier.isIndependent ? "  match " : "  share "
        Console.result(
            (["\(column)  logit  text"]
                + scores.map { score in
                    String(format: "%5.1f %%  %6.2f  ", score.probability * 100, score.logit)
                        + score.label.displayed
                }).joined(separator: "\n"))
    }

    /// Formats scores and texts in columns, in the order of the texts.
    static func table(_ scores: [PairScore]) -> String {
        (["  match   logit   cosine  text"]
            + scores.map { score in
                String(
                    format: "%5.1f %%  %6.2f  %7.4f  ", score.matchProbability * 100,
                    score.matchLogit, score.similarity) + score.text.displayed
            }).joined(separator: "\n")
    }
}

/// The JSON of `albef score --json` for a model with only two towers.
private struct TowerOutput: Encodable {
    struct Score: Encodable {
        let text: String
        let logit: Float
        /// The share among all texts; nil if each text has an independent probability.
        let share: Float?
        let probability: Float?
    }

    let image: FilePath
    let scores: [Score]

    init(image: FilePath, isIndependent: Bool, scores: [ZeroShotClassifier.Score]) {
        self.image = image
        self.scores = scores.map {
            Score(
                text: $0.label, logit: $0.logit, share: isIndependent ? nil : $0.probability,
                probability: isIndependent ? $0.probability : nil)
        }
    }

    enum CodingKeys: String, CodingKey { case scores }

    func encode(to encoder: any Encoder) throws {
        try JSONPath(path: image).encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(scores, forKey: .scores)
    }
}

/// The JSON of `albef score --json`.
private struct ScoreOutput: Encodable {
    struct Score: Encodable {
        let text: String
        let similarity: Float
        let matchLogit: Float
        let matchProbability: Float

        enum CodingKeys: String, CodingKey {
            case text, similarity
            case matchLogit = "match_logit"
            case matchProbability = "match_probability"
        }
    }

    let image: FilePath
    let scores: [Score]

    init(image: FilePath, scores: [PairScore]) {
        self.image = image
        self.scores = scores.map {
            Score(
                text: $0.text, similarity: $0.similarity, matchLogit: $0.matchLogit,
                matchProbability: $0.matchProbability)
        }
    }

    enum CodingKeys: String, CodingKey { case scores }

    func encode(to encoder: any Encoder) throws {
        try JSONPath(path: image).encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(scores, forKey: .scores)
    }
}
