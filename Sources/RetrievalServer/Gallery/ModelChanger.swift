import Logging
import Retrieval
import ServiceLifecycle
import Synchronization
import SystemPackage

/// Changes the index to the model that the service was started with, while the model of the index
/// answers.
///
/// Images are decoded and encoded as those of the folder are, after whatever clients ask for. What
/// clients and the folder change meanwhile is taken over before the new index takes its place.
final class ModelChanger: Service, Sendable {
    /// How far it is.
    struct Status: Sendable {
        /// The model that the index is changed to.
        let model: String
        /// Images that are encoded.
        var encoded = 0
        /// Why it does not go on; nil if it does.
        var error: String?
    }

    /// How long after an error it is tried again.
    private static let pause = Duration.seconds(10)
    private let folder: FilePath
    private let exclude: [String]
    private let library: IndexLibrary
    private let indexer: Indexer
    private let executor: WorkQueueExecutor
    private let logger: Logger
    private let state: Mutex<Status?>

    /// A changer.
    ///
    /// - Parameters:
    ///   - folder: what is followed, or else where clients' images are kept.
    ///   - exclude: patterns of what to leave out of it.
    ///   - compute: the model's thread.
    ///   - images: the threads that decode.
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

    /// How far it is; nil when the index is of the wanted model.
    var status: Status? {
        guard var status = state.withLock({ $0 }) else { return nil }
        status.encoded = IndexSuccessor(of: library.directory)?.count ?? status.encoded
        return status
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskExecutorPreference(self.executor) { await self.change() }
            // A service that returns ends the others.
            try? await gracefulShutdown()
        }
    }

    /// Tries until it is done, or the service ends; what is encoded then is kept for the next start.
    private func change() async {
        logger.notice(
            """
            the index is changed to the model \(library.wanted.signature.title); its model \
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
                    logger.warning("the index is not changed to another model yet: \(error)")
                }
                try? await Task.sleep(for: Self.pause)
            }
        }
    }
}
