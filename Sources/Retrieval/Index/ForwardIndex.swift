public import ALBEF
import Foundation
public import SystemPackage
public import Torch

/// An index of images on disk, with a feature and the image tokens of each.
///
/// Opening an index takes a snapshot: writers may add, remove and compact meanwhile, and this value
/// keeps its state. Data is read only on use, so an index of any size opens at once.
///
/// ```swift
/// let index = try ForwardIndex("photos.index")
/// for id in try index.ids(skipping: 0, count: 10) {
///     print(try index.entry(id).path)
/// }
/// ```
public struct ForwardIndex: Sendable {
    /// The directory of the index.
    public let directory: FilePath
    let manifest: IndexManifest
    let segments: [IndexSegment]
    let graph: LazyGraph?
    /// The rows of the graph's labels; nil without a graph, or if it does not fit.
    let graphRows: GraphRows?

    /// Identifies one entry of a snapshot.
    public struct EntryID: Sendable, Hashable {
        let segment: Int
        let row: Int
    }

    /// Opens an index for reading.
    ///
    /// - Throws: ``IndexError`` if there is no index, or it is damaged or has a newer format.
    /// - Complexity: O(s) for s segments, whatever their size.
    public init(_ directory: FilePath) throws {
        self = try Self.open(directory, try IndexManifest(directory: directory), reusing: nil)
    }

    /// Returns the model that made an index, without opening its segments.
    ///
    /// - Throws: ``IndexError`` if there is no index, or its manifest is damaged or has a newer
    ///   format.
    public static func model(of directory: FilePath) throws -> ModelSignature {
        try IndexManifest(directory: directory).model
    }

    private static func open(
        _ directory: FilePath, _ manifest: IndexManifest, reusing older: ForwardIndex?
    ) throws -> ForwardIndex {
        var manifest = manifest
        while true {
            let opened = Result {
                try ForwardIndex(directory, manifest: manifest, reusing: older)
            }
            if case .success(let index) = opened, index.graphFault == nil { return index }
            // A writer may have compacted the index since the manifest was read.
            let current = try IndexManifest(directory: directory)
            guard current.generation != manifest.generation else { return try opened.get() }
            manifest = current
        }
    }

    /// Opens the files that a manifest names.
    ///
    /// - Parameters:
    ///   - directory: The index.
    ///   - manifest: The manifest of the index.
    ///   - older: An earlier snapshot of the same directory, whose open files and cached data are
    ///     reused.
    init(
        _ directory: FilePath, manifest: IndexManifest, reusing older: ForwardIndex? = nil
    ) throws {
        self.directory = directory
        self.manifest = manifest
        let isAlike =
            older?.manifest.model.isSame(as: manifest.model) == true
            && older?.manifest.tokens == manifest.tokens
        let known = Dictionary(
            (isAlike ? older?.segments ?? [] : []).map { ($0.record.name, $0) },
            uniquingKeysWith: { first, _ in first })
        let segments = try manifest.segments.map { record in
            try known[record.name]?.reused(for: record)
                ?? IndexSegment(record, manifest: manifest, directory: directory)
        }
        self.segments = segments
        let width = manifest.model.embeddingWidth
        graph = manifest.graph.map { record in
            if let known = older?.graph, known.fault == nil, known.isSame(as: record, width: width)
            {
                return known
            }
            return LazyGraph(record, directory: directory, width: width)
        }
        graphRows = manifest.graph.flatMap { GraphRows($0, segments) }
    }

    /// Returns the current state of the index if anything was committed since this snapshot,
    /// otherwise nil.
    ///
    /// Data that both states share is not read again. If nothing was committed, this method reads
    /// only one small file.
    ///
    /// - Throws: The errors of ``init(_:)``.
    /// - Complexity: O(s) for s segments, of which only new ones are opened.
    public func refreshed() throws -> ForwardIndex? {
        let current = try IndexManifest(directory: directory)
        return current == manifest
            ? nil : try Self.open(directory, current, reusing: self)
    }

    /// The number of entries that searches can find.
    public var count: Int { segments.reduce(0) { $0 + $1.count - $1.removed.count } }

    /// A number that increases with every commit; a directory has the same entries at equal
    /// generations.
    public var generation: Int { manifest.generation }

    /// The model that made the vectors.
    public var model: ModelSignature { manifest.model }

    /// The part of a gallery that the index holds; nil for all of it, also if it was merged.
    public var shard: IndexShard? { manifest.shard?.shard }

    /// The kind of the entries.
    public var content: IndexContent { manifest.content }

    /// The tokens that the index stores for every image.
    public var budget: TokenBudget { manifest.tokens }

    /// Every entry that searches can find, in the order of the commits.
    public var ids: [EntryID] {
        segments.enumerated().flatMap { position, segment in
            (0..<segment.count).lazy.filter { !segment.removed.contains($0) }.map {
                EntryID(segment: position, row: $0)
            }
        }
    }

    /// Returns some of the entries that searches can find, in the order of the commits.
    ///
    /// - Parameters:
    ///   - skipped: The number of entries to skip.
    ///   - count: The maximum number of entries to return.
    /// - Complexity: O(s + count) for s segments, plus the removed rows that are passed over.
    public func ids(skipping skipped: Int, count: Int) -> [EntryID] {
        var (skipped, found) = (max(0, skipped), [EntryID]())
        for (position, segment) in segments.enumerated() where found.count < count {
            let living = segment.count - segment.removed.count
            guard skipped < living else {
                skipped -= living
                continue
            }
            found += segment.livingRows(skipping: skipped, count: count - found.count).map {
                EntryID(segment: position, row: $0)
            }
            skipped = 0
        }
        return found
    }

    /// Returns the entry with an id.
    ///
    /// - Throws: ``IndexError`` if its bytes are damaged, or it is not an entry of this snapshot.
    public func entry(_ id: EntryID) throws -> IndexEntry {
        try segment(of: id).entry(id.row)
    }

    /// Returns the features `[N, E]` of N entries.
    ///
    /// - Throws: ``IndexError`` if one of them is not an entry of this snapshot.
    public func features(_ ids: [EntryID]) throws -> Tensor {
        if ids.isEmpty { return .zeros([0, manifest.model.embeddingWidth]) }
        return Tensor.stacked(try ids.map { try segment(of: $0).feature($0.row) })
    }

    /// Returns the image tokens of entries, or nil if the index stores none or one of them is not an
    /// entry of this snapshot.
    ///
    /// - Parameters:
    ///   - ids: The entries.
    ///   - type: The type of the numbers. Default: single precision.
    public func tokens(_ ids: [EntryID], as type: ComputeType = .float32) -> ImageTokens? {
        let packed = packedTokens(ids)
        guard packed.count == ids.count else { return nil }
        return PackedTokens.concatenated(packed)?.unpacked(as: type)
    }

    /// Returns the stored tokens `[1, n, D_v]` of each entry that belongs to this snapshot.
    func packedTokens(_ ids: [EntryID]) -> [PackedTokens] {
        ids.compactMap { id in (try? segment(of: id))?.tokens(id.row) }
    }

    /// Returns the segment of an entry.
    ///
    /// - Throws: ``IndexError`` if the entry belongs to another snapshot.
    private func segment(of id: EntryID) throws -> IndexSegment {
        guard segments.indices.contains(id.segment), segments[id.segment].count > id.row,
            id.row >= 0
        else { throw IndexError.stale(directory) }
        return segments[id.segment]
    }

    /// Checks that the index was made with a model.
    ///
    /// - Throws: ``IndexError`` that describes the difference.
    func check(_ model: ModelSignature) throws { try manifest.check(model, in: directory) }
}
