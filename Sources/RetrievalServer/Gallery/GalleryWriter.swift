package import Logging
package import Retrieval
package import SystemPackage

/// The one way into the index of a service: changes of clients and of the followed folder, in one
/// order. Changes that come while a commit is written are committed together.
///
/// The index's lock is held for one commit at a time. After a commit, the files of clients are put
/// in their places and the index is tidied, step by step, while nobody waits.
package actor GalleryWriter {
    /// A change of the index.
    package enum Change: Sendable {
        /// A client's image that is new, or takes the place of the entry with its path; its file is
        /// moved there from where it waits.
        case put(IndexEntry, pixels: PreparedImage, waiting: FilePath?)
        /// Removes an entry, and its file where that is the service's own.
        case remove(FilePath)
        /// What the followed folder brings, encoded already.
        case folder(IndexChange)
    }

    private struct Pending {
        let number: Int
        let change: Change
        let continuation: CheckedContinuation<Set<FilePath>, any Error>
    }

    /// Changes that are committed together.
    private static let together = 64
    /// Commits after which the index is tidied although somebody waits.
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
    /// Files that could not be put in their places yet, by those places.
    private var unplaced: [FilePath: FilePath] = [:]

    /// A writer.
    ///
    /// - Parameters:
    ///   - store: the files of clients; nil where no client may write.
    ///   - limit: changes that may wait.
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

    /// Makes a change; when this returns it is on disk and can be found.
    ///
    /// - Returns: of the paths to remove, those that were there.
    /// - Throws: ``Problem`` if too many changes wait, or the index is away; `CancellationError` if
    ///   the task was cancelled before the change had its turn; what encoding and committing throw.
    ///   An image whose entry was not committed has no file left.
    package func apply(_ change: Change) async throws -> Set<FilePath> {
        if case .folder = change {
            // The folder waits for each of its commits, so that there is one at most.
        } else if pending.count >= limit {
            discardFile(of: change)
            throw Problem.unavailable("\(limit) changes wait already")
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

    /// Takes a change back that has not had its turn; the result of a commit is always reported.
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

    /// The first changes, no two of one image.
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
                // A whole change goes alone.
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

    /// Does to the files what was done to the index.
    private func settle(_ change: Change) throws {
        switch change {
        case .put(let entry, _, let waiting):
            discardUnplaced(entry.path)
            guard let waiting else { return }
            do { try store?.move(waiting, to: entry.path) } catch {
                // The entry is committed, so the file is kept until it can be placed.
                unplaced[entry.path] = waiting
                logger.error("\(waiting) could not be moved to \(entry.path) yet: \(error)")
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
            // What the index says decides: an error may have come after the commit.
            switch isInEffect(item.change) {
            case true?: finish([item], Self.removal(of: item.change))
            case false?:
                discardFile(of: item.change)
                item.continuation.resume(throwing: reason)
            case nil: item.continuation.resume(throwing: reason)
            }
        }
    }

    /// Whether the index on disk has a change; nil if that cannot be known.
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

    /// Removes the images that a batch removes with the space of the reserve, which frees more.
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

    /// Tries again to put files in their places whose entries are committed.
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

    /// Takes one step.
    ///
    /// - Returns: whether there is nothing more to do.
    private func tidy() async -> Bool {
        do {
            let isMore = try await steps.tidy()
            tidyFailure = nil
            return !isMore
        } catch {
            // Nothing is lost, and the next commit brings another try.
            if tidyFailure != "\(error)" { logger.warning("the index was not tidied: \(error)") }
            tidyFailure = "\(error)"
            return true
        }
    }
}
