public import SystemPackage
public import Torch

/// A gallery encoded once: a feature and the image tokens of every picture, on disk.
///
/// Opening takes a snapshot: a writer may add and remove entries meanwhile, this value keeps
/// what it saw.
public struct ForwardIndex: Sendable {
    /// Where the index is.
    public let directory: FilePath
    let manifest: IndexManifest
    let segments: [IndexSegment]

    /// Names one entry of a snapshot.
    public struct EntryID: Sendable, Hashable {
        let segment: Int
        let row: Int
    }

    /// Opens an index for reading.
    ///
    /// - Throws: ``IndexError`` if there is no index, or it is damaged or of a newer format.
    public init(_ directory: FilePath) throws {
        try self.init(directory, manifest: IndexManifest(directory: directory))
    }

    init(_ directory: FilePath, manifest: IndexManifest) throws {
        self.directory = directory
        self.manifest = manifest
        segments = try manifest.segments.map {
            try IndexSegment($0, model: manifest.model, directory: directory)
        }
    }

    /// Number of pictures that can be found.
    public var count: Int { segments.reduce(0) { $0 + $1.entries.count - $1.removed.count } }

    /// Every entry that can be found, in the order of their commits.
    public var entries: [(id: EntryID, entry: IndexEntry)] {
        segments.enumerated().flatMap { position, segment in
            segment.entries.enumerated().filter { !segment.removed.contains($0.offset) }.map {
                (EntryID(segment: position, row: $0.offset), $0.element)
            }
        }
    }

    /// What the index knows about a picture.
    public func entry(_ id: EntryID) -> IndexEntry { segments[id.segment].entries[id.row] }

    /// The features `[N, E]` of entries.
    public func features(_ ids: [EntryID]) -> Tensor {
        Tensor.stacked(ids.map { segments[$0.segment].features[$0.row] })
    }

    /// The image tokens `[N, P + 1, D_v]` of entries, in single precision.
    public func tokens(_ ids: [EntryID]) -> Tensor {
        Tensor.stacked(ids.map { segments[$0.segment].tokens[$0.row] }).to(.float32)
    }

    /// Checks that the index was made with a model.
    ///
    /// - Throws: ``IndexError`` that says what differs.
    func check(_ model: IndexManifest.Model) throws {
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
