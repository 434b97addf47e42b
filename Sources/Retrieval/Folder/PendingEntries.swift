import ALBEF
import Storage
import SystemPackage
import Torch

/// Entries with their vectors, collected for one commit.
struct PendingEntries {
    private let budget: TokenBudget
    private let content: IndexContent
    private var entries: [IndexEntry] = []
    private var features: [Tensor] = []
    private var tokens: [PackedTokens] = []

    /// Creates an empty collection.
    ///
    /// - Parameters:
    ///   - budget: The tokens that the index stores.
    ///   - content: The kind of the entries.
    init(budget: TokenBudget, content: IndexContent = .images) {
        self.budget = budget
        self.content = content
    }

    var count: Int { entries.count }

    /// Adds encoded images.
    mutating func add(_ entries: [IndexEntry], _ encoded: EncodedImages) {
        add(entries, features: encoded.features)
        if let packed = PackedTokens(encoded.tokens, budget: budget) { tokens.append(packed) }
    }

    /// Adds entries without tokens.
    mutating func add(_ entries: [IndexEntry], features: Tensor) {
        self.entries += entries
        self.features.append(features.to(.cpu).to(.float32))
    }

    /// Adds an entry with the vectors of another entry, whose file has the same bytes.
    mutating func add(
        _ entry: IndexEntry, copying source: ForwardIndex.EntryID, of index: ForwardIndex
    ) throws {
        entries.append(entry)
        features.append(try index.features([source]))
        tokens += index.packedTokens([source])
    }

    /// Removes the collected entries and returns the change that commits them, or nil if there are
    /// none.
    mutating func take() -> IndexChange? {
        guard !entries.isEmpty else { return nil }
        var change = IndexChange()
        change.entries = entries
        change.packed = PackedVectors(
            features: .concatenated(features), tokens: tokens, budget: budget)
        change.budget = budget
        change.content = content
        self = PendingEntries(budget: budget, content: content)
        return change
    }
}

extension ForwardIndex {
    /// Returns the first entry for each digest of a file.
    ///
    /// - Parameter wanted: The digests to look for; nil for all.
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n) for n entries.
    func sources(_ wanted: Set<ContentDigest>? = nil) throws -> [ContentDigest: EntryID] {
        var sources: [ContentDigest: EntryID] = [:]
        for id in ids {
            let digest = try segments[id.segment].digest(id.row)
            if wanted?.contains(digest) ?? true, sources[digest] == nil { sources[digest] = id }
        }
        return sources
    }

    /// Checks that new entries may be added.
    ///
    /// - Throws: ``IndexError`` that describes the difference.
    func check(
        _ model: ModelSignature, content: IndexContent, budget: TokenBudget?,
        shard: IndexShard? = nil
    ) throws {
        try check(model)
        try manifest.check(shard, in: directory)
        guard content == self.content else {
            throw IndexError.otherContent(directory, self.content)
        }
        if let budget, budget != self.budget { throw IndexError.otherBudget(directory) }
    }
}
