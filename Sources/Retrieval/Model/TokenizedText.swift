import ALBEF

/// A text of a query, tokenised once for each model that reads it.
struct TokenizedText: Sendable {
    /// The token ids for the model that re-ranks, including those that frame them.
    let reader: [Int]
    /// The token ids for the model that recalls; nil if one model does both.
    let recall: [Int]?
    /// How much of the text the models can read.
    let reading: QueryReading
}

extension SearchModel {
    /// Tokenises a text of a query.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - part: The part of a query that contains the text; nil for the sentence.
    /// - Throws: ``QueryError`` if no token of it remains for a model.
    func tokenized(_ text: String, part: String? = nil) throws -> TokenizedText {
        let (ids, reading) = reader.tokenized(text)
        guard let ids else { throw QueryError.empty(text, part: part) }
        guard let recall else { return TokenizedText(reader: ids, recall: nil, reading: reading) }
        let (others, other) = recall.tokenized(text)
        guard let others else { throw QueryError.empty(text, part: part) }
        return TokenizedText(reader: ids, recall: others, reading: reading.joined(other))
    }

    /// Encodes texts that were tokenised.
    ///
    /// - Returns: The states and mask of the reader, and features for recall.
    /// - Throws: `ALBEFError` if a model has no text projection; `TorchError` if there is not enough
    ///   memory or a device fails.
    func encode(_ texts: [TokenizedText]) throws -> EncodedTexts {
        var encoded = try reader.encode(rows: texts.map(\.reader))
        if let recall {
            encoded.features = try recall.encode(rows: texts.compactMap(\.recall)).features
        }
        return encoded
    }
}
