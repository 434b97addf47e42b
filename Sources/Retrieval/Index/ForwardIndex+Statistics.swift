import WeightFiles
import Storage
import Foundation
public import SystemPackage
import Torch

/// What an index consists of.
public struct IndexStatistics: Sendable, Hashable {
    /// What the entries are.
    public internal(set) var content = IndexContent.images
    /// Images, or texts, that can be found.
    public internal(set) var images = 0
    /// Rows that were deleted or replaced and still take space.
    public internal(set) var removed = 0
    /// Files that hold them.
    public internal(set) var segments = 0
    /// Grows with every commit.
    public internal(set) var generation = 0
    /// Bytes of all segments.
    public internal(set) var byteCount = 0
    /// Bytes of one image's tokens.
    public internal(set) var tokenByteCount = 0
    /// Rows that the graph of approximate recall knows; nil without one.
    public internal(set) var graphRows: Int?
    /// What is kept of tokens.
    public internal(set) var budget = TokenBudget()
    /// Tokens the image encoder makes of an image, `[CLS]` included.
    public internal(set) var tokenCount = 0
    /// Side of the encoded images in pixels; of two models, for the one that re-ranks.
    public internal(set) var imageSize = 0
    /// Length of a feature.
    public internal(set) var embeddingWidth = 0
    /// Digest of the model's weights; of two models, of the one that re-ranks.
    public internal(set) var model = ""
    /// What people call the model, or both; nil in indexes of earlier versions.
    public internal(set) var modelName: String?
    /// The model that the features are of, where it is another than that of the tokens.
    public internal(set) var recall: ModelSignature.Recall?
}

/// Something in an index that is not as it was written.
public struct IndexDamage: Sendable, Hashable {
    /// The file.
    public let file: FilePath
    /// What is wrong with it, in one line.
    public let reason: String
}

extension ForwardIndex {
    /// What the index consists of.
    public var statistics: IndexStatistics {
        var result = IndexStatistics()
        let model = manifest.model
        result.content = manifest.content
        result.images = count
        result.removed = segments.reduce(0) { $0 + $1.removed.count }
        result.segments = segments.count
        result.generation = manifest.generation
        result.byteCount = manifest.segments.reduce(0) { $0 + $1.byteCount }
        result.tokenByteCount = manifest.tokens.byteCount(
            available: model.tokenCount, width: model.tokenWidth)
        result.graphRows = manifest.graph.map { $0.parts.reduce(0) { $0 + $1.living } }
        result.budget = manifest.tokens
        result.tokenCount = model.tokenCount
        result.imageSize = model.imageSize
        result.embeddingWidth = model.embeddingWidth
        result.model = model.fingerprint
        result.modelName = model.source.map { _ in model.title }
        result.recall = model.recall
        return result
    }

    /// Reads every byte of an index and compares it with its checksum, then the parts with each
    /// other.
    ///
    /// Segments that cannot be opened are reported too, so the index need not open. Others may write
    /// to it meanwhile: what is verified is the index as it was at the start.
    ///
    /// - Parameters:
    ///   - directory: the index.
    ///   - onProgress: called with the segments done and in all; throws to stop.
    /// - Returns: what is damaged; nothing if the index is whole.
    /// - Throws: ``IndexError`` if there is no manifest that can be read; what `onProgress` throws.
    public static func verify(
        _ directory: FilePath, onProgress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> [IndexDamage] {
        let damage = try IndexManifest(directory: directory)
            .damage(in: directory, onProgress: onProgress)
        if damage.all.isEmpty { return [] }
        // A writer may have compacted the index meanwhile, and deleted what it had replaced.
        return damage.all(namedBy: try IndexManifest(directory: directory))
    }
}

extension IndexManifest {
    /// What is damaged, by what the manifest names.
    struct Damage {
        /// By the name of the segment.
        var segments: [String: IndexDamage] = [:]
        var graph: IndexDamage?

        /// In the order of the files' names.
        var all: [IndexDamage] {
            segments.sorted { $0.key < $1.key }.map(\.value) + (graph.map { [$0] } ?? [])
        }

        /// That of files which a later manifest still names, in the order of the files' names.
        func all(namedBy later: IndexManifest) -> [IndexDamage] {
            let names = Set(later.segments.map(\.name))
            var rest = self
            rest.segments = segments.filter { names.contains($0.key) }
            if graph?.file.stem != later.graph?.name { rest.graph = nil }
            return rest.all
        }
    }

    /// Reads every byte that the manifest names; see ``ForwardIndex/verify(_:onProgress:)``.
    func damage(
        in directory: FilePath, onProgress: (Int, Int) throws -> Void
    ) throws -> Damage {
        var damage = Damage()
        for (position, record) in segments.enumerated() {
            try onProgress(position, segments.count)
            if let reason = try fault(of: record, in: directory) {
                damage.segments[record.name] = IndexDamage(
                    file: IndexSegment.path(record.name, in: directory), reason: reason)
            }
        }
        if let graph {
            let path = GraphFile.path(graph.name, in: directory)
            if (try? MappedFile(path).sha256) != graph.sha256 {
                damage.graph = IndexDamage(
                    file: path,
                    reason: "is not the graph that was written; 'albef index graph' makes it anew")
            }
        }
        try onProgress(segments.count, segments.count)
        return damage
    }

    private func fault(of record: Segment, in directory: FilePath) throws -> String? {
        let path = IndexSegment.path(record.name, in: directory)
        do {
            guard try MappedFile(path).sha256 == record.sha256 else {
                return "its bytes are not those that were written"
            }
            return try IndexSegment(record, manifest: self, directory: directory).inconsistency()
        } catch let error as IndexError {
            return error.reason
        } catch let error as FileError {
            return error.reason
        }
    }
}

extension IndexSegment {
    /// What contradicts itself; nil if nothing does.
    fileprivate func inconsistency() throws -> String? {
        let features = try Tensor(features)
        let lengths: [Float] = (features * features).sum(1).values()
        if let row = lengths.firstIndex(where: { !(abs($0 - 1) < 1e-3) }) {
            return "the feature of row \(row) does not have unit length"
        }
        for row in 0..<count {
            let entry = try entry(row)
            guard try digest(row) == ContentDigest(hexadecimal: entry.sha256) else {
                return "row \(row) has two digests"
            }
        }
        return nil
    }
}
