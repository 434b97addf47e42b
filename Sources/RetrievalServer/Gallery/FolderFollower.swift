import Logging
import Retrieval
import ServiceLifecycle
import Synchronization
import SystemPackage

/// How far the service is with the folder that it follows.
struct IndexingStatus: Sendable {
    var done = 0
    var total = 0
    var failed = 0
    var isRunning = false
}

/// Keeps the index in step with a folder while it is served.
final class FolderFollower: Service, Sendable {
    private static let interval = Duration.seconds(2)
    private let folder: FilePath
    private let library: IndexLibrary
    private let logger: Logger
    private let state = Mutex(IndexingStatus())

    init(_ folder: FilePath, _ library: IndexLibrary, _ logger: Logger) {
        self.folder = folder
        self.library = library
        self.logger = logger
    }

    /// How far it is.
    var status: IndexingStatus { state.withLock { $0 } }

    func run() async throws {
        await cancelWhenGracefulShutdown { await self.follow() }
    }

    private func follow() async {
        var last: FolderScan?
        while !Task.isCancelled {
            do {
                let scan = try FolderScan(folder)
                if scan.files != last?.files {
                    let report = try await update(scan)
                    if report.wasCancelled { return }
                    last = scan
                }
            } catch {
                // The folder may be away, or another program be writing: there is a next time.
                logger.warning("the folder was not indexed: \(error)")
            }
            state.withLock { $0.isRunning = false }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func update(_ scan: FolderScan) async throws -> Indexer.Report {
        state.withLock { $0 = IndexingStatus(isRunning: true) }
        let report = try await Indexer(library.model).update(library.directory, with: scan) {
            progress in
            state.withLock {
                $0.done = progress.done
                $0.total = progress.total
            }
        }
        state.withLock { $0.failed = report.failures.count }
        for failure in report.failures {
            logger.info("skipped \(failure.path): \(failure.reason)")
        }
        library.refresh()
        return report
    }
}
