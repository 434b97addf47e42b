/// The identifier that annotations give a record: a number in most files, a text in some.
public enum RecordID: Sendable, Hashable {
    /// A whole number.
    case number(Int)
    /// A text.
    case text(String)
}

extension RecordID: CustomStringConvertible {
    /// The number or the text.
    public var description: String {
        switch self {
        case .number(let number): "\(number)"
        case .text(let text): text
        }
    }
}

extension RecordID: Codable {
    /// Decodes a number or a text.
    ///
    /// - Throws: `DecodingError` if the value is neither.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "is neither an integer nor a string")
        }
    }

    /// Encodes a number as a number and a text as a text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        }
    }
}
