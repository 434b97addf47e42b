import Foundation
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import Retrieval
import ServiceLifecycle
public import SystemPackage
import UnixSignals

/// Serves an index over HTTP: search, explanations, images, changes, and a page for people.
public struct RetrievalService: Sendable {
    private let parts: ServiceParts
    private let logger: Logger

    /// Opens the index, and creates it where writing or a folder is to fill it.
    ///
    /// - Parameters:
    ///   - configuration: checked by ``ServerConfiguration/check()``.
    ///   - model: what made the index, or what it is to be changed to.
    ///   - former: what made the index, if that is another model: it answers while the index is
    ///     changed to `model`, which is done here if clients or a folder may write.
    ///   - index: its directory.
    ///   - logger: gets a line for every request.
    /// - Throws: ``IndexError`` if the index cannot be opened or was made with another model;
    ///   ``ServerError`` for settings that do not fit; an error of the file system.
    public init(
        _ configuration: ServerConfiguration, model: SearchModel, former: SearchModel? = nil,
        index: FilePath, logger: Logger
    ) async throws {
        try configuration.check()
        parts = try await ServiceParts.open(
            configuration, model, former: former, index: index, logger)
        self.logger = logger
    }

    /// Serves until the process is told to end by SIGTERM or SIGINT; what is in flight is finished.
    ///
    /// - Parameters:
    ///   - handlesSignals: whether the two signals end the service instead of the process, from now
    ///     on; default true. Without that it serves until the task is cancelled, which lets nothing
    ///     finish.
    ///   - onListening: is given the address once it is listened on, such as
    ///     `http://127.0.0.1:8080`.
    /// - Throws: ``ServerError`` if the address cannot be listened on; `CancellationError` if the
    ///   task is cancelled.
    public func run(
        handlesSignals: Bool = true, onListening: @escaping @Sendable (String) -> Void
    ) async throws {
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
        var services: [any Service] = [
            IndexWatch(library: parts.library, queue: parts.disk, writer: parts.writer)
        ]
        if let follower = parts.follower { services.append(follower) }
        if let changer = parts.changer { services.append(changer) }
        services.append(application)
        var group = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: handlesSignals ? [.sigterm, .sigint] : [], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(
            Int(limits.requestSeconds.rounded(.up)) + 5)
        defer { parts.close() }
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as IOError {
            throw ServerError.address(
                configuration.host, configuration.port, "\(Errno(rawValue: error.errnoCode))")
        }
    }
}
