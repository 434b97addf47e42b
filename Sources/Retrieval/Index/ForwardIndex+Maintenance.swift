import Foundation
public import SystemPackage
public import Torch

extension ForwardIndex {
    /// Adds images whose vectors are there already, in one commit.
    ///
    /// - Parameters:
    ///   - entries: what is known of N images.
    ///   - features: unit-length features `[N, E]`.
    ///   - tokens: all tokens of each, `[N, P + 1, D_v]`; may be nil where none are kept.
    ///   - directory: the index; created if it does not exist.
    ///   - model: what made the vectors.
    ///   - budget: what to keep of tokens in a new index; nil for what an old one keeps, or all.
    /// - Throws: ``IndexError`` if the vectors do not fit, the index was made with another model, or
    ///   another process writes to it; an error of the file system.
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

    /// Removes entries from an index; their space is freed by ``compact(_:segmentByteCount:onProgress:)``.
    ///
    /// - Parameters:
    ///   - directory: the index.
    ///   - paths: images, or folders of images, absolute; empty for all.
    ///   - filters: conditions on metadata that an entry has to fulfil to be removed.
    /// - Returns: how many entries were removed.
    /// - Throws: ``IndexError`` if there is no index, it is damaged, or another process writes to it.
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
        let removed = try snapshot.ids.filter { id in
            let entry = try snapshot.entry(id)
            return (roots.isEmpty || isInside(entry.path))
                && filters.allSatisfy { $0(entry) }
        }
        if !removed.isEmpty { try writer.commit(nil, removing: removed) }
        return removed.count
    }

    /// Rewrites an index without what was removed and in few files.
    ///
    /// It can be searched meanwhile. A kill or an error loses nothing: what was rewritten by then
    /// stays so. A graph is kept.
    ///
    /// - Complexity: rewrites the whole index if every segment has removed rows; see ``tidy(_:)``
    ///   for a bounded step.
    ///
    /// - Parameters:
    ///   - directory: the index.
    ///   - segmentByteCount: about how large a file may become; default 1 GiB, which is also about
    ///     the disk space that is needed besides.
    ///   - onProgress: called with the files done and in all; throws to stop.
    /// - Throws: ``IndexError`` if there is no index, it is damaged, or another process writes to
    ///   it; an error of the file system.
    public static func compact(
        _ directory: FilePath, segmentByteCount: Int = 1 << 30,
        onProgress: (Int, Int) throws -> Void = { _, _ in }
    ) throws {
        try IndexWriter(directory, model: nil)
            .compact(segmentByteCount: segmentByteCount, onProgress: onProgress)
    }

    /// Takes one bounded step towards fewer files and less removed space.
    ///
    /// Joins a run of small segments that follow one another, or rewrites one segment most of whose
    /// rows were removed. For whoever commits often, between commits: nothing depends on it, and a
    /// step that fails leaves the index as it was. A graph is kept.
    ///
    /// - Returns: whether there may be more to do.
    /// - Throws: ``IndexError`` if there is no index, it is damaged, or another process writes to
    ///   it; an error of the file system.
    /// - Complexity: reads and writes about 64 MB at most.
    public static func tidy(_ directory: FilePath) throws -> Bool {
        try IndexWriter(directory, model: nil).tidy()
    }

    /// Makes a graph of all entries, for approximate recall.
    ///
    /// Worth it from about a million images on. Entries that are added later are compared one by
    /// one until the graph is made again. What was written is flushed to the disk and read back
    /// before it takes the place of an earlier graph.
    ///
    /// - Parameters:
    ///   - directory: the index.
    ///   - onProgress: called with the entries done and in all; throws to stop.
    /// - Throws: ``IndexError`` if there is no index, it is damaged, or another process writes to
    ///   it; an error of the file system, such as a full disk. The index is then as it was.
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
