import ArgumentParser
import Foundation
import Retrieval
import SystemPackage

/// `albef score`: one image against texts, without an index.
struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Score how well each of several texts describes one image.",
        discussion: """
              albef score street.jpg "black top, white trousers" "white top, black trousers" \
            --model model
            """)

    @Argument(help: ArgumentHelp("An image file.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("One text or several.", valueName: "text"))
    var texts: [String]

    @OptionGroup var model: ModelOptions

    @Flag(help: "Print the scores as JSON.")
    var json = false

    func run() async throws {
        let scores = try model.load().score(FilePath(image), texts)
        if json {
            try Console.json(ScoreOutput(image: FilePath(image), scores: scores))
        } else {
            Console.result(Self.table(scores))
        }
    }

    /// Scores and texts in columns, in the order of the texts.
    static func table(_ scores: [PairScore]) -> String {
        (["  match   logit   cosine  text"]
            + scores.map { score in
                String(
                    format: "%5.1f %%  %6.2f  %7.4f  ", score.matchProbability * 100,
                    score.matchLogit, score.similarity) + score.text.displayed
            }).joined(separator: "\n")
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
