import Foundation
public import SystemPackage
public import Torch

extension ForwardIndex {
    /// Adds images whose vectors have already been computed, in one commit.
    ///
    /// - Parameters:
    ///   - entries: The entries of N images.
    ///   - features: Unit-length features `[N, E]`.
    ///   - tokens: All tokens of each image, `[N, P + 1, D_v]`; nil is valid if the index stores
    ///     none.
    ///   - directory: The index, which is created if it does not exist.
    ///   - model: The model that made the vectors.
    ///   - budget: The tokens that a new index stores; nil for what an existing index stores, or
    ///     all tokens.
    /// - Throws: ``IndexError`` if the vectors do not fit, the index was made with another model,
    ///   or another process writes to it; an error of the file system.
    /// - Complexity: O(N), whatever the size of the index.
    public static func append(
        _ entries: [IndexEntry], features: Tensor, tokens: Tensor?, to directory: FilePath,
        model: ModelSignature, budget: TokenBudget? = nil
    ) throws {
        let writer = try IndexWriter(directory, model: model, budget: budget)
        let budget = writer.manifest.tokens
        let count = entries.count
        guard features.shape == [count, model.embeddingWidth] else {
            throw IndexError.vectors(directory, "features \(features.shape)", count)
        }
        let shape = [count, model.tokenCount, model.tokenWidth]
        guard tokens.map({ $0.shape == shape }) ?? (budget.count == 0) else {
            throw IndexError.vectors(
                directory, tokens.map { "tokens \($0.shape)" } ?? "no tokens", count)
        }
        try writer.commit(
            .init(
                entries: entries, features: features.to(.cpu).to(.float32),
                tokens: tokens.flatMap { PackedTokens($0, budget: budget) }))
    }

    /// Removes entries from an index; ``compact(_:segmentByteCount:onProgress:)`` frees their
    /// space.
    ///
    /// - Parameters:
    ///   - directory: The index.
    ///   - paths: The absolute paths of images, or of folders that contain images; empty for all.
    ///   - filters: Conditions on metadata that an entry must also fulfil to be removed.
    /// - Returns: The number of removed entries.
    /// - Throws: ``IndexError`` if there is no index, it is damaged, or another process writes to
    ///   it.
    /// - Complexity: O(n) for n entries, of which those that fulfil the conditions are read.
    public static func remove(
        _ directory: FilePath, paths: [FilePath], filters: [MetadataFilter] = []
    ) throws -> Int {
        let writer = try IndexWriter(directory, model: nil)
        let snapshot = try ForwardIndex(directory, manifest: writer.manifest)
        let roots = Set(paths.map { $0.lexicallyNormalized() })
        func isInside(_ path: FilePath) -> Bool {
            var path = path
            repeat { if roots.contains(path) { return true } } while path.removeLastComponent()
            return false
        }
        let fulfilling = try snapshot.ids(where: filters)
        let removed =
            roots.isEmpty
            ? fulfilling : try fulfilling.filter { isInside(try snapshot.entry($0).path) }
        if !removed.isEmpty { try writer.commit(nil, removing: removed) }
        return removed.count
    }

    /// Rewrites an index into few files, without its removed rows.
    ///
    /// The index can be searched meanwhile. If the process is killed or an error occurs, the files
    /// rewritten so far remain valid. A graph is kept.
    ///
    /// - Parameters:
    ///   - directory: The index.
    ///   - segmentByteCount: The approximate maximum size of a file, which is also about the
    ///     additional disk space that is needed. Default: 1 GiB.
    ///   - onProgress: Called with the number of files done and the total; it may throw to stop.
    /// - Throws: ``IndexError`` if there is no index, it is damaged, or another process writes to
    ///   it; an error of the file system.
    /// - Complexity: Rewrites the whole index if every segment has removed rows; ``tidy(_:)`` takes
    ///   a bounded step instead.
    public static func compact(
        _ directory: FilePath, segmentByteCount: Int = 1 << 30,
        onProgress: (Int, Int) throws -> Void = { _, _ in }
    ) throws {
        try IndexWriter(directory, model: nil)
            .compact(segmentByteCount: segmentByteCount, onProgress: onProgress)
    }

    /// Takes one bounded step towards fewer files and less unused space.
    ///
    /// A step joins a run of small consecutive segments, or rewrites one segment from which most
    /// rows were removed. Callers that commit often use it between commits. Nothing depends on it,
    /// and a failed step leaves the index unchanged. A graph is kept.
    ///
    /// - Returns: Whether more steps may be useful.
    /// - Throws: ``IndexError`` if there is no index, it is damaged, or another process writes to
    ///   it; an error of the file system.
    /// - Complexity: Reads and writes at most about 64 MB.
    public static func tidy(_ directory: FilePath) throws -> Bool {
        try IndexWriter(directory, model: nil).tidy()
    }

    /// Builds a graph of all entries, for approximate recall.
    ///
    /// A graph is worthwhile from about a million images on. Entries that are added later are
    /// compared one by one until the graph is built again. The new graph is flushed to disk and
    /// read back before it replaces an earlier one.
    ///
    /// - Parameters:
    ///   - directory: The index.
    ///   - onProgress: Called with the number of entries done and the total; it may throw to stop.
    /// - Throws: ``IndexError`` if there is no index, it is damaged, or another process writes to
    ///   it; an error of the file system, such as a full disk. The index is then unchanged.
    /// - Complexity: O(n log n) for n entries, whose features it holds in memory.
    public static func makeGraph(
        _ directory: FilePath, onProgress: (Int, Int) throws -> Void = { _, _ in }
    ) throws {
        let writer = try IndexWriter(directory, model: nil)
        let snapshot = try ForwardIndex(directory, manifest: writer.manifest)
        var next = writer.manifest
        next.generation += 1
        next.graph = try GraphFile.write(
            snapshot.segments, width: next.model.embeddingWidth,
            name: writer.name(next.generation), in: directory, onProgress: onProgress)
        try writer.publish(next)
        writer.removeStrays()
    }
}
