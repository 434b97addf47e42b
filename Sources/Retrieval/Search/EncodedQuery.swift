import ALBEF
import Torch

/// A query as the encoders see it.
struct EncodedQuery {
    /// Its sentence.
    let text: EncodedTexts?
    /// Its image.
    let image: EncodedImages?

    private init(
        _ query: SearchQuery, text: EncodedTexts?, _ model: SearchModel, keepsTokens: Bool
    ) throws {
        self.text = text
        image = try query.image.map { picture in
            let pixels =
                switch picture {
                case .file(let file): try model.pixels(of: file)
                case .pixels(let pixels): pixels
                }
            return try model.encode(pixels: [pixels], keepsTokens: keepsTokens)
        }
    }

    /// Encodes queries, all their texts at once.
    ///
    /// - Parameter keepsTokens: whether the fusion encoder reads the queries' images.
    /// - Returns: for each the encoded query, or its ``QueryError``, `ImageError`, `ALBEFError` or
    ///   what its limit threw.
    static func encoded(
        _ queries: [SearchQuery], limits: [WorkLimit], _ model: SearchModel, keepsTokens: Bool
    ) -> [Result<EncodedQuery, any Error>] {
        // A text that says nothing is its own query's error, not that of all.
        let checks = zip(queries, limits).map { query, limit in
            Result {
                try limit.check()
                return try query.text.map(model.check)
            }
        }
        let places = queries.indices.filter { index in
            if case .success(()?) = checks[index] { true } else { false }
        }
        let together = Result {
            places.isEmpty
                ? [] : try model.encode(texts: places.compactMap { queries[$0].text }).separated
        }
        var texts = [EncodedTexts?](repeating: nil, count: queries.count)
        if case .success(let rows) = together {
            for (place, row) in zip(places, rows) { texts[place] = row }
        }
        return queries.indices.map { index in
            Result {
                try checks[index].get()
                if queries[index].text != nil { _ = try together.get() }
                try limits[index].check()
                return try EncodedQuery(
                    queries[index], text: texts[index], model, keepsTokens: keepsTokens)
            }
        }
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

extension EncodedTexts {
    /// Each text by itself, `[1, L]` with its own length L.
    fileprivate var separated: [EncodedTexts] {
        let count = mask.size(0)
        guard count > 1 else { return [self] }
        let lengths: [Int] = mask.to(.int64).sum(1).values()
        return lengths.enumerated().map { row, length in
            EncodedTexts(
                states: states[row..<row + 1, 0..<length], mask: mask[row..<row + 1, 0..<length],
                features: features[row..<row + 1])
        }
    }
}
