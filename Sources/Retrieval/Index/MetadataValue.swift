/// A value in the metadata of an image or text.
public enum MetadataValue: Sendable, Hashable {
    /// A number.
    case number(Double)
    /// A text.
    case text(String)
    /// True or false.
    case flag(Bool)
    /// Several texts, such as tags.
    case list([String])
}

extension MetadataValue: Codable {
    /// Decodes a number, a text, a Boolean value or an array of texts.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([String].self) {
            self = .list(list)
        } else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must be a number, a text, true, false or a list of texts")
        }
    }

    /// Encodes the value in its JSON form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .flag(let flag): try container.encode(flag)
        case .list(let list): try container.encode(list)
        }
    }
}
