import Foundation
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import Retrieval
import ServiceLifecycle
public import SystemPackage
import UnixSignals

/// A service that answers searches of an index over HTTP.
///
/// It also serves explanations, answers to questions about images, the images, changes of the
/// index, and a web page for people.
public struct RetrievalService: Sendable {
    private let parts: ServiceParts
    private let logger: Logger

    /// Opens the index; creates it first if it is missing and clients or a folder may fill it.
    ///
    /// - Parameters:
    ///   - configuration: The settings, which this initialiser checks.
    ///   - model: The model that made the index, or to which the index will be changed.
    ///   - former: The model that made the index, if it differs from `model`. It answers searches
    ///     while the service changes the index to `model`; the service does so only if clients or
    ///     a folder may write.
    ///   - questions: The model that answers questions about images. Default: none, so that the
    ///     service refuses questions.
    ///   - index: The directory of the index.
    ///   - recall: What proposes candidates. Default: the index itself. If the settings name a
    ///     store, this must be its client.
    ///   - logger: The logger, which receives one line per request.
    /// - Throws: `IndexError` if the index cannot be opened or was made with another model;
    ///   ``ServerError`` if a setting is invalid or the page's files are missing; an error of the
    ///   file system.
    public init(
        _ configuration: ServerConfiguration, model: SearchModel, former: SearchModel? = nil,
        questions: QuestionModel? = nil, index: FilePath,
        recall: any CandidateRecall = EmbeddedRecall(), logger: Logger
    ) async throws {
        try configuration.check()
        if configuration.recall != nil, recall is EmbeddedRecall {
            throw ServerError.setting(
                "recall", "names a store, but this program has no client for it")
        }
        parts = try await ServiceParts.open(
            configuration, model, former: former, questions: questions, index: index,
            recall: recall, logger)
        self.logger = logger
    }

    /// Serves until the process receives SIGTERM or SIGINT, and finishes the requests in flight.
    ///
    /// - Parameters:
    ///   - handlesSignals: Whether SIGTERM and SIGINT end the service instead of the process.
    ///     Default: true. If false, the service runs until the task is cancelled, which does not
    ///     wait for requests in flight.
    ///   - onListening: A closure that receives the address, such as `http://127.0.0.1:8080`, once
    ///     the service listens.
    /// - Throws: ``ServerError`` if the service cannot listen on the address; `CancellationError` if
    ///   the task is cancelled.
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
