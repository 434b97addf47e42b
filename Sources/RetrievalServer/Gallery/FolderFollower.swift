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

/// The progress of indexing the followed folder.
struct IndexingStatus: Sendable {
    var done = 0
    var total = 0
    var isRunning = false
    /// Whether a client asked for a scan that has not begun.
    var isAsked = false
    /// The files and folders that the last scan could not read.
    var failures: [SkippedFile] = []
    /// The number of files of unsupported kinds, by file extension.
    var passedOver: [String: Int] = [:]
    /// The reason why the index is not in step with the folder; nil if it is.
    var error: String?
    /// The time of the last scan.
    var lastScan: Date?
}

/// A service that keeps the served index in step with a folder.
///
/// It decodes and encodes images on the queues of the service, where clients' requests come first.
/// ``GalleryWriter`` commits the changes.
final class FolderFollower: Service, Sendable {
    /// The time between scans if the system does not report changes.
    private static let interval = Duration.seconds(2)
    /// The time between an error and the next scan.
    private static let pause = Duration.seconds(10)
    /// The folder's absolute path.
    let folder: FilePath
    /// The patterns of files and folders to leave out.
    let exclude: [String]
    private let library: IndexLibrary
    private let work: Indexer.Work
    private let executor: WorkQueueExecutor
    private let logger: Logger
    private let state = Mutex(IndexingStatus())
    private let requests = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// Creates a follower.
    ///
    /// - Parameters:
    ///   - folder: The folder to follow.
    ///   - exclude: The patterns of files and folders to leave out, as `FolderScan` accepts them.
    ///   - compute: The thread that runs the model.
    ///   - images: The threads that decode images.
    init(
        _ folder: FilePath, exclude: [String], _ library: IndexLibrary, _ writer: GalleryWriter,
        compute: WorkQueue, images: WorkQueue, _ logger: Logger
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

    /// Commits the encoded images, and waits while another program writes to the index.
    private static func commit(
        _ change: IndexChange, _ writer: GalleryWriter
    ) async throws -> Set<FilePath> {
        while true {
            do {
                // An unstructured task outlives the follower's cancellation, so that no encoded
                // image is lost.
                return try await Task { try await writer.apply(.folder(change)) }.value
            } catch let error as IndexError where error.isLocked {
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// The progress of indexing.
    var status: IndexingStatus { state.withLock { $0 } }

    /// Requests a scan, which also retries the files that could not be read.
    func scan() {
        state.withLock { $0.isAsked = true }
        requests.continuation.yield()
    }

    /// Returns whether an image lies in the folder.
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
            // At most one retry waits; otherwise every failed scan would add another.
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
                    logger.info("following the folder \(self.folder)")
                }
            }
            group.cancelAll()
        }
    }

    /// Returns whether an update failed because the index was changed to another model meanwhile.
    private static func isStale(_ error: any Error) -> Bool {
        (error as? IndexError)?.isOfOtherModel ?? (error as? QueryError)?.isOfOtherModel ?? false
    }

    /// The state of the folder and the index at a scan.
    private struct Look {
        let scan: FolderScan
        let foreignChanges: Int
    }

    /// Brings the index in step if the folder or the index has changed since the last scan.
    ///
    /// - Returns: The state that was found; nil if the index is not in step.
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
            // The index now has another loaded model, so the next scan can succeed.
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
            if isNew { logger.warning("could not index \(folder): \(reason)") }
            return nil
        }
    }

    /// Updates the index from a scan.
    ///
    /// - Returns: False if the update was cancelled.
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
