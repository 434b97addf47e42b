import ALBEF
import Crypto
import Foundation
import ImageText
public import SystemPackage
import Torch

/// Keeps a forward index in step with a folder of pictures.
public struct Indexer: Sendable {
    private let model: SearchModel
    private let options: Options

    /// Knobs that change speed, memory and what is kept.
    public struct Options: Sendable {
        /// Pictures that the encoder takes at once.
        public var batchSize: Int
        /// Pictures that are read and resized ahead of the encoder.
        public var decodeAhead: Int
        /// Pictures between two commits; what a kill can lose.
        public var commitInterval: Int
        /// What a new index keeps of tokens; nil for what the index keeps, or all.
        public var budget: TokenBudget?

        /// Sets the knobs; nil chooses the batch by the size of the model.
        public init(
            batchSize: Int? = nil, decodeAhead: Int = 8, commitInterval: Int = 128,
            budget: TokenBudget? = nil
        ) {
            self.batchSize = batchSize ?? 0
            self.decodeAhead = decodeAhead
            self.commitInterval = commitInterval
            self.budget = budget
        }
    }

    /// How far an update is.
    public struct Progress: Sendable {
        /// Pictures that are done, failed ones included.
        public let done: Int
        /// Pictures that have to be read in this update.
        public let total: Int
    }

    /// What an update did.
    public struct Report: Sendable {
        /// Pictures that went through the image encoder.
        public internal(set) var encoded = 0
        /// Pictures whose vectors were copied from an entry with the same bytes.
        public internal(set) var reused = 0
        /// Pictures that were in the index and have not changed.
        public internal(set) var unchanged = 0
        /// Entries whose files are gone.
        public internal(set) var removed = 0
        /// Files and folders that were skipped.
        public internal(set) var failures: [GalleryFailure] = []
        /// True if the update was cancelled; what was encoded until then is in the index.
        public internal(set) var wasCancelled = false

        /// Entries that are other than before.
        public var changed: Int { encoded + reused + removed }
    }

    /// Creates an indexer.
    public init(_ model: SearchModel, options: Options = Options()) {
        self.model = model
        self.options = options
    }

    /// Brings an index up to date with a folder, encoding only what is new or changed.
    ///
    /// Entries whose files vanished from the folder are removed; entries of other folders stay.
    /// Cancelling the task commits what was encoded and returns.
    ///
    /// - Parameters:
    ///   - directory: the index; created where there is none.
    ///   - folder: pictures, in folders of any depth.
    ///   - onProgress: called after every batch.
    /// - Throws: ``GalleryError`` if the folder is unreadable or has no pictures; ``IndexError``
    ///   if the index cannot be written or was made with another model.
    public func update(
        _ directory: FilePath, with folder: FilePath,
        onProgress: (Progress) -> Void = { _ in }
    ) async throws -> Report {
        try await update(directory, with: FolderScan(folder), onProgress: onProgress)
    }

    /// Brings an index up to date with a folder that was looked through already.
    ///
    /// - Parameters:
    ///   - directory: the index; created where there is none.
    ///   - scan: the pictures that there are.
    ///   - metadata: what to note of pictures besides, by their paths. A picture that is unchanged
    ///     but for this is noted anew, without encoding it.
    ///   - onProgress: called after every batch.
    /// - Throws: ``IndexError`` if the index cannot be written or was made with another model.
    public func update(
        _ directory: FilePath, with scan: FolderScan,
        metadata: [FilePath: [String: MetadataValue]] = [:],
        onProgress: (Progress) -> Void = { _ in }
    ) async throws -> Report {
        let writer = try IndexWriter(
            directory, model: model.signature, budget: options.budget)
        let snapshot = try ForwardIndex(directory, manifest: writer.manifest)
        let plan = try UpdatePlan(scan, snapshot: snapshot, metadata: metadata)

        var report = Report()
        report.unchanged = plan.unchanged
        report.removed = plan.vanished.count
        report.failures = scan.failures
        if !plan.vanished.isEmpty {
            try writer.commit(nil, removing: plan.vanished)
        }
        // Where nothing is to be read, a large index's digests need not be either.
        var pending = try PendingEntries(
            snapshot: snapshot, replaced: plan.replaced,
            known: plan.changed.isEmpty ? [] : snapshot.ids)
        var progress = (done: 0, total: plan.changed.count)
        onProgress(Progress(done: 0, total: progress.total))
        let batchSize = options.batchSize > 0 ? options.batchSize : model.defaultBatchSize
        let reader = PictureReader(
            model: model, known: pending.digests, metadata: plan.metadata)
        do {
            try await reader.read(plan.changed, ahead: max(options.decodeAhead, batchSize)) {
                item in
                switch item.outcome {
                case .failed(let reason):
                    report.failures.append(GalleryFailure(path: item.file.path, reason: reason))
                case .known(let entry, let source):
                    try pending.reuse(entry, source)
                    report.reused += 1
                case .pixels(let entry, let pixels):
                    pending.enqueue(entry, pixels)
                    report.encoded += 1
                }
                progress.done += 1
                if pending.unencoded >= batchSize { try pending.encode(with: model) }
                if pending.count >= options.commitInterval { try pending.commit(to: writer) }
                onProgress(Progress(done: progress.done, total: progress.total))
            }
        } catch is CancellationError {
            report.wasCancelled = true
        }
        try pending.encode(with: model)
        try pending.commit(to: writer)
        report.failures.sort { $0.path.bytes.lexicographicallyPrecedes($1.path.bytes) }
        return report
    }
}

extension SearchModel {
    /// Larger batches feed small models; a large one is as fast picture by picture on a processor.
    var defaultBatchSize: Int {
        guard model.device == .cpu else { return 32 }
        let vision = model.configuration.vision
        let perPicture = (vision.patchCount + 1) * vision.width
        return max(1, min(32, (1 << 19) / perPicture))
    }
}

/// What has to be done to bring an index up to date.
private struct UpdatePlan {
    var changed: [FolderScan.File] = []
    /// The entries that changed files will replace, by path.
    var replaced: [FilePath: ForwardIndex.EntryID] = [:]
    var vanished: [ForwardIndex.EntryID] = []
    var unchanged = 0
    /// What to note of the changed files: what is given, else what was noted before.
    var metadata: [FilePath: [String: MetadataValue]] = [:]

    init(
        _ scan: FolderScan, snapshot: ForwardIndex, metadata: [FilePath: [String: MetadataValue]]
    ) throws {
        var known: [FilePath: (id: ForwardIndex.EntryID, entry: IndexEntry)] = [:]
        for id in snapshot.ids {
            let entry = try snapshot.entry(id)
            known[entry.path] = (id, entry)
        }
        for file in scan.files {
            let old = known.removeValue(forKey: file.path)
            if let old, old.entry.size == file.size, old.entry.modified == file.modified,
                metadata[file.path].map({ $0 == old.entry.metadata }) ?? true
            {
                unchanged += 1
            } else {
                replaced[file.path] = old?.id
                self.metadata[file.path] = metadata[file.path] ?? old?.entry.metadata
                changed.append(file)
            }
        }
        // A folder that cannot be read now says nothing about the pictures in it.
        vanished = known.values.filter { item in
            item.entry.path.starts(with: scan.root)
                && !scan.failures.contains { item.entry.path.starts(with: $0.path) }
        }.map(\.id)
    }
}
