import Storage
import SystemPackage

/// Receives the progress of an update.
typealias ProgressHandler = (Indexer.Progress) -> Void

/// One update of an index, which reads, encodes and commits the files of a plan.
///
/// Among files with the same bytes one is encoded. The others copy its vectors after it has been
/// committed.
struct IndexUpdate {
    private let indexer: Indexer
    private let directory: FilePath
    private let snapshot: ForwardIndex
    private let plan: UpdatePlan
    private let batchSize: Int

    /// The results so far.
    var report = Indexer.Report()
    private var done = 0
    private var waiting: [(entry: IndexEntry, pixels: PreparedImage)] = []
    private var pending: PendingEntries
    private var repeated: [(entry: IndexEntry, digest: ContentDigest)] = []
    /// The reason why files with a given digest cannot be read; it applies to all files with
    /// the same bytes.
    private var unreadable: [ContentDigest: String] = [:]

    init(
        _ indexer: Indexer, _ directory: FilePath, _ snapshot: ForwardIndex, _ plan: UpdatePlan
    ) {
        self.indexer = indexer
        self.directory = directory
        self.snapshot = snapshot
        self.plan = plan
        batchSize =
            indexer.options.batchSize > 0
            ? indexer.options.batchSize : indexer.model.defaultBatchSize
        pending = PendingEntries(budget: snapshot.budget)
        report.unchanged = plan.unchanged
    }

    /// Runs the update, or as much of it as possible until the task is cancelled.
    mutating func run(_ onProgress: ProgressHandler) async throws -> Indexer.Report {
        if !plan.vanished.isEmpty {
            var change = IndexChange()
            change.removed = plan.vanished
            report.removed = try await commit(change, onProgress).count
        }
        onProgress(progress)
        // If no file has to be read, do not read the digests of a large index either.
        let reader = ImageReader(
            model: indexer.model, plan: plan,
            known: plan.changed.isEmpty ? [:] : try snapshot.sources(),
            leavesThreads: indexer.work == nil)
        do {
            let ahead = max(indexer.options.decodeAhead, batchSize)
            try await reader.read(plan.changed, ahead: ahead) {
                try await take($0, onProgress)
            }
            try await encode()
            try await commit(onProgress)
            try await copyRepeated(onProgress)
        } catch is CancellationError {
            report.wasCancelled = true
        }
        try await commit(onProgress)
        if !report.wasCancelled {
            try await finishShard(onProgress)
            indexer.tidy(directory)
        }
        report.failures.sort { FilePath.precedes($0.path, $1.path) }
        return report
    }

    /// Records that every image of the shard is in the index.
    private func finishShard(_ onProgress: ProgressHandler) async throws {
        guard indexer.options.shard != nil else { return }
        var change = IndexChange()
        change.finishesShard = true
        _ = try await commit(change, onProgress)
    }

    private mutating func take(
        _ item: ImageReader.Item, _ onProgress: ProgressHandler
    ) async throws {
        switch item.outcome {
        case .unchanged: report.unchanged += 1
        case .failed(let reason, let digest):
            report.failures.append(SkippedFile(path: item.file.path, reason: reason))
            if let digest { unreadable[digest] = reason }
        case .repeated(let entry, let digest): repeated.append((entry, digest))
        case .known(let entry, let source):
            try pending.add(entry, copying: source, of: snapshot)
            report.reused += 1
        case .pixels(let entry, let pixels): waiting.append((entry, pixels))
        }
        done += 1
        if waiting.count >= batchSize { try await encode() }
        if pending.count >= indexer.options.commitInterval { try await commit(onProgress) }
        onProgress(progress)
    }

    private mutating func encode() async throws {
        guard !waiting.isEmpty else { return }
        let encoded = try await indexer.encode(
            waiting.map(\.pixels), keepsTokens: snapshot.budget.count != 0)
        pending.add(waiting.map(\.entry), encoded)
        report.encoded += waiting.count
        waiting = []
    }

    /// Adds the files that have the same bytes as another file of this update.
    private mutating func copyRepeated(_ onProgress: ProgressHandler) async throws {
        guard !repeated.isEmpty else { return }
        let index = try ForwardIndex(directory)
        let sources = try index.sources(Set(repeated.map(\.digest)))
        for (entry, digest) in repeated {
            try Task.checkCancellation()
            if let source = sources[digest] {
                try pending.add(entry, copying: source, of: index)
                report.reused += 1
            } else {
                let reason =
                    unreadable[digest]
                    ?? "another program removed the entry to copy; update the index again"
                report.failures.append(SkippedFile(path: entry.path, reason: reason))
            }
            if pending.count >= indexer.options.commitInterval { try await commit(onProgress) }
        }
    }

    /// Commits all encoded entries, which makes them visible to readers.
    private mutating func commit(_ onProgress: ProgressHandler) async throws {
        if let change = pending.take() { _ = try await commit(change, onProgress) }
    }

    private func commit(
        _ change: IndexChange, _ onProgress: ProgressHandler
    ) async throws -> Set<FilePath> {
        try await indexer.commit(change, to: directory, reusing: snapshot) {
            onProgress(.init(done: done, total: plan.changed.count, isWaiting: true))
        }
    }

    private var progress: Indexer.Progress { .init(done: done, total: plan.changed.count) }
}
