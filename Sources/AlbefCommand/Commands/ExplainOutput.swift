import CommandSupport
import Foundation
import Retrieval
import SystemPackage

/// The JSON of `albef explain --json`; maps are rows of patches, top to bottom.
struct ExplainOutput: Encodable {
    private struct Token: Encodable {
        let token: String
        let map: [[Float]]
    }

    private struct Word: Encodable {
        let word: String
        /// Indices into the tokens.
        let tokens: [Int]
        let share: Float
        let map: [[Float]]
    }

    private enum CodingKeys: String, CodingKey {
        case text, similarity, layer, map, tokens, words
        case matchLogit = "match_logit"
        case matchProbability = "match_probability"
    }

    private let image: FilePath
    private let explanation: Explanation

    init(image: FilePath, _ explanation: Explanation) {
        self.image = image
        self.explanation = explanation
    }

    func encode(to encoder: any Encoder) throws {
        try JSONPath(path: image).encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(explanation.score.text, forKey: .text)
        try container.encode(explanation.score.similarity, forKey: .similarity)
        try container.encode(explanation.score.matchLogit, forKey: .matchLogit)
        try container.encode(explanation.score.matchProbability, forKey: .matchProbability)
        try container.encode(explanation.layer, forKey: .layer)
        try container.encode(explanation.sentence.rows, forKey: .map)
        try container.encode(
            zip(explanation.tokens, explanation.tokenMaps).map { Token(token: $0, map: $1.rows) },
            forKey: .tokens)
        try container.encode(
            explanation.words.map {
                Word(word: $0.text, tokens: Array($0.tokens), share: $0.share, map: $0.map.rows)
            }, forKey: .words)
    }
}
