/// The tokens of each image that an index stores for re-ranking, a trade-off between the size of
/// the index and the accuracy of scores.
///
/// Tokens are almost the whole of an index: 0.9 MB per image for ViT-B/16 at 384 pixels in half
/// precision, compared with 1 KB per feature.
public struct TokenBudget: Sendable, Hashable {
    /// The representation of a number.
    public enum Precision: String, Sendable, Hashable, Codable, CaseIterable {
        /// Half precision: 2 bytes.
        case float16
        /// 8 bits with one scale per token: 1 byte.
        case int8
    }

    /// The number of tokens stored per image, `[CLS]` included.
    ///
    /// Nil stores all tokens and 0 stores none. For any other number, the most similar tokens are
    /// merged until that number is left. Without tokens, a search reads the files of its candidates
    /// again.
    public var count: Int?
    /// The representation of numbers.
    public var precision: Precision

    /// Creates a budget; by default all tokens in half precision.
    ///
    /// - Parameters:
    ///   - count: The number of tokens per image: nil for all, 0, or at least 2.
    ///   - precision: The representation of numbers. Default: half precision.
    public init(count: Int? = nil, precision: Precision = .float16) {
        precondition(
            count.map { $0 == 0 || $0 > 1 } ?? true, "count must be nil, 0 or at least 2")
        self.count = count
        self.precision = precision
    }

    /// Returns the number of tokens stored for an image that has `available` tokens.
    func kept(of available: Int) -> Int { min(count ?? available, available) }

    /// Returns the number of bytes that the tokens of one image take.
    ///
    /// - Parameters:
    ///   - available: The number of tokens from the image encoder, P + 1.
    ///   - width: The length of a token.
    public func byteCount(available: Int, width: Int) -> Int {
        let kept = kept(of: available)
        // A merged token also stores its weight, and an 8-bit token its scale.
        let weight = kept < available ? 4 : 0
        return switch precision {
        case .float16: kept * (width * 2 + weight)
        case .int8: kept * (width + 4 + weight)
        }
    }
}

extension TokenBudget: Codable {
    private enum CodingKeys: String, CodingKey { case count, precision }

    /// Decodes a budget.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        count = try container.decodeIfPresent(Int.self, forKey: .count)
        precision = try container.decode(Precision.self, forKey: .precision)
        guard count.map({ $0 == 0 || $0 > 1 }) ?? true else {
            throw DecodingError.dataCorruptedError(
                forKey: .count, in: container, debugDescription: "must be 0 or at least 2")
        }
    }
}
