internal import Foundation
import Storage
public import SystemPackage

/// What `shards.json` says about the shards beside it: their names, and how many samples each has.
///
/// `albef data pack` writes it. Of each entry of `shardlist` a reader needs only `url`, relative to
/// the index, and `nsamples`.
public struct ShardIndex: Sendable, Hashable {
    /// One shard.
    public struct Entry: Sendable, Hashable, Codable {
        /// The file's name relative to the index, or an address.
        ///
        /// A run's own counts also have commands; ``ShardList`` refuses an index that names one.
        public var url: String
        /// The number of samples.
        public var samples: Int
        /// The length in bytes, if known.
        public var byteCount: Int64?
        /// The SHA-256 of the file in lower-case hexadecimal, if known.
        public var sha256: String?
        /// A fingerprint of what the shard was made from, if this library made it.
        public var source: String?

        /// Creates an entry.
        public init(
            url: String, samples: Int, byteCount: Int64? = nil, sha256: String? = nil,
            source: String? = nil
        ) {
            self.url = url
            self.samples = samples
            self.byteCount = byteCount
            self.sha256 = sha256
            self.source = source
        }

        enum CodingKeys: String, CodingKey {
            case url, sha256, source
            case samples = "nsamples"
            case byteCount = "filesize"
        }
    }

    private struct Document: Codable {
        let kind: String?
        let shardlist: [Entry]

        enum CodingKeys: String, CodingKey {
            case kind = "__kind__"
            case shardlist
        }
    }

    /// The number of samples that a shard, and an index, may claim.
    static let maximumSamples = 1_000_000_000_000
    private static let maximumBytes = 1 << 28
    private static let kind = "albef-shards-1"

    /// The shards, in order.
    public var entries: [Entry]
    /// The folder that relative names start from; text that ends with a slash, or nothing.
    private let base: String

    /// The number of samples of all shards.
    public var sampleCount: Int { entries.reduce(0) { $0 + $1.samples } }
    /// The addresses of the shards, in order.
    public var addresses: [ShardAddress] { entries.map { address(of: $0) } }

    /// Creates an index for a folder.
    package init(entries: [Entry], in folder: FilePath) {
        self.entries = entries
        base = folder.isEmpty ? "" : folder.string + "/"
    }

    /// Reads an index.
    ///
    /// - Throws: ``DatasetError`` if it cannot be read or is damaged.
    public init(contentsOf file: FilePath) throws(DatasetError) {
        let bytes: [UInt8]
        do throws(TextFile.Fault) {
            bytes = try TextFile.contents(of: file)
        } catch {
            throw .unreadable(file, error.reason)
        }
        try self.init(bytes, from: file.description)
    }

    /// Reads the index beside remote shards.
    ///
    /// - Returns: The index, or `nil` if the server does not have one.
    init?(beside address: String, opener: ShardOpener) {
        guard let slash = address.lastIndex(of: "/") else { return nil }
        let place = address[...slash] + ShardList.indexName
        guard let stream = try? opener.open(ShardAddress(String(place))) else { return nil }
        var input = StreamBuffer(stream, byteCount: 1 << 16)
        guard let bytes = try? input.bytes(Self.maximumBytes),
            let index = try? Self(bytes, from: String(place))
        else { return nil }
        self = index
    }

    private init(_ bytes: [UInt8], from place: String) throws(DatasetError) {
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: Data(bytes))
        } catch {
            throw .json(error, in: Data(bytes), of: FilePath(place))
        }
        for (index, entry) in document.shardlist.enumerated() {
            guard (0...Self.maximumSamples).contains(entry.samples) else {
                throw .malformed(
                    FilePath(place), entry: "shardlist[\(index)].nsamples", "is out of range")
            }
            guard !entry.url.isEmpty else {
                throw .malformed(FilePath(place), entry: "shardlist[\(index)].url", "is empty")
            }
        }
        entries = document.shardlist
        base = place.lastIndex(of: "/").map { String(place[...$0]) } ?? ""
        guard entries.count <= BracePattern.limit, sampleCount <= Self.maximumSamples else {
            throw .malformed(FilePath(place), entry: "shardlist", "has too many samples")
        }
    }

    /// Returns the address of a shard.
    func address(of entry: Entry) -> ShardAddress {
        let isWhole = ShardAddress.isElsewhere(entry.url) || entry.url.hasPrefix("/")
        let text = isWhole ? entry.url : base + entry.url
        return ShardAddress.isElsewhere(text) ? ShardAddress(text) : ShardAddress(FilePath(text))
    }

    /// Writes the index, replacing an older one in one step.
    package func write(to file: FilePath) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var bytes = try encoder.encode(Document(kind: Self.kind, shardlist: entries))
        bytes.append(UInt8(ascii: "\n"))
        try AtomicFile.write(bytes, to: file)
    }
}
