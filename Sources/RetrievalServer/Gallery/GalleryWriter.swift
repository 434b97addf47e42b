import ALBEF
import Dispatch
import Logging
import Retrieval
import SystemPackage

/// Changes the index for clients: what comes while a commit is written is committed together.
actor GalleryWriter {
    /// One client's wish.
    enum Change: Sendable {
        /// A picture that is new, or takes the place of the entry with its path.
        case put(IndexEntry, pixels: [Float])
        case remove(FilePath)

        var path: FilePath {
            switch self {
            case .put(let entry, _): entry.path
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
    init(_ library: IndexLibrary, model: WorkQueue, metrics: ServiceMetrics, limit: Int) {
        self.library = library
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
                    let isRemoval = if case .remove = item.change { true } else { false }
                    item.continuation.resume(
                        returning: !isRemoval || removed.contains(item.change.path))
                }
            } catch {
                for item in batch { item.continuation.resume(throwing: error) }
            }
        }
        isCommitting = false
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
            case .put(let entry, let values):
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
        for attempt in 0... {
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
            } catch let error as IndexError where error.isLocked && attempt < 40 {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        preconditionFailure("attempts have no end")
    }
}
