public import ALBEF
public import SystemPackage
import Torch

/// The scores of one text and one image.
public struct PairScore: Sendable, Hashable {
    /// The text.
    public let text: String
    /// The cosine of the features, from -1 to 1.
    public let similarity: Float
    /// The ITM logit of "match".
    public let matchLogit: Float
    /// The model's probability that the text describes the image.
    public let matchProbability: Float
}

extension SearchModel {
    /// Scores an image against each of several texts, in order.
    ///
    /// - Throws: `ImageError` if the file cannot be read; ``QueryError`` if no token of a text
    ///   remains or a score is not finite; `ALBEFError` if the model cannot match.
    /// - Complexity: One pass of the image encoder, and one pass of the text and fusion encoders
    ///   per text.
    public func score(_ image: FilePath, _ texts: [String]) throws -> [PairScore] {
        try score(encode(pixels: [try pixels(of: image)]), texts)
    }

    /// Scores one encoded image, which must have all of its tokens, against each of several texts.
    ///
    /// - Throws: ``QueryError`` if no token of a text remains or a score is not finite;
    ///   `ALBEFError` if the model cannot match.
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
    /// Whether both logits are finite.
    var isFinite: Bool { match.isFinite && mismatch.isFinite }
}
