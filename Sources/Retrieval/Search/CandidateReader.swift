import ALBEF
import Torch

/// A query as the encoders see it.
struct EncodedQuery {
    /// Its sentence.
    let text: EncodedTexts?
    /// Its picture.
    let image: EncodedImages?

    /// Encodes a query.
    ///
    /// - Throws: ``QueryError``, `ImageError` or `ALBEFError` as the parts do.
    init(_ query: SearchQuery, _ model: SearchModel) throws {
        text = try query.text.map { try model.encode(texts: [$0]) }
        image = try query.image.map { try model.encode(pixels: [try model.pixels(of: $0)]) }
    }

    /// The unit-length feature `[E]` that recall compares: of both, that of their sum.
    func feature() throws -> Tensor {
        switch (text?.features[0], image?.features[0]) {
        case (let text?, let image?): (image + text).normalized()
        case (let one?, nil), (nil, let one?): one
        case (nil, nil): throw QueryError.empty("")
        }
    }
}

/// Has the fusion encoder read a query with its candidates.
struct CandidateReader {
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

    /// Reads a query with as many candidates as there is time for.
    ///
    /// - Returns: the positions that were read, in their order, and their scores.
    /// - Throws: ``IndexError`` if an entry is damaged; `ALBEFError`; `CancellationError`.
    func read(
        _ query: EncodedQuery, _ ids: [ForwardIndex.EntryID], deadline: ContinuousClock.Instant?
    ) throws -> (positions: [Int], scores: Reranker.Scores) {
        switch index.content {
        case .images:
            guard let text = query.text else { return ([], .init()) }
            let readable = try tokenSource(ids)
            let scores = try reranker.scores(
                text, count: readable.positions.count, deadline: deadline, tokens: readable.tokens)
            return (Array(readable.positions.prefix(scores.logits.count)), scores)
        case .texts:
            guard let image = query.image else { return ([], .init()) }
            let scores = try reranker.scores(
                image: image.tokens, count: ids.count, deadline: deadline
            ) { range in
                try model.encode(texts: ids[range].map { try index.entry($0).text })
            }
            return (Array(ids.indices.prefix(scores.logits.count)), scores)
        }
    }

    /// Where the tokens of candidates come from: the index, or the files of those that can be read.
    private func tokenSource(
        _ ids: [ForwardIndex.EntryID]
    ) throws -> (positions: [Int], tokens: (Range<Int>) throws -> ImageTokens) {
        if index.budget.count != 0 {
            return (
                Array(ids.indices),
                { range in
                    guard let tokens = index.tokens(Array(ids[range])) else {
                        preconditionFailure("an index with a budget has tokens")
                    }
                    return tokens
                }
            )
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
