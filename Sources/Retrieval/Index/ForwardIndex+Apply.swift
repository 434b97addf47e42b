public import ALBEF
public import SystemPackage
import Torch

/// The entries to add, replace and remove in one commit.
public struct IndexChange: Sendable {
    /// New entries, which replace entries with the same paths.
    public var entries: [IndexEntry] = []
    /// The encoder's output for `entries`, in the same order; nil if there are no entries.
    public var encoded: EncodedImages?
    /// The paths of the entries to remove.
    public var removed: [FilePath] = []
    /// The tokens that a new index stores; nil for what an existing index stores, or all tokens.
    public var budget: TokenBudget?
    /// The model that made the vectors, if the index may have been changed to another model since;
    /// nil for the model that the change is applied with.
    package var model: ModelSignature?
    /// The vectors of `entries` in the form that an index stores, instead of `encoded`.
    var packed: PackedVectors?
    /// The kind of the entries.
    var content = IndexContent.images
    /// The part of a gallery that the index holds; nil for all of it.
    var shard: IndexShard?
    /// Whether every image of the shard is in the index after this change.
    var finishesShard = false

    /// Creates an empty change.
    public init() {}
}

/// The vectors of N entries in the form that an index stores.
struct PackedVectors {
    /// Unit-length features `[N, E]`, in single precision and main memory.
    let features: Tensor
    /// The tokens of N entries, in parts; empty if the index stores none.
    let tokens: [PackedTokens]
    /// The budget by which the tokens were packed.
    let budget: TokenBudget
}

extension ForwardIndex {
    /// Applies a change durably, either completely or not at all.
    ///
    /// The index is locked only for the commit. The entries to replace or remove are looked up
    /// under the lock, so other processes may commit between reading the index and applying a
    /// change. When this method returns, a power failure does not undo the change. Many small
    /// commits leave many small files, which ``tidy(_:)`` joins between commits.
    ///
    /// - Parameters:
    ///   - change: The change to apply.
    ///   - directory: The index.
    ///   - model: The model that made the vectors.
    ///   - locator: Finds the entries to replace or remove.
    ///   - creates: Whether to create the index if it does not exist. Default: true.
    ///   - older: An earlier snapshot of the index, whose open files are reused.
    /// - Returns: The removed paths that the index contained.
    /// - Throws: ``IndexError`` if the index was made with another model, does not exist, or
    ///   another process writes to it; an error of the file system. The index is then unchanged.
    /// - Complexity: O(k log n) for k paths and n entries, once the locator has read their keys.
    public static func apply(
        _ change: IndexChange, to directory: FilePath, model: ModelSignature,
        locator: EntryLocator, creates: Bool = true, reusing older: ForwardIndex? = nil
    ) throws -> Set<FilePath> {
        if let made = change.model, let difference = model.difference(from: made) {
            throw IndexError.otherModel(directory, difference)
        }
        let writer = try IndexWriter(
            directory, model: model, content: change.content, budget: change.budget,
            shard: change.shard, creates: creates)
        let snapshot = try ForwardIndex(directory, manifest: writer.manifest, reusing: older)
        var old: [EntryID] = []
        var removed: Set<FilePath> = []
        for path in Set(change.removed) {
            guard let id = try locator.find(EntryKey(path), in: snapshot) else { continue }
            old.append(id)
            removed.insert(path)
        }
        for path in Set(change.entries.map(\.path)).subtracting(removed) {
            if let id = try locator.find(EntryKey(path), in: snapshot) { old.append(id) }
        }
        let rows = try change.rows(for: snapshot, model)
        let isFinishing = writer.manifest.shard?.isFinished == false && change.finishesShard
        // A new index needs its manifest even if the change is empty.
        if rows == nil, old.isEmpty, !isFinishing, writer.manifest.generation > 0 {
            return removed
        }
        try writer.commit(rows, removing: old, finishing: change.finishesShard)
        return removed
    }
}

extension IndexChange {
    /// Returns the new rows in the form of an index, or nil if there are none.
    ///
    /// - Throws: ``IndexError`` if the vectors do not fit the entries or the index.
    fileprivate func rows(
        for index: ForwardIndex, _ model: ModelSignature
    ) throws -> SegmentWriter.Rows? {
        guard !entries.isEmpty else { return nil }
        let vectors: PackedVectors
        if let packed {
            guard packed.budget == index.budget else {
                throw IndexError.otherBudget(index.directory)
            }
            vectors = packed
        } else if let encoded {
            vectors = PackedVectors(
                features: encoded.features.to(.cpu).to(.float32),
                tokens: PackedTokens(encoded.tokens, budget: index.budget).map { [$0] } ?? [],
                budget: index.budget)
        } else {
            throw IndexError.vectors(index.directory, "no vectors", entries.count)
        }
        guard vectors.features.shape == [entries.count, model.embeddingWidth] else {
            throw IndexError.vectors(
                index.directory, "features \(vectors.features.shape)", entries.count)
        }
        return .init(
            entries: entries, features: vectors.features,
            tokens: .concatenated(vectors.tokens))
    }
}
