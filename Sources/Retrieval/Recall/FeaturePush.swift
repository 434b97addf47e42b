import Foundation
import Storage
import Torch

/// Brings a ``FeatureStore`` in step with an index.
///
/// The ids are walked through in ranges. In each, the versions in the store are compared with the
/// index: missing and outdated rows are written, and rows without an entry are removed. So a push
/// that was interrupted is resumed by another one, and a push without changes writes nothing.
///
/// ```swift
/// let report = try await FeaturePush(to: store).run(ForwardIndex("photos.index"))
/// ```
public struct FeaturePush: Sendable {
    /// The number of rows per request; 1,000 by default.
    public var batch = 1000
    /// Whether rows without an entry in the index stay, because other indexes share the store;
    /// false by default.
    public var keepsOthers = false
    /// Whether a store with features of another model is emptied; false by default.
    public var replaces = false
    private let store: any FeatureStore

    /// A part of the ids whose rows could not be written or removed.
    public struct Failure: Sendable, Hashable {
        /// The smallest and the largest id of the request.
        public let first, last: String
        /// The number of rows in the request.
        public let count: Int
        /// The error.
        public let reason: String
    }

    /// What a push has done.
    public struct Report: Sendable, Hashable {
        /// The rows that were missing or outdated and have been written.
        public internal(set) var written = 0
        /// The rows that have been removed.
        public internal(set) var removed = 0
        /// The rows that were up to date.
        public internal(set) var unchanged = 0
        /// The requests that failed.
        public internal(set) var failures: [Failure] = []
        /// Whether the push gave up after several failed requests in a row.
        public internal(set) var gaveUp = false
    }

    /// The progress of a push.
    public struct Progress: Sendable, Hashable {
        /// The entries that have been compared and, if necessary, written.
        public let done: Int
        /// All entries.
        public let total: Int
    }

    /// The number of failed requests in a row after which a push gives up.
    private static let patience = 3
    /// The number of entries per range; Milvus answers a question with at most 16,384 rows.
    private static let rangeSize = 4096

    /// Creates a push.
    public init(to store: any FeatureStore) { self.store = store }

    /// Brings the store in step.
    ///
    /// - Parameters:
    ///   - index: The index; a snapshot, so that it may change meanwhile.
    ///   - onProgress: Called after every request; it may throw to stop.
    /// - Returns: The report. Requests that failed are listed in it.
    /// - Throws: ``RecallError`` if the store cannot be prepared or its versions cannot be read;
    ///   ``IndexError`` if an entry is damaged; `CancellationError`; the errors of `onProgress`.
    /// - Complexity: O(n log n) for n entries, with 40 bytes of memory each.
    public func run(
        _ index: ForwardIndex, onProgress: (Progress) throws -> Void = { _ in }
    ) async throws -> Report {
        try await store.prepare(for: index.model, replacing: replaces)
        let entries = try index.ids.map { id in
            try Task.checkCancellation()
            return (key: EntryKey(try index.entry(id).path).description, id: id)
        }.sorted { $0.key < $1.key }
        var (report, failed, done) = (Report(), 0, 0)
        var rest = entries[...]
        let count = (entries.count + Self.rangeSize - 1) / Self.rangeSize
        for range in StoreRange.all(max(count, 1)) {
            let own = rest.prefix { range.contains($0.key) }
            rest = rest.dropFirst(own.count)
            var stored = try await store.versions(in: range)
            var outdated: [StoredFeature] = []
            func flush(_ least: Int) async throws {
                while outdated.count >= least, !outdated.isEmpty {
                    let rows = Array(outdated.prefix(batch))
                    outdated.removeFirst(rows.count)
                    try await attempt(rows.map(\.id), &report, &failed) {
                        try await store.write(rows)
                        $0.written += rows.count
                    }
                    try onProgress(Progress(done: done, total: entries.count))
                }
            }
            for (key, id) in own where !report.gaveUp {
                let row = try StoredFeature(id, key: key, in: index)
                if stored.removeValue(forKey: key) == row.version {
                    report.unchanged += 1
                } else {
                    outdated.append(row)
                }
                done += 1
                try await flush(batch)
            }
            try await flush(1)
            let others = keepsOthers ? [] : stored.keys.sorted()
            for start in stride(from: 0, to: others.count, by: batch) where !report.gaveUp {
                let ids = Array(others[start..<min(start + batch, others.count)])
                try await attempt(ids, &report, &failed) {
                    try await store.remove(ids)
                    $0.removed += ids.count
                }
            }
            try onProgress(Progress(done: done, total: entries.count))
            if report.gaveUp { break }
        }
        if report.written + report.removed > 0, !report.gaveUp { try await store.flush() }
        return report
    }

    /// Makes one request, and notes its failure.
    private func attempt(
        _ ids: [String], _ report: inout Report, _ failed: inout Int,
        _ request: (inout Report) async throws -> Void
    ) async throws {
        try Task.checkCancellation()
        guard !report.gaveUp else { return }
        do {
            try await request(&report)
            failed = 0
        } catch let error as RecallError {
            report.failures.append(
                Failure(
                    first: ids.first ?? "", last: ids.last ?? "", count: ids.count,
                    reason: error.description))
            failed += 1
            report.gaveUp = failed >= Self.patience
        }
    }
}

extension StoredFeature {
    /// Returns the row of an entry.
    ///
    /// - Throws: ``IndexError`` if the entry is damaged.
    init(_ id: ForwardIndex.EntryID, key: String, in index: ForwardIndex) throws {
        let feature: [Float] = try index.segments[id.segment].feature(id.row).values()
        let fields = try StoredFields.json(of: index.entry(id))
        let place = StoredPlace(id, in: index).value
        var hash = SHA256()
        feature.withUnsafeBytes { hash.update($0) }
        hash.update(fields.utf8)
        withUnsafeBytes(of: place.littleEndian) { hash.update($0) }
        let version = hash.finished().firstWord.byteSwapped
        self.init(
            id: key, feature: feature, fields: fields, place: place,
            // Protocols and databases agree only on signed numbers.
            version: Int64(version >> 1))
    }
}
