import Foundation
import SystemPackage
import Torch

/// The one file that says what an index holds; replaced atomically, so that it is always whole.
///
/// A segment that is not named here does not exist for readers, however much of it is on disk.
struct IndexManifest: Codable, Sendable, Equatable {
    /// The newest format this program reads and the one that it writes.
    ///
    /// Format 2 added the budget of tokens, and to segments the table of entries, digests and codes.
    /// An index of format 1 is read as it is; the next commit makes it one of format 2.
    static let format = 2
    static let fileName = "manifest.json"

    /// One append-only file of entries.
    struct Segment: Codable, Sendable, Equatable {
        var name: String
        var count: Int
        var byteCount: Int
        /// SHA-256 of the file, hexadecimal.
        var sha256: String
        /// Rows that were deleted or replaced since.
        var removed: [Int]

        enum CodingKeys: String, CodingKey {
            case name, count
            case byteCount = "byte_count"
            case sha256, removed
        }
    }

    var format = Self.format
    /// Grows with every commit.
    var generation = 0
    var model: ModelSignature
    /// What the entries are.
    var content = IndexContent.images
    /// What is kept of every picture's tokens.
    var tokens = TokenBudget()
    var segments: [Segment] = []
    /// What approximate recall searches; nil until one is made.
    var graph: Graph?

    /// A graph over the first segments.
    struct Graph: Codable, Sendable, Equatable {
        var name: String
        var byteCount: Int
        /// SHA-256 of the file, hexadecimal.
        var sha256: String
        /// The segments that it knows, the first ones of the index.
        var segments: [String]

        enum CodingKeys: String, CodingKey {
            case name
            case byteCount = "byte_count"
            case sha256, segments
        }
    }

    /// Reads the manifest of an index.
    ///
    /// - Throws: ``IndexError`` if there is none or it is damaged or too new.
    init(directory: FilePath) throws {
        let file = directory.appending(Self.fileName)
        let data: Data
        do {
            data = Data(try file.contents())
        } catch let errno as Errno {
            if errno == .noSuchFileOrDirectory || errno == .notDirectory {
                throw IndexError.missing(directory)
            }
            throw IndexError.system(file, "read it", errno)
        }
        struct Header: Decodable { var format: Int }
        do {
            let header = try JSONDecoder().decode(Header.self, from: data)
            guard (1...Self.format).contains(header.format) else {
                throw IndexError.format(file, found: header.format, known: Self.format)
            }
            self = try JSONDecoder().decode(IndexManifest.self, from: data)
        } catch let error as DecodingError {
            throw IndexError.corrupt(file, error.reason)
        }
        for segment in segments {
            guard segment.removed.allSatisfy((0..<max(segment.count, 1)).contains) else {
                throw IndexError.corrupt(file, "'\(segment.name)' removes rows that it lacks")
            }
        }
    }

    init(model: ModelSignature, content: IndexContent = .images, tokens: TokenBudget) {
        self.model = model
        self.content = content
        self.tokens = tokens
    }

    private enum CodingKeys: String, CodingKey {
        case format, generation, model, content, tokens, segments, graph
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        format = try container.decode(Int.self, forKey: .format)
        generation = try container.decode(Int.self, forKey: .generation)
        model = try container.decode(ModelSignature.self, forKey: .model)
        content = try container.decodeIfPresent(IndexContent.self, forKey: .content) ?? .images
        tokens = try container.decodeIfPresent(TokenBudget.self, forKey: .tokens) ?? TokenBudget()
        segments = try container.decode([Segment].self, forKey: .segments)
        graph = try container.decodeIfPresent(Graph.self, forKey: .graph)
    }

    /// Writes the manifest so that readers see the old one or the new one, never a mixture.
    func write(to directory: FilePath) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(
            try encoder.encode(self), to: directory.appending(Self.fileName))
    }
}

extension DecodingError {
    /// The field and what is wrong with it, in one line.
    package var reason: String {
        switch self {
        case .keyNotFound(let key, let context):
            Self.line(context, "'\(key.stringValue)' is missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            Self.line(context, context.debugDescription)
        @unknown default:
            "\(self)"
        }
    }

    private static func line(_ context: Context, _ what: String) -> String {
        let field = context.codingPath.map { $0.stringValue }.joined(separator: ".")
        return field.isEmpty ? what : "\(field): \(what)"
    }
}
