import ALBEF
import ImageText
public import SystemPackage
import Torch

/// Keeps a forward index of texts in step with a file, so that pictures find their descriptions.
///
/// The path of an entry is the file's with the line: `captions.txt#12`.
public struct TextIndexer: Sendable {
    private static let batchSize = 64
    private static let commitInterval = 4096

    private let model: SearchModel

    /// Creates an indexer.
    public init(_ model: SearchModel) { self.model = model }

    /// Brings an index up to date with a file, encoding only what is new or changed.
    ///
    /// Entries whose lines are gone are removed; entries of other files stay. Cancelling the task
    /// commits what was encoded and returns.
    ///
    /// - Parameters:
    ///   - directory: the index; created where there is none.
    ///   - file: the texts.
    ///   - onProgress: called after every batch.
    /// - Returns: what was done; texts with nothing but punctuation are among the failures.
    /// - Throws: ``IndexError`` if the index cannot be written, holds pictures, or was made with
    ///   another model.
    public func update(
        _ directory: FilePath, with file: TextListFile,
        onProgress: (Indexer.Progress) -> Void = { _ in }
    ) throws -> Indexer.Report {
        let writer = try IndexWriter(
            directory, model: model.signature, content: .texts, budget: TokenBudget(count: 0))
        let snapshot = try ForwardIndex(directory, manifest: writer.manifest)
        var report = Indexer.Report()
        var known: [FilePath: (id: ForwardIndex.EntryID, entry: IndexEntry)] = [:]
        for id in snapshot.ids {
            let entry = try snapshot.entry(id)
            if entry.path.string.hasPrefix(file.path.string + "#") {
                known[entry.path] = (id, entry)
            }
        }
        var changed: [(entry: IndexEntry, old: ForwardIndex.EntryID?)] = []
        for line in file.lines {
            let entry = IndexEntry(line, of: file.path)
            let old = known.removeValue(forKey: entry.path)
            if let old, old.entry == entry {
                report.unchanged += 1
            } else if model.text.tokenizer.ids(of: model.text.clean(line.text)).isEmpty {
                report.failures.append(
                    GalleryFailure(
                        path: entry.path, reason: QueryError.empty(line.text).description))
                if let old { known[entry.path] = old }
            } else {
                changed.append((entry, old?.id))
            }
        }
        report.removed = known.count
        if !known.isEmpty { try writer.commit(nil, removing: known.values.map(\.id)) }
        for start in stride(from: 0, to: changed.count, by: Self.commitInterval) {
            let block = changed[start..<min(start + Self.commitInterval, changed.count)]
            var features: [Tensor] = []
            for first in stride(from: block.startIndex, to: block.endIndex, by: Self.batchSize) {
                onProgress(.init(done: first, total: changed.count))
                if Task.isCancelled {
                    report.wasCancelled = true
                    break
                }
                let texts = block[first..<min(first + Self.batchSize, block.endIndex)]
                let encoded = try model.encode(texts: texts.map(\.entry.text))
                features.append(encoded.features.to(.cpu).to(.float32))
            }
            guard !features.isEmpty else { break }
            let rows = Tensor.concatenated(features)
            let done = block.prefix(rows.size(0))
            try writer.commit(
                .init(entries: done.map(\.entry), features: rows), removing: done.compactMap(\.old))
            report.encoded += done.count
            if report.wasCancelled { break }
        }
        onProgress(.init(done: report.encoded, total: changed.count))
        return report
    }
}

extension IndexEntry {
    /// Describes a line of a file of texts.
    init(_ line: TextListFile.Line, of file: FilePath) {
        let bytes = Array(line.text.utf8)
        var metadata = line.metadata
        metadata["text"] = .text(line.text)
        self.init(
            path: FilePath("\(file.string)#\(line.number)"), size: bytes.count, modified: 0,
            sha256: ContentDigest(of: bytes).hexadecimal, metadata: metadata)
    }

    /// The text that this is an entry of; empty for a picture.
    var text: String {
        if case .text(let text)? = metadata["text"] { text } else { "" }
    }
}
