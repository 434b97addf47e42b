import Foundation
import Storage
import SystemPackage
import Torch

/// The file that defines the contents of an index; it is replaced atomically and therefore always
/// complete.
///
/// For readers, a segment that the manifest does not name does not exist, even if its file does.
struct IndexManifest: Codable, Sendable, Equatable {
    /// The newest format that this program reads.
    ///
    /// Format 2 added the budget of tokens and, to segments, the table of entries, digests and
    /// codes. An index of format 1 can be read, and the next commit converts it to format 2. Format
    /// 3 is written for two models only, because older programs would compare the features of the
    /// wrong one.
    static let format = 3
    static let fileName = "manifest.json"

    /// One immutable file of entries.
    struct Segment: Codable, Sendable, Equatable {
        var name: String
        var count: Int
        var byteCount: Int
        /// SHA-256 of the file, hexadecimal.
        var sha256: String
        /// The rows that were removed or replaced since.
        var removed: [Int]
        /// The absolute path of the index when the file was written, by which ``Relocation`` finds
        /// images that were moved together with it; nil if the path is not UTF-8, or an earlier
        /// program wrote the file.
        var directory: String?

        enum CodingKeys: String, CodingKey {
            case name, count
            case byteCount = "byte_count"
            case sha256, removed, directory
        }
    }

    var format: Int
    /// A number that increases with every commit.
    var generation = 0
    var model: ModelSignature
    /// The kind of the entries.
    var content = IndexContent.images
    /// The tokens that the index stores for every image.
    var tokens = TokenBudget()
    /// The part of a gallery that the index holds; nil for all of it.
    var shard: Shard?
    var segments: [Segment] = []
    /// The graph for approximate recall; nil until one is built.
    ///
    /// Its key differs from the one in earlier versions, so that programs in which rows could not
    /// move find no graph.
    var graph: Graph?

    /// Returns the format to write for the models of an index.
    static func format(of model: ModelSignature) -> Int { model.recall == nil ? 2 : 3 }

    /// Reads the manifest of an index.
    ///
    /// - Throws: ``IndexError`` if it is missing, damaged or too new.
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
        guard !data.isEmpty else { throw IndexError.corrupt(file, "the file is empty") }
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
        if let fault { throw IndexError.corrupt(file, fault) }
    }

    /// Reads the manifest of an index, or returns nil if it does not exist.
    ///
    /// - Throws: ``IndexError`` if it is damaged or too new.
    static func ifPresent(in directory: FilePath) throws -> IndexManifest? {
        do {
            return try IndexManifest(directory: directory)
        } catch let error as IndexError where error.isMissing {
            return nil
        }
    }

    /// The first impossible value, or nil if all values are possible.
    private var fault: String? {
        for (field, value) in [
            ("image_size", model.imageSize), ("embedding_width", model.embeddingWidth),
            ("token_count", model.tokenCount), ("token_width", model.tokenWidth),
            ("recall.image_size", model.recall?.imageSize ?? 1),
        ] where !(1...1 << 17).contains(value) {
            return "model.\(field): \(value) is not from 1 to \(1 << 17)"
        }
        guard (0..<1 << 62).contains(generation) else {
            return "generation: \(generation) is not from 0 to 2^62"
        }
        if let shard, shard.shard == nil {
            return "shard: there is no shard \(shard.number) of \(shard.count)"
        }
        if let graph, !Self.isPlain(graph.name) { return "'\(graph.name)' is no name of a graph" }
        for segment in segments {
            guard Self.isPlain(segment.name) else {
                return "'\(segment.name)' is no name of a segment"
            }
            guard segment.count >= 0, segment.byteCount >= 0 else {
                return "'\(segment.name)' has a negative size"
            }
            guard segment.removed.allSatisfy((0..<segment.count).contains) else {
                return "'\(segment.name)' removes rows that it does not have"
            }
        }
        // Whoever adds them up must not overflow.
        for (field, numbers) in [
            ("segments: the counts", segments.map(\.count)),
            ("segments: the sizes", segments.map(\.byteCount)),
            ("recall_graph: the counts", graph?.parts.map(\.count) ?? []),
        ] where numbers.reduce(0, { $0 + abs(Double($1)) }) > 0x1p60 {
            return "\(field) add up to more than 2^60"
        }
        return nil
    }

    /// Returns whether a file with this name stays in the folder of the segments.
    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Checks that the index was made with a model, or with two.
    ///
    /// - Throws: ``IndexError`` that describes the difference.
    func check(_ model: ModelSignature, in directory: FilePath) throws {
        if let difference = self.model.difference(from: model) {
            throw IndexError.otherModel(directory, difference)
        }
    }

    init(
        model: ModelSignature, content: IndexContent = .images, tokens: TokenBudget,
        shard: IndexShard? = nil
    ) {
        self.shard = shard.map { Shard($0) }
        format = Self.format(of: model)
        self.model = model
        self.content = content
        self.tokens = tokens
    }

    private enum CodingKeys: String, CodingKey {
        case format, generation, model, content, tokens, shard, segments
        case graph = "recall_graph"
        case firstGraph = "graph"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        format = try container.decode(Int.self, forKey: .format)
        generation = try container.decode(Int.self, forKey: .generation)
        model = try container.decode(ModelSignature.self, forKey: .model)
        content = try container.decodeIfPresent(IndexContent.self, forKey: .content) ?? .images
        tokens = try container.decodeIfPresent(TokenBudget.self, forKey: .tokens) ?? TokenBudget()
        shard = try container.decodeIfPresent(Shard.self, forKey: .shard)
        segments = try container.decode([Segment].self, forKey: .segments)
        graph =
            try container.decodeIfPresent(Graph.self, forKey: .graph)
            ?? container.decodeIfPresent(FirstGraph.self, forKey: .firstGraph)?
            .graph(over: segments)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(format, forKey: .format)
        try container.encode(generation, forKey: .generation)
        try container.encode(model, forKey: .model)
        try container.encode(content, forKey: .content)
        try container.encode(tokens, forKey: .tokens)
        try container.encodeIfPresent(shard, forKey: .shard)
        try container.encode(segments, forKey: .segments)
        try container.encodeIfPresent(graph, forKey: .graph)
    }

    /// Writes the manifest atomically: readers see the old or the new one.
    func write(to directory: FilePath) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(
            try encoder.encode(self), to: directory.appending(Self.fileName))
    }
}
