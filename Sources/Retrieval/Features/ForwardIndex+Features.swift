import ALBEF
package import SystemPackage
import Torch

extension ForwardIndex {
    private static let rowsAtOnce = 256

    /// Returns whether a directory contains an index, which may be damaged.
    package static func isPresent(in directory: FilePath) -> Bool {
        IndexManifest.exists(in: directory)
    }

    /// Returns the shape of an entry's vector of a kind.
    ///
    /// - Throws: ``FeatureExportError`` if the index does not store this kind.
    func shape(of kind: FeatureKind) throws(FeatureExportError) -> [Int] {
        switch kind {
        case .aligned: return [model.embeddingWidth]
        case .tokens where content == .images:
            guard budget.kept(of: model.tokenCount) == model.tokenCount else {
                throw .notStored(directory, kind, "it keeps \(kept) of \(model.tokenCount) tokens")
            }
            return [model.tokenCount, model.tokenWidth]
        case .image, .tokens, .fused:
            throw .notStored(directory, kind, "it keeps the features of \(content.rawValue)")
        }
    }

    private var kept: Int { budget.kept(of: model.tokenCount) }

    /// Passes the vectors of all entries to a closure, in the order of the commits.
    ///
    /// - Parameters:
    ///   - kind: A kind that ``shape(of:)`` accepts.
    ///   - body: Receives vectors `[B] + shape` in single precision, with their entries.
    /// - Throws: ``IndexError`` if an entry is damaged; the errors of `body`; `CancellationError`.
    /// - Complexity: O(n) for n entries, of which 256 are in memory at a time.
    func forEachBatch(
        of kind: FeatureKind, _ body: (Tensor, [IndexEntry]) throws -> Void
    ) throws {
        var done = 0
        while case let ids = self.ids(skipping: done, count: Self.rowsAtOnce), !ids.isEmpty {
            try Task.checkCancellation()
            let rows: Tensor? = try recovering {
                if kind == .tokens { return tokens(ids)?.values }
                return try features(ids)
            }
            guard let rows else { throw IndexError.stale(directory) }
            try body(rows, ids.map(entry))
            done += ids.count
        }
    }
}
