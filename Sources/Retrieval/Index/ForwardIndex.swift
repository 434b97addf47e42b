public import ALBEF
import Foundation
public import SystemPackage
public import Torch

/// A gallery encoded once: a feature and the image tokens of every image, on disk.
///
/// Opening takes a snapshot: a writer may add, remove and compact meanwhile, this value keeps what
/// it saw. Nothing is read before it is used, so an index of any size opens at once.
public struct ForwardIndex: Sendable {
    /// Where the index is.
    public let directory: FilePath
    let manifest: IndexManifest
    let segments: [IndexSegment]
    let graph: LazyGraph?
    /// The rows that the graph's labels stand for; nil without a graph, or one that does not fit.
    let graphRows: GraphRows?

    /// Names one entry of a snapshot.
    public struct EntryID: Sendable, Hashable {
        let segment: Int
        let row: Int
    }

    /// Opens an index for reading.
    ///
    /// - Throws: ``IndexError`` if there is no index, or it is damaged or of a newer format.
    /// - Complexity: O(s) for s segments, whatever their size.
    public init(_ directory: FilePath) throws {
        self = try Self.open(directory, try IndexManifest(directory: directory), reusing: nil)
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

    /// Opens what a manifest names.
    ///
    /// - Parameter older: an earlier snapshot of the same directory; files that both have are not
    ///   opened again, and what was read from them is kept.
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

    /// The index as it is now, if something was committed since this snapshot was taken; nil if not.
    ///
    /// What both have is not read again. A look that finds nothing costs one small file, whatever
    /// the size of the index.
    ///
    /// - Throws: ``IndexError`` as ``init(_:)`` does.
    /// - Complexity: O(s) for s segments, of which only new ones are opened.
    public func refreshed() throws -> ForwardIndex? {
        let current = try IndexManifest(directory: directory)
        return current == manifest
            ? nil : try Self.open(directory, current, reusing: self)
    }

    /// Number of entries that can be found.
    public var count: Int { segments.reduce(0) { $0 + $1.count - $1.removed.count } }

    /// Grows with every commit: equal generations of a directory hold the same entries.
    public var generation: Int { manifest.generation }

    /// What the vectors were made with.
    public var model: ModelSignature { manifest.model }

    /// What the entries are.
    public var content: IndexContent { manifest.content }

    /// What is kept of every image's tokens.
    public var budget: TokenBudget { manifest.tokens }

    /// Every entry that can be found, in the order of their commits.
    public var ids: [EntryID] {
        segments.enumerated().flatMap { position, segment in
            (0..<segment.count).lazy.filter { !segment.removed.contains($0) }.map {
                EntryID(segment: position, row: $0)
            }
        }
    }

    /// Some of the entries that can be found, in the order of their commits.
    ///
    /// - Parameters:
    ///   - skipped: how many come before.
    ///   - count: how many at most.
    /// - Complexity: O(s + count) for s segments, and the rows of the segments it begins in and
    ///   that have removed rows.
    public func ids(skipping skipped: Int, count: Int) -> [EntryID] {
        var (skipped, found) = (max(0, skipped), [EntryID]())
        for (position, segment) in segments.enumerated() where found.count < count {
            let living = segment.count - segment.removed.count
            guard skipped < living else {
                skipped -= living
                continue
            }
            let rows = 0..<segment.count
            let wanted = count - found.count
            if segment.removed.isEmpty {
                found += rows.dropFirst(skipped).prefix(wanted).map {
                    EntryID(segment: position, row: $0)
                }
            } else {
                let living = rows.lazy.filter { !segment.removed.contains($0) }
                found += living.dropFirst(skipped).prefix(wanted).map {
                    EntryID(segment: position, row: $0)
                }
            }
            skipped = 0
        }
        return found
    }

    /// What the index knows about an entry.
    ///
    /// - Throws: ``IndexError`` if its bytes are damaged, or it is not an entry of this snapshot.
    public func entry(_ id: EntryID) throws -> IndexEntry {
        try segment(of: id).entry(id.row)
    }

    /// The features `[N, E]` of entries.
    ///
    /// - Throws: ``IndexError`` if one is not an entry of this snapshot.
    public func features(_ ids: [EntryID]) throws -> Tensor {
        if ids.isEmpty { return .zeros([0, manifest.model.embeddingWidth]) }
        return Tensor.stacked(try ids.map { try segment(of: $0).feature($0.row) })
    }

    /// The image tokens of entries, in single precision; nil if the index keeps none, or one is not
    /// an entry of this snapshot.
    public func tokens(_ ids: [EntryID]) -> ImageTokens? {
        let packed = packedTokens(ids)
        return packed.count == ids.count ? PackedTokens.concatenated(packed)?.unpacked : nil
    }

    /// The tokens of entries as they are kept, `[1, n, D_v]` each; of entries of this snapshot.
    func packedTokens(_ ids: [EntryID]) -> [PackedTokens] {
        ids.compactMap { id in (try? segment(of: id))?.tokens(id.row) }
    }

    /// - Throws: ``IndexError`` if an entry belongs to another snapshot.
    private func segment(of id: EntryID) throws -> IndexSegment {
        guard segments.indices.contains(id.segment), segments[id.segment].count > id.row,
            id.row >= 0
        else { throw IndexError.stale(directory) }
        return segments[id.segment]
    }

    /// Checks that the index was made with a model.
    ///
    /// - Throws: ``IndexError`` that says what differs.
    func check(_ model: ModelSignature) throws { try manifest.check(model, in: directory) }
}
