import Logging
import Retrieval
import ServiceLifecycle
import Synchronization
import SystemPackage

/// A service that changes the index to the model with which the service was started.
///
/// Meanwhile the present model of the index answers searches. The changer decodes and encodes the
/// images on the queues of the service, where clients' requests come first. It adopts the changes
/// that clients and the folder make meanwhile before the new index replaces the old one.
final class ModelChanger: Service, Sendable {
    /// The progress of the change.
    struct Status: Sendable {
        /// The title of the model to which the index is being changed.
        let model: String
        /// The number of images encoded so far.
        var encoded = 0
        /// The error that interrupted the change; nil if it proceeds.
        var error: String?
    }

    /// The time between an error and the next try.
    private static let pause = Duration.seconds(10)
    private let folder: FilePath
    private let exclude: [String]
    private let library: IndexLibrary
    private let indexer: Indexer
    private let executor: WorkQueueExecutor
    private let logger: Logger
    private let state: Mutex<Status?>

    /// Creates a changer.
    ///
    /// - Parameters:
    ///   - folder: The followed folder, or the folder of clients' images if the service follows
    ///     none.
    ///   - exclude: The patterns of files and folders to leave out.
    ///   - library: The index to change.
    ///   - compute: The thread that runs the model.
    ///   - images: The threads that decode images.
    ///   - logger: The logger for progress and failures.
    init(
        _ folder: FilePath, exclude: [String], _ library: IndexLibrary, compute: WorkQueue,
        images: WorkQueue, _ logger: Logger
    ) {
        self.folder = folder.absolute
        self.exclude = exclude
        self.library = library
        self.logger = logger
        executor = WorkQueueExecutor(images, .folder)
        let model = library.wanted
        var options = Indexer.Options()
        options.changesModel = true
        options.changesImageSize = true
        let keepsTokens = library.gallery.index.budget.count != 0
        indexer = Indexer(
            model, options: options,
            work: Indexer.Work(
                encode: { pixels in
                    try await compute.run(.folder) {
                        try model.encode(pixels: pixels, keepsTokens: keepsTokens)
                    }
                },
                commit: nil))
        state = Mutex(Status(model: model.signature.title))
    }

    /// The progress of the change; nil once the index has the wanted model.
    var status: Status? {
        guard var status = state.withLock({ $0 }) else { return nil }
        status.encoded = IndexSuccessor(of: library.directory)?.count ?? status.encoded
        return status
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskExecutorPreference(self.executor) { await self.change() }
            // A service that returns would end the others.
            try? await gracefulShutdown()
        }
    }

    /// Tries until the index is changed or the service ends.
    ///
    /// Images that are encoded by then are kept for the next start.
    private func change() async {
        logger.notice(
            """
            changing the index to the model \(library.wanted.signature.title); its present model \
            \(library.model.signature.title) answers meanwhile
            """)
        while !Task.isCancelled {
            do {
                let report = try await indexer.update(
                    library.directory, with: FolderScan(folder, exclude: exclude))
                if report.wasCancelled { return }
                for failure in report.failures {
                    logger.info("skipped \(failure.path): \(failure.reason)")
                }
                library.refresh()
                state.withLock { $0 = nil }
                return
            } catch {
                let isNew = state.withLock { state in
                    defer { state?.error = "\(error)" }
                    return state?.error != "\(error)"
                }
                if isNew, !Task.isCancelled {
                    logger.warning("could not change the index to the model, will retry: \(error)")
                }
                try? await Task.sleep(for: Self.pause)
            }
        }
    }
}
