import ALBEF
import Torch

/// Has the fusion encoder read a query with its candidates.
struct CandidateReader {
    /// The candidates that were read, by their places, and what the ITM head said of each.
    struct Reading {
        var positions: [Int] = []
        var logits: [MatchLogits] = []
    }

    private let model: SearchModel
    private let index: ForwardIndex
    private let reranker: Reranker

    init(_ model: SearchModel, _ index: ForwardIndex) {
        self.model = model
        self.index = index
        reranker = Reranker(model.model)
    }

    /// Whether there is a text and a picture to read together, and a head that was trained to.
    func canRead(_ query: SearchQuery) -> Bool {
        model.matches && index.content.isReadable(with: query)
    }

    /// Whether several texts can be read with their candidates at once.
    var canPool: Bool { index.content == .images && index.budget.count != 0 }

    /// Reads a query with as many candidates as there is time for.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged; `ALBEFError`; `CancellationError`.
    func read(
        _ query: EncodedQuery, _ ids: [ForwardIndex.EntryID], deadline: ContinuousClock.Instant?
    ) throws -> Reading {
        guard !ids.isEmpty else { return Reading() }
        switch index.content {
        case .images:
            guard let text = query.text else { return Reading() }
            let readable = try tokenSource(ids)
            let scores = try reranker.scores(
                text, count: readable.positions.count, deadline: deadline, tokens: readable.tokens)
            return Reading(
                positions: Array(readable.positions.prefix(scores.logits.count)),
                logits: scores.logits)
        case .texts:
            guard let image = query.image else { return Reading() }
            let scores = try reranker.scores(
                image: image.tokens, count: ids.count, deadline: deadline
            ) { range in
                try model.encode(texts: ids[range].map { try index.entry($0).text })
            }
            return Reading(
                positions: Array(ids.indices.prefix(scores.logits.count)), logits: scores.logits)
        }
    }

    /// Reads several texts, each with its own candidates, in an index that keeps tokens.
    ///
    /// - Throws: `ALBEFError`; `CancellationError`.
    func read(
        _ queries: [(text: EncodedTexts, ids: [ForwardIndex.EntryID])]
    ) throws -> [Reading] {
        guard !queries.isEmpty else { return [] }
        let scores = try reranker.scores(
            queries.map { ($0.text, $0.ids.count) }
        ) { query, range in
            tokens(queries[query].ids[range])
        }
        return zip(queries, scores).map { query, scores in
            Reading(positions: Array(query.ids.indices), logits: scores.logits)
        }
    }

    private func tokens(_ ids: ArraySlice<ForwardIndex.EntryID>) -> ImageTokens {
        guard let tokens = index.tokens(Array(ids)) else {
            preconditionFailure("an index with a budget has tokens")
        }
        return tokens
    }

    /// Where the tokens of candidates come from: the index, or the files of those that can be read.
    private func tokenSource(
        _ ids: [ForwardIndex.EntryID]
    ) throws -> (positions: [Int], tokens: (Range<Int>) throws -> ImageTokens) {
        if index.budget.count != 0 {
            return (Array(ids.indices), { range in tokens(ids[range]) })
        }
        var pixels: [(position: Int, values: [Float])] = []
        for (position, id) in ids.enumerated() {
            try Task.checkCancellation()
            if let values = try? model.pixels(of: index.entry(id).path) {
                pixels.append((position, values))
            }
        }
        let readable = pixels
        return (
            readable.map(\.position),
            { range in
                ImageTokens(try model.encode(pixels: readable[range].map(\.values)).tokens)
            }
        )
    }
}
