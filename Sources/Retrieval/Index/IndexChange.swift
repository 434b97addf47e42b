public import ALBEF
public import SystemPackage
import Torch

/// Single pictures that are added, replaced and removed in one commit.
public struct IndexChange: Sendable {
    /// Pictures that are new, or take the place of the entries with their paths.
    public var entries: [IndexEntry] = []
    /// What the image encoder made of them, in their order; nil for none.
    public var encoded: EncodedImages?
    /// Paths whose entries are removed.
    public var removed: [FilePath] = []

    /// Changes nothing yet.
    public init() {}
}

extension ForwardIndex {
    /// Makes a change visible and durable, wholly or not at all.
    ///
    /// When this returns, a loss of power does not undo it. Many small commits leave many small
    /// files; ``tidy(_:)`` joins them, between commits.
    ///
    /// - Parameters:
    ///   - change: what to do.
    ///   - directory: the index; created where there is none.
    ///   - model: what made the vectors.
    ///   - locator: finds the entries that are replaced or removed.
    /// - Returns: of the paths to remove, those that were there.
    /// - Throws: ``IndexError`` if the index was made with another model or another process writes to
    ///   it; an error of the file system. The index is then as it was.
    public static func apply(
        _ change: IndexChange, to directory: FilePath, model: ModelSignature,
        locator: EntryLocator
    ) throws -> Set<FilePath> {
        let writer = try IndexWriter(directory, model: model)
        let snapshot = try ForwardIndex(directory, manifest: writer.manifest)
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
        var rows: SegmentWriter.Rows?
        if !change.entries.isEmpty {
            let count = change.entries.count
            guard let encoded = change.encoded, encoded.features.size(0) == count else {
                throw IndexError.vectors(
                    directory, change.encoded.map { "features \($0.features.shape)" } ?? "none",
                    count)
            }
            rows = .init(
                entries: change.entries, features: encoded.features.to(.cpu).to(.float32),
                tokens: PackedTokens(encoded.tokens, budget: snapshot.budget))
        }
        // A new index gets its manifest even so.
        if rows == nil, old.isEmpty, writer.manifest.generation > 0 { return removed }
        try writer.commit(rows, removing: old)
        return removed
    }
}
