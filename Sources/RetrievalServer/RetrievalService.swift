import Foundation
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import Retrieval
import ServiceLifecycle
public import SystemPackage
import UnixSignals

/// Serves an index over HTTP: search, explanations, pictures, changes, and a page for people.
public struct RetrievalService: Sendable {
    private let parts: ServiceParts
    private let logger: Logger

    /// Opens the index, and creates it where writing or a folder is to fill it.
    ///
    /// - Parameters:
    ///   - configuration: checked by ``ServerConfiguration/check()``.
    ///   - model: what made the index.
    ///   - index: its directory.
    ///   - logger: gets a line for every request.
    /// - Throws: ``IndexError`` if the index cannot be opened or was made with another model;
    ///   ``ServerError`` for settings that do not fit; an error of the file system.
    public init(
        _ configuration: ServerConfiguration, model: SearchModel, index: FilePath, logger: Logger
    ) async throws {
        try configuration.check()
        let isFilled = configuration.key != nil || configuration.photos != nil
        if isFilled { try Self.create(index, model) }
        let store = try configuration.key.map { _ in
            try UploadStore(configuration.uploads ?? FilePath("\(index.string).uploads"))
        }
        if let store { try await Self.reconcile(store, model, index, logger) }
        let library = try IndexLibrary(index, model, logger)
        let metrics = ServiceMetrics(version: configuration.version)
        let compute = WorkQueue("albef.model", threads: 1, limit: configuration.batching.waiting)
        parts = ServiceParts(
            configuration: configuration, model: model, library: library, metrics: metrics,
            compute: compute,
            pictures: WorkQueue(
                "albef.pictures", threads: max(1, ProcessInfo.processInfo.activeProcessorCount),
                limit: configuration.batching.waiting),
            documents: WorkQueue(
                "albef.documents", threads: max(1, ProcessInfo.processInfo.activeProcessorCount),
                limit: configuration.batching.waiting),
            batcher: QueryBatcher(compute, configuration.batching, metrics) { library.gallery },
            writing: store.map { store in
                .init(
                    writer: GalleryWriter(
                        library, store, model: compute, metrics: metrics,
                        limit: configuration.batching.waiting),
                    store: store)
            },
            follower: configuration.photos.map { FolderFollower($0, library, logger) })
        self.logger = logger
    }

    /// Serves until the process is told to end by SIGTERM or SIGINT; what is in flight is finished.
    ///
    /// - Parameter onListening: is given the address once it is listened on, such as
    ///   `http://127.0.0.1:8080`.
    /// - Throws: ``ServerError`` if the address cannot be listened on.
    public func run(onListening: @escaping @Sendable (String) -> Void) async throws {
        let configuration = parts.configuration
        let limits = configuration.limits
        let service = ServiceRouter(parts)
        let application = Application(
            router: service.router(), server: service.server(logger),
            configuration: .init(
                address: .hostname(configuration.host, port: configuration.port),
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections)),
            onServerRunning: { channel in
                let host =
                    configuration.host.contains(":")
                    ? "[\(configuration.host)]" : configuration.host
                let address = "http://\(host):\(channel.localAddress?.port ?? configuration.port)"
                parts.logStart(address, to: logger)
                onListening(address)
            },
            logger: logger)
        var services: [any Service] = [IndexWatch(library: parts.library)]
        if let follower = parts.follower { services.append(follower) }
        services.append(application)
        var group = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(
            Int(limits.requestSeconds.rounded(.up)) + 5)
        defer {
            parts.compute.close()
            parts.pictures.close()
            parts.documents.close()
        }
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as IOError {
            throw ServerError.address(
                configuration.host, configuration.port, "\(Errno(rawValue: error.errnoCode))")
        }
    }

    private static func create(_ index: FilePath, _ model: SearchModel) throws {
        // Opening for writing creates it, and changes nothing in one that is there.
        _ = try ForwardIndex.apply(
            IndexChange(), to: index, model: model.signature, locator: EntryLocator())
    }

    /// Brings the index in step with the pictures that clients sent: where a service was killed, a
    /// file may be there that the index does not know yet, or an entry whose file is gone.
    private static func reconcile(
        _ store: UploadStore, _ model: SearchModel, _ index: FilePath, _ logger: Logger
    ) async throws {
        // An empty folder is an error of a scan; nothing is to be done there.
        guard let scan = try? FolderScan(store.directory) else { return }
        let report = try await Indexer(model).update(index, with: scan)
        if report.changed > 0 {
            logger.notice("took over \(report.changed) changes that a service before this left")
        }
    }
}
