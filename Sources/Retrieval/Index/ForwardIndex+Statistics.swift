import Foundation
import Storage
public import SystemPackage
import Torch
import WeightFiles

/// The contents and the size of an index.
public struct IndexStatistics: Sendable, Hashable {
    /// The kind of the entries.
    public internal(set) var content = IndexContent.images
    /// The part of a gallery that the index holds; nil for all of it.
    public internal(set) var shard: IndexShard?
    /// Whether an update has encoded every image of the shard; true without a shard.
    public internal(set) var isFinished = true
    /// The number of images, or texts, that searches can find.
    public internal(set) var images = 0
    /// The number of removed or replaced rows that still take space.
    public internal(set) var removed = 0
    /// The number of files with rows.
    public internal(set) var segments = 0
    /// A number that increases with every commit.
    public internal(set) var generation = 0
    /// The size of all segments in bytes.
    public internal(set) var byteCount = 0
    /// The size of one image's tokens in bytes.
    public internal(set) var tokenByteCount = 0
    /// The number of rows in the graph for approximate recall; nil without a graph.
    public internal(set) var graphRows: Int?
    /// The tokens that the index stores.
    public internal(set) var budget = TokenBudget()
    /// The number of tokens that the image encoder computes per image, `[CLS]` included.
    public internal(set) var tokenCount = 0
    /// The side of the encoded images in pixels; with two models, for the one that re-ranks.
    public internal(set) var imageSize = 0
    /// The length of a feature.
    public internal(set) var embeddingWidth = 0
    /// The digest of the model's weights; with two models, of the one that re-ranks.
    public internal(set) var model = ""
    /// The name of the model, or of both; nil in indexes of earlier versions.
    public internal(set) var modelName: String?
    /// The model that computes the features, if it differs from the model of the tokens.
    public internal(set) var recall: ModelSignature.Recall?
}

/// A file of an index that differs from what was written.
public struct IndexDamage: Sendable, Hashable {
    /// The path of the file.
    public let file: FilePath
    /// A description of the problem in one line.
    public let reason: String
}

extension ForwardIndex {
    /// The contents and the size of the index.
    public var statistics: IndexStatistics {
        var result = IndexStatistics()
        let model = manifest.model
        result.content = manifest.content
        result.shard = manifest.shard?.shard
        result.isFinished = manifest.shard?.isFinished ?? true
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

    /// Reads every byte of an index, compares it with its checksum, and checks the parts against
    /// each other.
    ///
    /// Segments that cannot be opened are reported too, so an index that cannot be opened can still
    /// be verified. Other processes may write to it meanwhile; this method verifies the state at
    /// the start.
    ///
    /// - Parameters:
    ///   - directory: The index.
    ///   - onProgress: Called with the number of segments done and the total; it may throw to stop.
    /// - Returns: The damaged files; empty if the index is intact.
    /// - Throws: ``IndexError`` if there is no readable manifest; the errors of `onProgress`.
    /// - Complexity: O(bytes of the index).
    public static func verify(
        _ directory: FilePath, onProgress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> [IndexDamage] {
        let damage = try IndexManifest(directory: directory)
            .damage(in: directory, onProgress: onProgress)
        if damage.all.isEmpty { return [] }
        // A writer may have compacted the index meanwhile and deleted the replaced files.
        return damage.all(namedBy: try IndexManifest(directory: directory))
    }
}

extension IndexManifest {
    /// The damaged files of a manifest.
    struct Damage {
        /// The damaged segments by their names.
        var segments: [String: IndexDamage] = [:]
        var graph: IndexDamage?

        /// All damage, sorted by the names of the files.
        var all: [IndexDamage] {
            segments.sorted { $0.key < $1.key }.map(\.value) + (graph.map { [$0] } ?? [])
        }

        /// Returns the damage to files that a later manifest still names, sorted by their names.
        func all(namedBy later: IndexManifest) -> [IndexDamage] {
            let names = Set(later.segments.map(\.name))
            var rest = self
            rest.segments = segments.filter { names.contains($0.key) }
            if graph?.file.stem != later.graph?.name { rest.graph = nil }
            return rest.all
        }
    }

    /// Reads every file that the manifest names; see ``ForwardIndex/verify(_:onProgress:)``.
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
                    reason: "is not the graph that was written; build it again with 'albef index"
                        + " graph'")
            }
        }
        try onProgress(segments.count, segments.count)
        return damage
    }

    private func fault(of record: Segment, in directory: FilePath) throws -> String? {
        let path = IndexSegment.path(record.name, in: directory)
        do {
            guard try MappedFile(path).sha256 == record.sha256 else {
                return "its checksum differs from the one in the manifest"
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
    /// Returns the first contradiction within the segment, or nil if there is none.
    fileprivate func inconsistency() throws -> String? {
        let features = try Tensor(features)
        let lengths: [Float] = (features * features).sum(1).values()
        if let row = lengths.firstIndex(where: { !(abs($0 - 1) < 1e-3) }) {
            return "the feature of row \(row) does not have unit length"
        }
        let columns = try storedColumns()
        var prefixes: [UInt64] = []
        for row in 0..<count {
            let entry = try entry(row)
            guard try digest(row) == ContentDigest(hexadecimal: entry.sha256) else {
                return "row \(row) has two different digests"
            }
            if keys != nil { prefixes.append(EntryKey(entry.path).prefix) }
            if let name = try columns?.contradiction(to: entry, row, in: self) {
                return "row \(row) has two different values of '\(name.prefix(80))'"
            }
        }
        if let keys, !keys.isIdentical(to: KeyTable(prefixes)) {
            return "its keys are not those of its entries"
        }
        return nil
    }
}
