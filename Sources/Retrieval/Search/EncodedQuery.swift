import ALBEF
import Torch

/// A query in the form of the encoders' output.
struct EncodedQuery {
    /// The encoded sentence.
    let text: EncodedTexts?
    /// The encoded texts to exclude.
    let without: [EncodedTexts]
    /// The tokens `[1, P + 1, D_v]` of its image, if the fusion encoder reads texts with it.
    let imageTokens: Tensor?
    /// The unit-length features of its parts.
    let features: QueryFeatures

    /// How much of the sentence the models can read; nil without a sentence.
    let textReading: QueryReading?
    /// How much of the sentence and of the excluded texts the models can read; nil without a
    /// sentence.
    let reading: QueryReading?

    private init(
        _ query: SearchQuery, texts: [EncodedTexts], readings: [QueryReading], _ source: Source
    ) throws {
        let count = (query.text == nil ? 0 : 1) + query.without.count
        reading =
            query.text == nil
            ? nil : readings.prefix(count).reduce(QueryReading()) { $0.joined($1) }
        textReading = query.text == nil ? nil : readings.first
        var texts = texts[...]
        text = query.text == nil ? nil : texts.popFirst()
        without = Array(texts.prefix(query.without.count))
        let words = texts.dropFirst(query.without.count)
        let (images, tokens) = try source.images(query)
        imageTokens = tokens
        features = QueryFeatures(
            text: text?.features[0], images: Array(images.prefix(query.images.count)),
            without: without.map { $0.features[0] },
            unlike: Array(images.dropFirst(query.images.count)),
            emphasis: zip(query.emphasisedWords, words).map { word, encoded in
                (encoded.features[0], query.emphasis[word] ?? 1)
            })
    }

    /// The model and the index with which queries are encoded.
    struct Source {
        let model: SearchModel
        let index: ForwardIndex
        let locator: EntryLocator
        /// Whether the fusion encoder reads the images of queries.
        let keepsTokens: Bool

        /// Returns the features of all images of a query, and the tokens of the image that is read
        /// with texts.
        fileprivate func images(_ query: SearchQuery) throws -> ([Tensor], tokens: Tensor?) {
            var features: [Tensor?] = []
            var pixels: [PreparedImage] = []
            for image in query.images + query.unlike {
                switch image {
                case .file(let file): pixels.append(try model.pixels(of: file))
                case .pixels(let prepared): pixels.append(prepared)
                case .entry(let key):
                    guard index.content == .images, let id = try locator.find(key, in: index)
                    else { throw QueryError.noEntry }
                    features.append(try index.features([id])[0].to(model.model.device))
                    continue
                }
                features.append(nil)
            }
            guard !pixels.isEmpty else { return (features.compactMap(\.self), nil) }
            let keepsTokens = keepsTokens && query.readableImage != nil
            let encoded = try model.encode(pixels: pixels, keepsTokens: keepsTokens)
            var row = 0
            let all = features.map { known in
                if let known { return known }
                defer { row += 1 }
                return encoded.features[row]
            }
            return (all, keepsTokens ? encoded.tokens[0..<1] : nil)
        }
    }

    /// Encodes queries, with all their texts in one batch.
    ///
    /// - Returns: For each query the encoded query, or its ``QueryError``, `ImageError`,
    ///   `ALBEFError` or the error of its limit.
    static func encoded(
        _ queries: [SearchQuery], limits: [WorkLimit], _ source: Source
    ) -> [Result<EncodedQuery, any Error>] {
        // An empty text is an error of its own query only.
        let texts = zip(queries, limits).map { query, limit in
            Result {
                try limit.check()
                return try query.tokenized(by: source.model)
            }
        }
        let all = texts.flatMap { (try? $0.get()) ?? [] }
        let together = Result {
            all.isEmpty ? [] : try source.model.encode(all).separated
        }
        var rest = ((try? together.get()) ?? [])[...]
        return queries.indices.map { index in
            Result {
                let count = try texts[index].get().count
                if count > 0 { _ = try together.get() }
                let own = Array(rest.prefix(count))
                rest = rest.dropFirst(count)
                try limits[index].check()
                return try EncodedQuery(
                    queries[index], texts: own, readings: texts[index].get().map(\.reading), source)
            }
        }
    }
}

extension SearchQuery {
    /// The emphasised words, in a reproducible order.
    fileprivate var emphasisedWords: [String] { emphasis.keys.sorted() }

    /// Tokenises all texts: the sentence, the excluded texts and the emphasised words.
    ///
    /// - Throws: ``QueryError`` if the query is invalid, or no token of a text remains.
    fileprivate func tokenized(by model: SearchModel) throws -> [TokenizedText] {
        try check()
        return try [text].compactMap(\.self).map { try model.tokenized($0) }
            + without.map { try model.tokenized($0, part: "without") }
            + emphasisedWords.map { try model.tokenized($0, part: "emphasis") }
    }
}

extension EncodedTexts {
    /// Separates the texts, each `[1, L]` with its own length L.
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
