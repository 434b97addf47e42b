import Logging
import Retrieval
import ServiceLifecycle
import Synchronization
import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How far the service is with the folder that it follows.
struct IndexingStatus: Sendable {
    var done = 0
    var total = 0
    var isRunning = false
    /// Whether somebody asked for a look that has not begun.
    var isAsked = false
    /// Files and folders that the last look could not read.
    var failures: [SkippedFile] = []
    /// Files of kinds that are not read, by their extensions.
    var passedOver: [String: Int] = [:]
    /// Why the index is not in step with the folder; nil if it is.
    var error: String?
    /// When the folder was last looked through.
    var lastScan: Date?
}

/// Keeps the index in step with a folder while it is served.
///
/// Images are decoded and encoded on the queues of the service, after whatever clients ask for, and
/// committed by the one writer.
final class FolderFollower: Service, Sendable {
    /// How often the folder is looked at where the system does not report changes.
    private static let interval = Duration.seconds(2)
    /// How long after an error the folder is looked at again.
    private static let pause = Duration.seconds(10)
    /// The folder's absolute path.
    let folder: FilePath
    /// Patterns of what is left out.
    let exclude: [String]
    private let library: IndexLibrary
    private let work: Indexer.Work
    private let executor: WorkQueueExecutor
    private let logger: Logger
    private let state = Mutex(IndexingStatus())
    private let requests = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// A follower.
    ///
    /// - Parameters:
    ///   - exclude: patterns of what to leave out, as ``FolderScan/init(_:exclude:)`` takes them.
    ///   - compute: the model's thread.
    ///   - images: the threads that decode.
    init(
        _ folder: FilePath, exclude: [String], _ library: IndexLibrary, _ writer: GalleryWriter,
        compute: WorkQueue,
        images: WorkQueue, _ logger: Logger
    ) {
        self.folder = folder.absolute
        self.exclude = exclude
        self.library = library
        self.logger = logger
        executor = WorkQueueExecutor(images, .folder)
        work = Indexer.Work(
            encode: { pixels in
                try await compute.run(.folder) { try library.encode(pixels) }
            },
            commit: { try await Self.commit($0, writer) })
    }

    /// Commits what is encoded; waits while another program writes to the index.
    private static func commit(
        _ change: IndexChange, _ writer: GalleryWriter
    ) async throws -> Set<FilePath> {
        while true {
            do {
                // Not cancelled with the follower: what is encoded is worth keeping.
                return try await Task { try await writer.apply(.folder(change)) }.value
            } catch let error as IndexError where error.isLocked {
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// How far it is.
    var status: IndexingStatus { state.withLock { $0 } }

    /// Looks through the folder soon, files that could not be read included.
    func scan() {
        state.withLock { $0.isAsked = true }
        requests.continuation.yield()
    }

    /// Whether an image belongs to the folder.
    func owns(_ path: FilePath) -> Bool { path.starts(with: folder) }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskExecutorPreference(self.executor) { await self.follow() }
        }
    }

    private func follow() async {
        let (reasons, reason) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let watch = FolderWatch(folder, interval: Self.interval)
        await withDiscardingTaskGroup { group in
            group.addTask { for await _ in watch.changes() { reason.yield() } }
            group.addTask { for await _ in self.library.foreignChangeNotes { reason.yield() } }
            group.addTask { for await _ in self.requests.stream { reason.yield() } }
            var last: Look?
            // One at a time: each look that fails would otherwise add another.
            var retry: Task<Void, Never>?
            defer { retry?.cancel() }
            for await _ in reasons {
                retry?.cancel()
                let isAsked = state.withLock { state in
                    defer { state.isAsked = false }
                    return state.isAsked
                }
                if isAsked { last = nil }
                let (before, foreignChanges) = (last, library.foreignChanges)
                last = await look(after: last, foreignChanges)
                if last == nil {
                    retry = Task {
                        if (try? await Task.sleep(for: Self.pause)) != nil { reason.yield() }
                    }
                }
                if before == nil, last != nil, !isAsked {
                    logger.info("\(self.folder) is followed")
                }
            }
            group.cancelAll()
        }
    }

    /// Whether vectors came too late, as the index was changed to another model.
    private static func isStale(_ error: any Error) -> Bool {
        (error as? IndexError)?.isOfOtherModel ?? (error as? QueryError)?.isOfOtherModel ?? false
    }

    /// What a look found.
    private struct Look {
        let scan: FolderScan
        let foreignChanges: Int
    }

    /// Brings the index in step if the folder or the index has changed since the last look.
    ///
    /// - Returns: what was found; nil if the index is not in step.
    private func look(after last: Look?, _ foreignChanges: Int) async -> Look? {
        do {
            let scan = try FolderScan(folder, exclude: exclude)
            let look = Look(scan: scan, foreignChanges: foreignChanges)
            state.withLock {
                $0.lastScan = .now
                $0.passedOver = scan.passedOver
            }
            if let last, last.foreignChanges == foreignChanges, scan.findsSame(as: last.scan) {
                return look
            }
            return try await update(scan) ? look : nil
        } catch is CancellationError {
            return nil
        } catch let error where Self.isStale(error) && library.refusal == nil {
            // The index was changed to another model of ours meanwhile: the next time is soon.
            state.withLock { $0.isRunning = false }
            return nil
        } catch {
            let reason = "\(error)"
            let isNew = state.withLock { state in
                defer {
                    state.error = reason
                    state.isRunning = false
                }
                return state.error != reason
            }
            if isNew { logger.warning("the folder was not indexed: \(reason)") }
            return nil
        }
    }

    /// - Returns: false if it was cancelled.
    private func update(_ scan: FolderScan) async throws -> Bool {
        state.withLock {
            $0.done = 0
            $0.total = 0
            $0.isRunning = true
        }
        let report = try await Indexer(library.model, work: work).update(
            library.directory, with: scan
        ) { progress in
            state.withLock {
                $0.done = progress.done
                $0.total = progress.total
            }
        }
        if report.wasCancelled { return false }
        let known = state.withLock { state in
            defer {
                state.failures = report.failures
                state.error = nil
                state.isRunning = false
            }
            return Set(state.failures)
        }
        for failure in report.failures where !known.contains(failure) {
            logger.info("skipped \(failure.path): \(failure.reason)")
        }
        if report.changed > 0 {
            logger.info(
                "indexed \(folder)",
                metadata: [
                    "encoded": "\(report.encoded)", "reused": "\(report.reused)",
                    "removed": "\(report.removed)", "skipped": "\(report.failures.count)",
                    "images": "\(scan.files.count)",
                ])
        }
        return true
    }
}
