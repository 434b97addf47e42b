import ALBEF
import ImageText
import SystemPackage
import Torch

/// Entries on their way into an index: waiting for the encoder, then for a commit.
struct PendingEntries {
    private let snapshot: ForwardIndex
    private let budget: TokenBudget
    private let replaced: [FilePath: ForwardIndex.EntryID]
    /// Entries of the snapshot by the digest of their files.
    let digests: [ContentDigest: ForwardIndex.EntryID]
    private var waiting: [(entry: IndexEntry, pixels: [Float])] = []
    private var entries: [IndexEntry] = []
    private var features: [Tensor] = []
    private var tokens: [PackedTokens] = []

    /// Begins with nothing.
    ///
    /// - Parameter known: entries whose vectors may be taken for files of the same bytes.
    init(
        snapshot: ForwardIndex, replaced: [FilePath: ForwardIndex.EntryID],
        known: [ForwardIndex.EntryID]
    ) throws {
        self.snapshot = snapshot
        self.replaced = replaced
        budget = snapshot.budget
        digests = Dictionary(
            try known.map { (try snapshot.segments[$0.segment].digest($0.row), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    var unencoded: Int { waiting.count }
    var count: Int { waiting.count + entries.count }

    mutating func enqueue(_ entry: IndexEntry, _ pixels: [Float]) {
        waiting.append((entry, pixels))
    }

    /// Takes the vectors of an entry whose file has the same bytes.
    mutating func reuse(_ entry: IndexEntry, _ source: ForwardIndex.EntryID) throws {
        entries.append(entry)
        features.append(try snapshot.features([source]))
        tokens += snapshot.packedTokens([source])
    }

    /// Encodes everything that waits.
    mutating func encode(with model: SearchModel) throws {
        guard !waiting.isEmpty else { return }
        let encoded = try model.encode(pixels: waiting.map(\.pixels))
        entries += waiting.map(\.entry)
        features.append(encoded.features.to(.cpu).to(.float32))
        if let packed = PackedTokens(encoded.tokens, budget: budget) { tokens.append(packed) }
        waiting = []
    }

    /// Makes everything that is encoded visible to readers, in place of what it replaces.
    mutating func commit(to writer: IndexWriter) throws {
        guard !entries.isEmpty else { return }
        try writer.commit(
            .init(
                entries: entries, features: .concatenated(features),
                tokens: .concatenated(tokens)),
            removing: entries.compactMap { replaced[$0.path] })
        entries = []
        features = []
        tokens = []
    }
}
