public import ALBEF
import Foundation
public import SystemPackage
public import Torch

/// A gallery encoded once: a feature and the image tokens of every picture, on disk.
///
/// Opening takes a snapshot: a writer may add, remove and compact meanwhile, this value keeps what
/// it saw. Nothing is read before it is used, so an index of any size opens at once.
public struct ForwardIndex: Sendable {
    /// Where the index is.
    public let directory: FilePath
    let manifest: IndexManifest
    let segments: [IndexSegment]
    let graph: LazyGraph?

    /// Names one entry of a snapshot.
    public struct EntryID: Sendable, Hashable {
        let segment: Int
        let row: Int
    }

    /// Opens an index for reading.
    ///
    /// - Throws: ``IndexError`` if there is no index, or it is damaged or of a newer format.
    public init(_ directory: FilePath) throws {
        var manifest = try IndexManifest(directory: directory)
        while true {
            do {
                try self.init(directory, manifest: manifest)
                return
            } catch {
                // A writer may have compacted the index since the manifest was read.
                let current = try IndexManifest(directory: directory)
                guard current.generation != manifest.generation else { throw error }
                manifest = current
            }
        }
    }

    init(_ directory: FilePath, manifest: IndexManifest) throws {
        self.directory = directory
        self.manifest = manifest
        segments = try manifest.segments.map {
            try IndexSegment($0, manifest: manifest, directory: directory)
        }
        graph = manifest.graph.map {
            LazyGraph($0, directory: directory, width: manifest.model.embeddingWidth)
        }
    }

    /// The index as it is now, if something was committed since this snapshot was taken; nil if not.
    ///
    /// A look costs one small file, whatever the size of the index.
    ///
    /// - Throws: ``IndexError`` as ``init(_:)`` does.
    public func refreshed() throws -> ForwardIndex? {
        let current = try IndexManifest(directory: directory)
        return current == manifest ? nil : try ForwardIndex(directory)
    }

    /// Number of pictures that can be found.
    public var count: Int { segments.reduce(0) { $0 + $1.count - $1.removed.count } }

    /// Grows with every commit: equal generations of a directory hold the same entries.
    public var generation: Int { manifest.generation }

    /// What the entries are.
    public var content: IndexContent { manifest.content }

    /// What is kept of every picture's tokens.
    public var budget: TokenBudget { manifest.tokens }

    /// Every entry that can be found, in the order of their commits.
    public var ids: [EntryID] {
        segments.enumerated().flatMap { position, segment in
            (0..<segment.count).lazy.filter { !segment.removed.contains($0) }.map {
                EntryID(segment: position, row: $0)
            }
        }
    }

    /// What the index knows about a picture.
    ///
    /// - Throws: ``IndexError`` if its bytes are damaged.
    public func entry(_ id: EntryID) throws -> IndexEntry {
        try segments[id.segment].entry(id.row)
    }

    /// The features `[N, E]` of entries.
    public func features(_ ids: [EntryID]) throws -> Tensor {
        Tensor.stacked(try ids.map { try segments[$0.segment].feature($0.row) })
    }

    /// The image tokens of entries, in single precision; nil if the index keeps none.
    public func tokens(_ ids: [EntryID]) -> ImageTokens? {
        PackedTokens.concatenated(packedTokens(ids))?.unpacked
    }

    /// The tokens of entries as they are kept, `[1, n, D_v]` each.
    func packedTokens(_ ids: [EntryID]) -> [PackedTokens] {
        ids.compactMap { segments[$0.segment].tokens($0.row) }
    }

    /// Checks that the index was made with a model.
    ///
    /// - Throws: ``IndexError`` that says what differs.
    func check(_ model: ModelSignature) throws {
        let own = manifest.model
        if own.imageSize != model.imageSize {
            throw IndexError.otherModel(
                directory, "its images are \(own.imageSize) pixels, this model's \(model.imageSize)"
            )
        }
        guard own == model else {
            throw IndexError.otherModel(
                directory,
                "weights \(own.fingerprint.prefix(12)), this model's \(model.fingerprint.prefix(12))"
            )
        }
    }
}
