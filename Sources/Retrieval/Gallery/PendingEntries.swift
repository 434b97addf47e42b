import ALBEF
import ImageText
import SystemPackage
import Torch

/// Entries on their way into an index: waiting for the encoder, then for a commit.
struct PendingEntries {
    private let snapshot: ForwardIndex
    private let replaced: [FilePath: ForwardIndex.EntryID]
    /// Entries of the snapshot by the digest of their files.
    let digests: [String: ForwardIndex.EntryID]
    private var waiting: [(entry: IndexEntry, pixels: [Float])] = []
    private var entries: [IndexEntry] = []
    private var features: [Tensor] = []
    private var tokens: [Tensor] = []

    init(snapshot: ForwardIndex, replaced: [FilePath: ForwardIndex.EntryID]) {
        self.snapshot = snapshot
        self.replaced = replaced
        digests = Dictionary(
            snapshot.entries.map { ($0.entry.sha256, $0.id) },
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
        features.append(snapshot.features([source]))
        tokens.append(snapshot.tokens([source]).to(.float16))
    }

    /// Encodes everything that waits.
    mutating func encode(with model: SearchModel) throws {
        guard !waiting.isEmpty else { return }
        let encoded = try model.encode(pixels: waiting.map(\.pixels))
        entries += waiting.map(\.entry)
        features.append(encoded.features.to(.cpu).to(.float32))
        tokens.append(encoded.tokens.to(.cpu).to(.float16))
        waiting = []
    }

    /// Makes everything that is encoded visible to readers, in place of what it replaces.
    mutating func commit(to writer: IndexWriter) throws {
        guard !entries.isEmpty else { return }
        try writer.commit(
            entries, features: .concatenated(features), tokens: .concatenated(tokens),
            removing: entries.compactMap { replaced[$0.path] })
        entries = []
        features = []
        tokens = []
    }
}
