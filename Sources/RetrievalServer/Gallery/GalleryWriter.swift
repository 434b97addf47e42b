import ALBEF
import Dispatch
import Logging
import Retrieval
import SystemPackage

/// Changes the index for clients, and then their files, in one order: what comes while a commit is
/// written is committed together.
actor GalleryWriter {
    /// One client's wish.
    enum Change: Sendable {
        /// A picture that is new, or takes the place of the entry with its path; its file is moved there
        /// from where it waits.
        case put(IndexEntry, pixels: [Float], waiting: FilePath?)
        /// An entry, and its file where that is the service's own.
        case remove(FilePath)

        var path: FilePath {
            switch self {
            case .put(let entry, _, _): entry.path
            case .remove(let path): path
            }
        }
    }

    private struct Pending {
        let change: Change
        let continuation: CheckedContinuation<Bool, any Error>
    }

    private static let together = 64
    private let library: IndexLibrary
    private let store: UploadStore
    private let model: WorkQueue
    private let disk = DispatchQueue(label: "albef.commit")
    private let metrics: ServiceMetrics
    private let limit: Int
    private var pending: [Pending] = []
    private var isCommitting = false

    /// A writer.
    ///
    /// - Parameters:
    ///   - model: the thread that encodes.
    ///   - limit: changes that may wait.
    init(
        _ library: IndexLibrary, _ store: UploadStore, model: WorkQueue, metrics: ServiceMetrics,
        limit: Int
    ) {
        self.library = library
        self.store = store
        self.model = model
        self.metrics = metrics
        self.limit = limit
    }

    /// Makes a change; when this returns it is on disk and can be found.
    ///
    /// - Returns: false if there was nothing to remove.
    /// - Throws: ``Problem`` if too many changes wait; what encoding and committing throw.
    func apply(_ change: Change) async throws -> Bool {
        guard pending.count < limit else {
            throw Problem.unavailable("\(limit) changes wait already")
        }
        // Not cancelled with the request: what may have been committed must be told.
        return try await withCheckedThrowingContinuation { continuation in
            pending.append(Pending(change: change, continuation: continuation))
            guard !isCommitting else { return }
            isCommitting = true
            Task { await commitAll() }
        }
    }

    private func commitAll() async {
        while !pending.isEmpty {
            let batch = takeBatch()
            do {
                let removed = try await commit(batch.map(\.change))
                library.refresh()
                for item in batch {
                    item.continuation.resume(with: Result { try settle(item.change, removed) })
                }
            } catch {
                for item in batch { item.continuation.resume(throwing: error) }
            }
        }
        isCommitting = false
    }

    /// Does to the files what was done to the index.
    ///
    /// - Returns: false if there was nothing to remove.
    private func settle(_ change: Change, _ removed: Set<FilePath>) throws -> Bool {
        switch change {
        case .put(let entry, _, let waiting):
            if let waiting { try store.move(waiting, to: entry.path) }
            return true
        case .remove(let path):
            if store.owns(path) { store.remove(path) }
            return removed.contains(path)
        }
    }

    /// The first changes, no two of one picture.
    private func takeBatch() -> [Pending] {
        var paths: Set<FilePath> = []
        let count =
            pending.prefix(Self.together).firstIndex { !paths.insert($0.change.path).inserted }
            ?? min(Self.together, pending.count)
        defer { pending.removeFirst(count) }
        return Array(pending[..<count])
    }

    private func commit(_ changes: [Change]) async throws -> Set<FilePath> {
        var change = IndexChange()
        var pixels: [[Float]] = []
        for wish in changes {
            switch wish {
            case .put(let entry, let values, _):
                change.entries.append(entry)
                pixels.append(values)
            case .remove(let path): change.removed.append(path)
            }
        }
        if !pixels.isEmpty {
            let (library, values) = (library, pixels)
            change.encoded = try await model.run { try library.model.encode(pixels: values) }
        }
        let start = ContinuousClock.now
        let removed = try await write(change)
        metrics.record(.commit, ContinuousClock.now - start)
        return removed
    }

    /// Commits on a thread of its own, waiting a little for another program that writes.
    private func write(_ change: IndexChange) async throws -> Set<FilePath> {
        let library = library
        var attempts = 0
        while true {
            do {
                return try await withCheckedThrowingContinuation { continuation in
                    disk.async {
                        continuation.resume(
                            with: Result {
                                try ForwardIndex.apply(
                                    change, to: library.directory,
                                    model: library.model.signature, locator: library.locator)
                            })
                    }
                }
            } catch let error as IndexError where error.isLocked && attempts < 40 {
                attempts += 1
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }
}
