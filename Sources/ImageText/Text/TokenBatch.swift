/// Texts as token ids: one row per text, padded to a common length.
public struct TokenBatch: Sendable, Hashable {
    /// The token ids, `[B, L]`, row-major; `[PAD]` follows the end of a text.
    public let ids: [Int64]
    /// The attention mask, `[B, L]`, row-major: 1 for tokens, 0 for padding.
    public let mask: [Int64]
    /// The number of texts, `B`.
    public let count: Int
    /// The number of tokens per row including padding, `L`; 0 if there are neither texts nor a
    /// fixed length.
    public let length: Int

    /// Creates a batch by padding rows to a common length.
    ///
    /// - Parameters:
    ///   - rows: The token ids of each text, including special tokens.
    ///   - padding: The common length; that of the longest row by default.
    ///   - paddingID: The id of `[PAD]`.
    public init(rows: [[Int]], padding: TokenPadding = .longest, paddingID: Int) {
        let longest = rows.lazy.map(\.count).max() ?? 0
        let length =
            switch padding {
            case .longest: longest
            case .fixed(let length): max(length, longest)
            }
        var ids = [Int64](repeating: Int64(paddingID), count: rows.count * length)
        var mask = [Int64](repeating: 0, count: ids.count)
        for (row, tokens) in rows.enumerated() {
            for (column, token) in tokens.enumerated() {
                ids[row * length + column] = Int64(token)
                mask[row * length + column] = 1
            }
        }
        self.ids = ids
        self.mask = mask
        self.length = length
        count = rows.count
    }

    /// Returns the token ids of one text, without padding.
    public subscript(row: Int) -> [Int] {
        let range = row * length..<(row + 1) * length
        return zip(ids[range], mask[range]).compactMap { id, mask in mask == 1 ? Int(id) : nil }
    }
}

/// The length to which the rows of a ``TokenBatch`` are filled with `[PAD]`.
public enum TokenPadding: Sendable, Hashable {
    /// The length of the longest row.
    case longest
    /// The given number of tokens, or the length of the longest row if that is greater.
    case fixed(Int)
}
