/// What an index keeps of an image's tokens for re-ranking: the choice between its size and the
/// exactness of scores.
///
/// Tokens are all but the whole of an index: 0.9 MB an image for ViT-B/16 at 384 pixels in half
/// precision, where a feature takes 1 KB.
public struct TokenBudget: Sendable, Hashable {
    /// How a number is kept.
    public enum Precision: String, Sendable, Hashable, Codable, CaseIterable {
        /// Half precision: 2 bytes.
        case float16
        /// 8 bits with one scale a token: 1 byte.
        case int8
    }

    /// Tokens kept of each image, `[CLS]` included: nil keeps all, 0 none, any other number
    /// merges the most similar ones until so many are left.
    ///
    /// Without tokens a search reads its candidates' files again.
    public var count: Int?
    /// How numbers are kept.
    public var precision: Precision

    /// A budget; by default all tokens in half precision.
    ///
    /// - Parameter count: nil, 0, or at least 2.
    public init(count: Int? = nil, precision: Precision = .float16) {
        precondition(count.map { $0 == 0 || $0 > 1 } ?? true, "no tokens, or at least 2")
        self.count = count
        self.precision = precision
    }

    /// Tokens kept of an image that has `available`.
    func kept(of available: Int) -> Int { min(count ?? available, available) }

    /// Bytes that the tokens of an image take.
    ///
    /// - Parameters:
    ///   - available: tokens that the image encoder makes, P + 1.
    ///   - width: length of a token.
    public func byteCount(available: Int, width: Int) -> Int {
        let kept = kept(of: available)
        // A merged token also says how many it stands for, an 8-bit one what its unit is.
        let weight = kept < available ? 4 : 0
        return switch precision {
        case .float16: kept * (width * 2 + weight)
        case .int8: kept * (width + 4 + weight)
        }
    }
}

extension TokenBudget: Codable {
    private enum CodingKeys: String, CodingKey { case count, precision }

    /// Reads a budget.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        count = try container.decodeIfPresent(Int.self, forKey: .count)
        precision = try container.decode(Precision.self, forKey: .precision)
        guard count.map({ $0 == 0 || $0 > 1 }) ?? true else {
            throw DecodingError.dataCorruptedError(
                forKey: .count, in: container, debugDescription: "has to be 0 or at least 2")
        }
    }
}
