package import Logging
package import Retrieval
package import SystemPackage

/// The only writer of the service's index.
///
/// It applies the changes of clients and of the followed folder in one order. Changes that arrive
/// during a commit are committed together next. The writer holds the index's lock for one commit at
/// a time. After a commit it moves the files of clients into place. While no change waits, it tidies
/// the index step by step.
package actor GalleryWriter {
    /// A change of the index.
    package enum Change: Sendable {
        /// Adds a client's image, or replaces the entry with the same path.
        ///
        /// After the commit the writer moves the file from `waiting` to the entry's path.
        case put(IndexEntry, pixels: PreparedImage, waiting: FilePath?)
        /// Removes an entry, and its file if the service owns it.
        case remove(FilePath)
        /// Applies the changes of the followed folder, whose images are already encoded.
        case folder(IndexChange)
    }

    private struct Pending {
        let number: Int
        let change: Change
        let continuation: CheckedContinuation<Set<FilePath>, any Error>
    }

    /// The most changes in one commit.
    private static let together = 64
    /// The number of commits after which the writer tidies the index even if changes wait.
    private static let untidied = 32
    private let library: IndexLibrary
    private let store: UploadStore?
    private let steps: Steps
    private let logger: Logger
    private let limit: Int
    private let reserve: DiskReserve
    private var pending: [Pending] = []
    private var number = 0
    private var isWorking = false
    private var commits = 0
    private var tidyFailure: String?
    /// The files that could not be moved into place yet, by their final paths.
    private var unplaced: [FilePath: FilePath] = [:]

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - library: The index to change.
    ///   - store: The files of clients; nil if clients may not write.
    ///   - steps: The operations that encode, commit and tidy.
    ///   - limit: The most changes that may wait.
    ///   - logger: The logger for failures.
    package init(
        _ library: IndexLibrary, _ store: UploadStore?, _ steps: Steps, limit: Int, _ logger: Logger
    ) {
        self.library = library
        self.store = store
        self.steps = steps
        self.limit = limit
        self.logger = logger
        reserve = DiskReserve(of: library.directory)
        reserve.take()
    }

    /// Makes a change; when this method returns, the change is on disk and searches find it.
    ///
    /// If a new image cannot be committed, its file is deleted.
    ///
    /// - Returns: The paths to remove that the index held.
    /// - Throws: ``Problem`` if too many changes wait, or the index is unavailable;
    ///   `CancellationError` if the task was cancelled before the writer began the change; the
    ///   errors of encoding and committing.
    package func apply(_ change: Change) async throws -> Set<FilePath> {
        if case .folder = change {
            // The folder waits for each of its commits, so at most one of its changes is pending.
        } else if pending.count >= limit {
            discardFile(of: change)
            throw Problem.unavailable("\(limit) changes are waiting already; try again later")
        }
        number += 1
        let number = number
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                pending.append(
                    Pending(number: number, change: change, continuation: continuation))
                guard !isWorking else { return }
                isWorking = true
                Task { await work() }
            }
        } onCancel: {
            Task { await withdraw(number) }
        }
    }

    /// Withdraws a change that the writer has not begun; a change in a commit runs to its end.
    private func withdraw(_ number: Int) {
        guard let position = pending.firstIndex(where: { $0.number == number }) else { return }
        let item = pending.remove(at: position)
        discardFile(of: item.change)
        item.continuation.resume(throwing: CancellationError())
    }

    // MARK: Commits

    private func work() async {
        var isTidy = false
        while !pending.isEmpty || !isTidy {
            if pending.isEmpty || commits >= Self.untidied {
                isTidy = await tidy()
                commits = 0
                continue
            }
            isTidy = false
            commits += 1
            let batch = takeBatch()
            placeFiles()
            do {
                finish(batch, try await commit(batch.map(\.change)))
            } catch let error where Problem(error).kind == .diskFull {
                await removeOnFullDisk(batch, error)
            } catch {
                fail(batch, error)
            }
        }
        isWorking = false
    }

    /// Removes and returns the first pending changes, no two of the same image.
    private func takeBatch() -> [Pending] {
        var paths: Set<FilePath> = []
        let images = max(1, library.model.defaultBatchSize)
        var (count, encoded) = (0, 0)
        scan: for item in pending.prefix(Self.together) {
            let path: FilePath
            switch item.change {
            case .put(let entry, _, _):
                path = entry.path
                encoded += 1
            case .remove(let removed): path = removed
            case .folder:
                // A change of the folder is committed alone.
                count = max(count, 1)
                break scan
            }
            guard encoded <= images, paths.insert(path).inserted else { break scan }
            count += 1
        }
        defer { pending.removeFirst(count) }
        return Array(pending[..<count])
    }

    private func commit(_ changes: [Change]) async throws -> Set<FilePath> {
        var change = IndexChange()
        var pixels: [PreparedImage] = []
        for item in changes {
            switch item {
            case .put(let entry, let values, _):
                change.entries.append(entry)
                pixels.append(values)
            case .remove(let path): change.removed.append(path)
            case .folder(let whole): change = whole
            }
        }
        if let model = pixels.first?.model {
            change.encoded = try await steps.encode(pixels)
            change.model = model
        }
        return try await steps.commit(change)
    }

    private func finish(_ batch: [Pending], _ removed: Set<FilePath>) {
        for item in batch {
            item.continuation.resume(
                with: Result {
                    try settle(item.change)
                    return removed
                })
        }
        reserve.take()
    }

    /// Makes a committed change to the files too.
    private func settle(_ change: Change) throws {
        switch change {
        case .put(let entry, _, let waiting):
            discardUnplaced(entry.path)
            guard let waiting else { return }
            do { try store?.move(waiting, to: entry.path) } catch {
                // The entry is committed, so the file is kept until it can be placed.
                unplaced[entry.path] = waiting
                logger.error("could not move \(waiting) to \(entry.path), will retry: \(error)")
                throw error
            }
        case .remove(let path):
            discardUnplaced(path)
            if let store, store.owns(path) { store.remove(path) }
        case .folder: break
        }
    }

    /// Resumes changes whose commit failed.
    private func fail(_ batch: [Pending], _ error: any Error) {
        let reason: any Error =
            library.refusal
            ?? library.failure.map {
                Problem.unavailable("the index cannot be written to: \($0)", retryAfter: 10)
            } ?? error
        for item in batch {
            // An error may come after the commit, so the index decides.
            switch isInEffect(item.change) {
            case true?: finish([item], Self.removal(of: item.change))
            case false?:
                discardFile(of: item.change)
                item.continuation.resume(throwing: reason)
            case nil: item.continuation.resume(throwing: reason)
            }
        }
    }

    /// Returns whether the index on disk holds a change; nil if the index cannot be read.
    private func isInEffect(_ change: Change) -> Bool? {
        guard library.failure == nil else { return nil }
        do {
            switch change {
            case .put(let entry, _, _):
                return try library.entry(at: entry.path) == entry
            case .remove(let path): return try library.entry(at: path) == nil
            case .folder: return false
            }
        } catch {
            return nil
        }
    }

    private static func removal(of change: Change) -> Set<FilePath> {
        if case .remove(let path) = change { [path] } else { [] }
    }

    /// Fails the additions of a batch, and commits its removals with the space of the reserve.
    ///
    /// The removals in turn free the space to take the reserve again.
    private func removeOnFullDisk(_ batch: [Pending], _ error: any Error) async {
        var (removals, others): ([Pending], [Pending]) = ([], [])
        for item in batch {
            if case .remove = item.change { removals.append(item) } else { others.append(item) }
        }
        fail(others, error)
        guard !removals.isEmpty else { return }
        reserve.giveUp()
        do {
            finish(removals, try await commit(removals.map(\.change)))
        } catch {
            fail(removals, error)
            reserve.take()
        }
    }

    // MARK: Files

    /// Tries again to move the files of committed entries into place.
    func placeFiles() {
        for (path, waiting) in unplaced where (try? store?.move(waiting, to: path)) != nil {
            unplaced[path] = nil
        }
    }

    private func discardUnplaced(_ path: FilePath) {
        if let waiting = unplaced.removeValue(forKey: path) { store?.remove(waiting) }
    }

    private func discardFile(of change: Change) {
        if case .put(let entry, _, let waiting) = change { store?.remove(waiting ?? entry.path) }
    }

    // MARK: Tidying

    /// Tidies the index by one step.
    ///
    /// - Returns: Whether the index is tidy.
    private func tidy() async -> Bool {
        do {
            let isMore = try await steps.tidy()
            tidyFailure = nil
            return !isMore
        } catch {
            // No data is lost, and the writer tries again after the next commit.
            if tidyFailure != "\(error)" { logger.warning("could not tidy the index: \(error)") }
            tidyFailure = "\(error)"
            return true
        }
    }
}
