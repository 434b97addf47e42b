import Storage
public import SystemPackage

/// One of several parts into which the images of a folder are divided, so that as many processes
/// can encode them, each into an index of its own.
///
/// Which shard an image belongs to depends on its path from the folder alone. So images that are
/// added later move no other image, and every process finds its part without the others.
/// ``ForwardIndex/merge(_:into:allowsMissing:replaces:onProgress:)`` joins the indexes.
///
/// ```swift
/// var options = Indexer.Options()
/// options.shard = IndexShard(0, of: 4)
/// _ = try await Indexer(model, options: options).update("shards/shard-0-of-4", with: "Pictures")
/// ```
public struct IndexShard: Sendable, Hashable, CustomStringConvertible {
    /// The largest number of shards.
    public static let limit = 100_000

    /// The number of this shard, from 0.
    public let number: Int
    /// The number of all shards.
    public let count: Int

    /// Creates a shard; nil unless `number` is from 0 to `count - 1` and `count` at most ``limit``.
    ///
    /// - Parameters:
    ///   - number: The number of the shard, from 0.
    ///   - count: The number of all shards.
    public init?(_ number: Int, of count: Int) {
        guard (1...Self.limit).contains(count), (0..<count).contains(number) else { return nil }
        self.number = number
        self.count = count
    }

    /// Parses a text such as `0/4`, the first of four shards; nil for any other text.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int(parts[0]), let count = Int(parts[1]) else {
            return nil
        }
        self.init(number, of: count)
        // Neither signs nor leading zeros.
        if description != text { return nil }
    }

    /// The shard in the form that ``init(_:)`` parses.
    public var description: String { "\(number)/\(count)" }

    /// Returns whether an image belongs to this shard.
    ///
    /// The first eight bytes of the SHA-256 of the image's path from the folder, as a big-endian
    /// number, modulo ``count`` give the number of its shard.
    ///
    /// - Parameters:
    ///   - path: The path of the image.
    ///   - folder: The folder whose images are divided; the path of the image itself if it is
    ///     indexed without a folder.
    public func contains(_ path: FilePath, in folder: FilePath) -> Bool {
        var rest = path
        if !rest.removePrefix(folder) || rest.isEmpty {
            rest = FilePath(root: nil, path.components.suffix(1))
        }
        return ContentDigest(of: rest.bytes).firstWord % UInt64(count) == UInt64(number)
    }

    /// Returns the index of this shard in a folder of shards: `shard-0-of-4` for the first of four.
    ///
    /// - Throws: ``IndexError`` if the folder is an index itself, or has shards of another division.
    public func place(in folder: FilePath) throws -> FilePath {
        if IndexManifest.exists(in: folder) {
            throw IndexError.shardsInIndex(folder)
        }
        let others = Self.shards(in: folder).first { $0.shard.count != count }
        if let others { throw IndexError.otherDivision(folder, others.shard, self) }
        return folder.appending(name)
    }

    private var name: String { "shard-\(number)-of-\(count)" }

    /// Returns the indexes of shards in a folder, in the order of their numbers, by their names.
    static func shards(in folder: FilePath) -> [(path: FilePath, shard: IndexShard)] {
        let names = (try? FolderListing(folder).items.map(\.name.string)) ?? []
        return names.compactMap { name in
            let parts = name.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 4, let number = Int(parts[1]), let count = Int(parts[3]),
                let shard = IndexShard(number, of: count), shard.name == name
            else { return nil }
            return (folder.appending(name), shard)
        }.sorted { ($0.shard.count, $0.shard.number) < ($1.shard.count, $1.shard.number) }
    }
}

extension IndexManifest {
    /// The part of a gallery that an index is made of.
    struct Shard: Codable, Sendable, Equatable {
        /// The number of the shard, from 0.
        var number: Int
        /// The number of all shards.
        var count: Int
        /// Whether an update has encoded every image of the shard.
        var isFinished = false

        enum CodingKeys: String, CodingKey {
            case number, count
            case isFinished = "finished"
        }

        init(_ shard: IndexShard) {
            number = shard.number
            count = shard.count
        }

        /// The shard; nil if the numbers are impossible.
        var shard: IndexShard? { IndexShard(number, of: count) }
    }

    /// Checks that an index may be filled with the images of a shard, or of no shard.
    ///
    /// - Throws: ``IndexError`` if it holds another part.
    func check(_ shard: IndexShard?, in directory: FilePath) throws {
        guard self.shard?.shard != shard else { return }
        throw IndexError.otherShard(directory, self.shard?.shard, shard)
    }
}
