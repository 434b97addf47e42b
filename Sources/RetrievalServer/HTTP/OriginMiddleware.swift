import HTTPTypes
import Hummingbird

/// Adds the headers that let browsers load only the page's own parts.
struct SecurityHeadersMiddleware: RouterMiddleware {
    typealias Context = ServiceContext

    static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'",
        "img-src 'self' blob: data:", "connect-src 'self'", "form-action 'none'",
        "base-uri 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.contentSecurityPolicy] =
            response.headers[.contentSecurityPolicy] ?? Self.policy
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.referrerPolicy] = "no-referrer"
        response.headers[.resourcePolicy] = "same-origin"
        return response
    }
}

/// Refuses requests whose host is not a name of the service.
struct HostMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    private let names: Set<String>?

    init(_ configuration: ServerConfiguration) {
        let own = Set(configuration.names.map { $0.lowercased() })
        let host = configuration.host.lowercased()
        let address = host.contains(":") ? "[\(host)]" : host
        if configuration.isLoopback {
            names = own.union(["localhost", "127.0.0.1", "[::1]", address])
        } else {
            names = own.isEmpty ? nil : own.union([address])
        }
    }

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        if let names {
            let host = request.head.authority ?? ""
            guard let name = Authority(host)?.name, names.contains(name) else {
                throw Problem(
                    .misdirected,
                    "'\(host.prefix(100))' is not a name of this service; see the setting 'names'")
            }
        }
        return try await next(request, context)
    }
}

/// Refuses requests that a browser sends for a page of another site.
///
/// Browsers name the site in `Sec-Fetch-Site` and `Origin`; other clients send neither.
struct OriginMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    private let names: Set<String>

    /// Creates the middleware.
    ///
    /// - Parameter names: The names of the service that count as its own origin, even if a proxy
    ///   replaces the host name.
    init(names: [String]) { self.names = Set(names.map { $0.lowercased() }) }

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        guard isWelcome(request) else {
            throw Problem(.forbidden, "pages of other sites may not use this service")
        }
        return try await next(request, context)
    }

    private func isWelcome(_ request: Request) -> Bool {
        if request.headers[.fetchSite]?.lowercased() == "cross-site" {
            // Following a link to this service is as safe as typing its address.
            let isReading = request.method == .get || request.method == .head
            return isReading && request.headers[.fetchMode]?.lowercased() == "navigate"
        }
        guard let origin = request.headers[.origin] else { return true }
        let parts = origin.split(separator: "://", maxSplits: 1)
        guard parts.count == 2, let from = Authority(String(parts[1])) else { return false }
        if names.contains(from.name) { return true }
        let usual = parts[0].lowercased() == "https" ? 443 : 80
        guard let own = request.head.authority.flatMap(Authority.init) else { return false }
        return from.name == own.name && (from.port ?? usual) == (own.port ?? usual)
    }
}
