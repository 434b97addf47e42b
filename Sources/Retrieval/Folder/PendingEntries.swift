import Storage
import ALBEF
import SystemPackage
import Torch

/// Entries with their vectors, collected for one commit.
struct PendingEntries {
    private let budget: TokenBudget
    private let content: IndexContent
    private var entries: [IndexEntry] = []
    private var features: [Tensor] = []
    private var tokens: [PackedTokens] = []

    /// Begins with nothing.
    ///
    /// - Parameters:
    ///   - budget: what the index keeps of tokens.
    ///   - content: what the entries are.
    init(budget: TokenBudget, content: IndexContent = .images) {
        self.budget = budget
        self.content = content
    }

    var count: Int { entries.count }

    /// Adds images that were encoded.
    mutating func add(_ entries: [IndexEntry], _ encoded: EncodedImages) {
        add(entries, features: encoded.features)
        if let packed = PackedTokens(encoded.tokens, budget: budget) { tokens.append(packed) }
    }

    /// Adds entries without tokens.
    mutating func add(_ entries: [IndexEntry], features: Tensor) {
        self.entries += entries
        self.features.append(features.to(.cpu).to(.float32))
    }

    /// Adds an entry with the vectors of another one, whose file has the same bytes.
    mutating func add(
        _ entry: IndexEntry, copying source: ForwardIndex.EntryID, of index: ForwardIndex
    ) throws {
        entries.append(entry)
        features.append(try index.features([source]))
        tokens += index.packedTokens([source])
    }

    /// Takes out the change that commits what was collected; nil if there is nothing.
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
    /// Entries by the digests of their files, the first of each.
    ///
    /// - Parameter wanted: the digests to look for; nil for all.
    /// - Throws: ``IndexError`` if an entry is damaged.
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
    /// - Throws: ``IndexError`` that says what differs.
    func check(
        _ model: ModelSignature, content: IndexContent, budget: TokenBudget?
    ) throws {
        try check(model)
        guard content == self.content else {
            throw IndexError.otherContent(directory, self.content)
        }
        if let budget, budget != self.budget { throw IndexError.otherBudget(directory) }
    }
}
