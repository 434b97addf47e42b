public import ALBEF
public import SystemPackage
import Torch

/// Images that are added, replaced and removed in one commit.
public struct IndexChange: Sendable {
    /// Images that are new, or take the place of the entries with their paths.
    public var entries: [IndexEntry] = []
    /// What the image encoder made of them, in their order; nil where there are no entries.
    public var encoded: EncodedImages?
    /// Paths whose entries are removed.
    public var removed: [FilePath] = []
    /// What a new index keeps of tokens; nil for what an existing index keeps, or all.
    public var budget: TokenBudget?
    /// What made the vectors, where the index may have changed to another model since; nil for the
    /// model that the change is applied with.
    package var model: ModelSignature?
    /// The vectors of `entries` as an index keeps them, instead of `encoded`.
    var packed: PackedVectors?
    /// What the entries are.
    var content = IndexContent.images

    /// Changes nothing yet.
    public init() {}
}

/// Vectors of N entries in the form that an index keeps.
struct PackedVectors {
    /// Unit-length features `[N, E]`, single precision, in main memory.
    let features: Tensor
    /// The tokens of N entries, in parts; empty where the index keeps none.
    let tokens: [PackedTokens]
    /// What the tokens were packed by.
    let budget: TokenBudget
}

extension ForwardIndex {
    /// Makes a change visible and durable, wholly or not at all.
    ///
    /// The index is locked for the commit alone. The entries that are replaced or removed are looked
    /// up under the lock, so others may commit between reading the index and applying a change.
    /// When this returns, a loss of power does not undo it. Many small commits leave many small
    /// files; ``tidy(_:)`` joins them, between commits.
    ///
    /// - Parameters:
    ///   - change: what to do.
    ///   - directory: the index.
    ///   - model: what made the vectors.
    ///   - locator: finds the entries that are replaced or removed.
    ///   - creates: whether to create the index if it does not exist; true by default.
    ///   - older: an earlier snapshot of the index: what both have is not opened again.
    /// - Returns: of the paths to remove, those that were there.
    /// - Throws: ``IndexError`` if the index was made with another model, is missing, or another
    ///   process writes to it; an error of the file system. The index is then as it was.
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
            creates: creates)
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
        // A new index gets its manifest even so.
        if rows == nil, old.isEmpty, writer.manifest.generation > 0 { return removed }
        try writer.commit(rows, removing: old)
        return removed
    }
}

extension IndexChange {
    /// The new rows in the form of an index; nil if there are none.
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
