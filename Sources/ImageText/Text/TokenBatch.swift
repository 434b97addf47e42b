/// Texts as token ids, one row each, all rows of one length.
public struct TokenBatch: Sendable, Hashable {
    /// Token ids `[B, L]`, row-major; `[PAD]` after the end of a text.
    public let ids: [Int64]
    /// 1 where a token stands, 0 where padding does, `[B, L]`, row-major.
    public let mask: [Int64]
    /// How many texts there are, `B`.
    public let count: Int
    /// How many tokens each row has with its padding, `L`; 0 for no texts at their own length.
    public let length: Int

    /// Pads rows to one length.
    ///
    /// - Parameters:
    ///   - rows: Token ids of each text, special tokens included.
    ///   - padding: To which length.
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

    /// The token ids of one text, without its padding.
    public subscript(row: Int) -> [Int] {
        let range = row * length..<(row + 1) * length
        return zip(ids[range], mask[range]).compactMap { id, mask in mask == 1 ? Int(id) : nil }
    }
}

/// To which length the rows of a ``TokenBatch`` are filled with `[PAD]`.
public enum TokenPadding: Sendable, Hashable {
    /// The longest row's.
    case longest
    /// This many tokens, or the longest row's if that is more.
    case fixed(Int)
}
