public import ALBEF
public import SystemPackage
import Torch

/// One picture of an answer.
public struct SearchResult: Sendable, Hashable {
    /// Where the picture is.
    public let path: FilePath
    /// Place in the answer; the best is 1.
    public let rank: Int
    /// Place by the two towers alone; the best is 1.
    public let recallRank: Int
    /// Cosine of the query's and the picture's features, in [-1, 1].
    public let similarity: Float
    /// The ITM logit of "match"; nil without re-ranking.
    public let matchLogit: Float?
    /// The model's probability that the text describes the picture; nil without re-ranking.
    public let matchProbability: Float?
}

/// Answers sentences from a forward index in two stages: recall, then re-ranking.
public struct Searcher: Sendable {
    private let model: SearchModel
    private let index: ForwardIndex
    private let reranker: Reranker

    /// Pairs a model with an index that it made.
    ///
    /// - Throws: ``IndexError`` if the index was made with another model.
    public init(_ model: SearchModel, _ index: ForwardIndex) throws {
        try index.check(model.signature)
        self.model = model
        self.index = index
        reranker = Reranker(model.model)
    }

    /// Finds the pictures that a sentence describes, best first.
    ///
    /// - Parameters:
    ///   - query: a sentence.
    ///   - count: number of results at most; default 10.
    ///   - candidates: how many pictures recall hands to the fusion encoder; 0 skips re-ranking, as
    ///     does a model that was not trained to match. Default 64. Results beyond the candidates follow in recall order.
    ///   - ranking: what the candidates are re-ranked by; nil for what the model's dialect does.
    /// - Throws: ``QueryError`` if the query is empty; ``ALBEFError`` if the model cannot search;
    ///   `CancellationError` if the task is cancelled.
    public func search(
        _ query: String, count: Int = 10, candidates: Int = 64, ranking: RankingScore? = nil
    ) throws -> [SearchResult] {
        let candidates = model.matches ? candidates : 0
        let text = try model.encode(texts: [query])
        let recalled = index.recall(text.features[0], count: max(count, candidates))
        let reread = Array(recalled.prefix(candidates))
        let scores = try reranker.scores(text, count: reread.count) { range in
            index.tokens(reread[range].map(\.id))
        }
        let ranking = ranking ?? .standard(model.model.configuration.dialect)
        let temperature = model.model.temperatureValue
        let order = reread.indices.sorted { a, b in
            let (first, second) = (score(a), score(b))
            return first == second ? a < b : first > second
        }
        func score(_ position: Int) -> Float {
            ranking(
                scores.logits[position], similarity: reread[position].similarity,
                temperature: temperature)
        }
        let positions = (order + Array(reread.count..<recalled.count)).prefix(count)
        return positions.enumerated().map { rank, position in
            let candidate = recalled[position]
            let read = position < reread.count
            return SearchResult(
                path: index.entry(candidate.id).path, rank: rank + 1, recallRank: position + 1,
                similarity: candidate.similarity,
                matchLogit: read ? scores.logits[position].match : nil,
                matchProbability: read ? scores.matchProbabilities[position] : nil)
        }
    }
}

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
        let encoded = try encode(pixels: [try pixels(of: image)])
        return try texts.map { text in
            let query = try encode(texts: [text])
            let scores = try Reranker(model).scores(query, count: 1) { _ in encoded.tokens }
            let similarity = query.features[0].matmul(encoded.features[0]).scalar()
            return PairScore(
                text: text, similarity: Float(similarity), matchLogit: scores.matchLogits[0],
                matchProbability: scores.matchProbabilities[0])
        }
    }
}
