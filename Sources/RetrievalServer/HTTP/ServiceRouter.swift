import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Builds the router, with its middleware and routes, and the server.
struct ServiceRouter: Sendable {
    private let parts: ServiceParts
    private let proxies: TrustedProxies

    init(_ parts: ServiceParts) {
        self.parts = parts
        proxies = TrustedProxies(parts.configuration.trustedProxies)
    }

    /// Returns the router, whose middleware logs, limits and refuses requests before a route answers.
    func router() -> Router<ServiceContext> {
        let configuration = parts.configuration
        let (page, paths) = (parts.files.page.map(\.path), parts.files.paths)
        let router = Router(context: ServiceContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: SecurityHeadersMiddleware())
        router.add(
            middleware: RequestMiddleware(metrics: parts.metrics, paths: paths, proxies: proxies))
        router.add(middleware: HostMiddleware(configuration))
        let rate = configuration.limits.requestsPerSecond ?? (configuration.isLoopback ? 0 : 50)
        if rate > 0 {
            router.add(
                middleware: RateLimitMiddleware(limiter: RateLimiter(rate: rate), rate: rate))
        }
        if let readKey = configuration.readKey {
            router.add(
                middleware: ReadKeyMiddleware(
                    readKey: readKey, key: configuration.key, page: page))
        }
        router.add(middleware: TimeoutMiddleware(seconds: configuration.limits.requestSeconds))
        let operations = OperationRoutes(parts)
        operations.addOutside(router)
        let api = router.group("api")
            .add(middleware: OriginMiddleware(names: configuration.names))
            .add(middleware: ParameterMiddleware(paths: paths))
        operations.add(to: api)
        SearchRoutes(parts).add(to: api)
        ImageQuestionRoutes(parts).add(to: api)
        ImageRoutes(parts).add(to: api)
        ArchiveRoutes(parts).add(to: api)
        return router
    }

    /// Returns the builder of the HTTP server, which sets up connections.
    func server(_ logger: Logger) -> HTTPServerBuilder {
        let (limits, proxies) = (parts.configuration.limits, proxies)
        let refusals = Refusals(metrics: parts.metrics, logger: logger)
        let counts = ConnectionCounts(limit: limits.connectionsPerAddress)
        return HTTPServerBuilder { responder in
            ServiceChannel(responder, limits, counts, proxies, refusals)
        }
    }
}
