public import ALBEF
public import SystemPackage
import Torch

/// How well one text fits one image.
public struct PairScore: Sendable, Hashable {
    /// The text.
    public let text: String
    /// Cosine of the features, in [-1, 1].
    public let similarity: Float
    /// The ITM logit of "match".
    public let matchLogit: Float
    /// The model's probability that the text describes the image.
    public let matchProbability: Float
}

extension SearchModel {
    /// Scores an image against each of several texts, in their order.
    ///
    /// - Throws: ``ImageError``, ``QueryError`` or ``ALBEFError`` as the parts do.
    public func score(_ image: FilePath, _ texts: [String]) throws -> [PairScore] {
        try score(encode(pixels: [try pixels(of: image)]), texts)
    }

    /// Scores one encoded image, all of whose tokens are there, against each of several texts.
    ///
    /// - Throws: ``QueryError`` or ``ALBEFError`` as the parts do.
    public func score(_ encoded: EncodedImages, _ texts: [String]) throws -> [PairScore] {
        try texts.map { text in
            let query = try encode(texts: [text])
            let scores = try Reranker(model).scores(query, count: 1) { _ in
                ImageTokens(encoded.tokens)
            }
            guard scores.logits.allSatisfy(\.isFinite) else {
                throw QueryError.notFinite("a match score")
            }
            let similarity = query.features[0].matmul(encoded.features[0]).scalar()
            return PairScore(
                text: text, similarity: Float(similarity), matchLogit: scores.matchLogits[0],
                matchProbability: Float(calibration(scores.logits[0])))
        }
    }
}

extension MatchLogits {
    /// Whether both are numbers that can be compared.
    var isFinite: Bool { match.isFinite && mismatch.isFinite }
}
