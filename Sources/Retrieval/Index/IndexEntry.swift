import Foundation
public import ImageText
import Storage
public import SystemPackage

/// The description of an image or text in an index, without its vectors.
public struct IndexEntry: Sendable, Hashable {
    /// The absolute path, in any bytes, not only UTF-8.
    public internal(set) var path: FilePath
    /// The size of the file in bytes when it was encoded.
    public let size: Int
    /// The time of the file's last change, in nanoseconds since 1970.
    public let modified: Int64
    /// The SHA-256 of the file's bytes, in hexadecimal.
    public let sha256: String
    /// The facts that the file itself contains; nil for texts, and in entries from earlier
    /// versions, whose files the next update reads again.
    public var about: ImageFacts?
    /// Further values by name, for filters.
    public var metadata: [String: MetadataValue]

    /// Creates an entry.
    public init(
        path: FilePath, size: Int, modified: Int64, sha256: String, about: ImageFacts? = nil,
        metadata: [String: MetadataValue] = [:]
    ) {
        self.about = about
        self.path = path
        self.size = size
        self.modified = modified
        self.sha256 = sha256
        self.metadata = metadata
    }
}

extension IndexEntry: Codable {
    /// An encoder that always writes the same bytes for an entry.
    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    private enum CodingKeys: String, CodingKey {
        case path
        case pathBytes = "path_base64"
        case size, modified, sha256, about, metadata
    }

    /// Decodes an entry; a path that is not UTF-8 is stored in base 64.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let text = try container.decodeIfPresent(String.self, forKey: .path) {
            path = FilePath(text)
        } else {
            path = FilePath(bytes: try container.decode(Data.self, forKey: .pathBytes))
        }
        size = try container.decode(Int.self, forKey: .size)
        modified = try container.decode(Int64.self, forKey: .modified)
        sha256 = try container.decode(String.self, forKey: .sha256)
        about = try container.decodeIfPresent(ImageFacts.self, forKey: .about)
        metadata =
            try container.decodeIfPresent([String: MetadataValue].self, forKey: .metadata) ?? [:]
    }

    /// Encodes an entry.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if let text = String(validating: path) {
            try container.encode(text, forKey: .path)
        } else {
            try container.encode(path.bytes, forKey: .pathBytes)
        }
        try container.encode(size, forKey: .size)
        try container.encode(modified, forKey: .modified)
        try container.encode(sha256, forKey: .sha256)
        try container.encodeIfPresent(about, forKey: .about)
        if !metadata.isEmpty { try container.encode(metadata, forKey: .metadata) }
    }
}
