import Crypto
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// Turns errors into problem documents, gives every request an id, logs and counts it.
struct RequestMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    let metrics: ServiceMetrics
    let paths: KnownPaths

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        let start = ContinuousClock.now
        let id = context.requestID
        metrics.begin()
        defer { metrics.end() }
        var response: Response
        var detail: String?
        do {
            response = try await next(request, context)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            let problem = problem(error, request)
            detail = problem.kind == .internalError ? "\(error)" : problem.detail
            response = problem.response(instance: id)
            if problem.endsConnection { end(context.channel, &response) }
        }
        response.headers[.requestID] = id
        let route = context.endpointPath ?? "other"
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        metrics.count(
            method: request.method.rawValue, route: route, status: response.status.code,
            seconds: seconds)
        log(request, context, response, route, seconds, detail)
        return response
    }

    private func problem(_ error: any Error, _ request: Request) -> Problem {
        guard let error = error as? HTTPError, error.status == .notFound else {
            return Problem(error)
        }
        // The router's own words; a path that exists lacks the method.
        guard let methods = paths.methods(of: request.uri.path),
            !methods.contains(request.method.rawValue)
        else { return Problem(.notFound, "there is nothing at this path; see /openapi.json") }
        var problem = Problem(
            .methodNotAllowed, "this path has \(methods.joined(separator: ", "))")
        problem.headers[.allow] = methods.joined(separator: ", ")
        return problem
    }

    /// A body that nobody will read need not be received: the answer is sent, then that is all.
    private func end(_ channel: any Channel, _ response: inout Response) {
        response.headers[.connection] = "close"
        channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }

    private func log(
        _ request: Request, _ context: ServiceContext, _ response: Response, _ route: String,
        _ seconds: Double, _ detail: String?
    ) {
        let status = response.status.code
        let isQuiet = route.hasPrefix("/health") || route == "/metrics"
        let level: Logger.Level = status >= 500 && status != 503 ? .error : isQuiet ? .debug : .info
        var metadata: Logger.Metadata = [
            "request": "\(context.requestID)", "method": "\(request.method.rawValue)",
            "path": "\(request.uri.path)", "status": "\(status)",
            "milliseconds": "\((seconds * 1e6).rounded() / 1e3)", "client": "\(context.client)",
        ]
        if let detail { metadata["detail"] = "\(detail)" }
        context.logger.log(level: level, "answered", metadata: metadata)
    }
}

/// What every answer says to browsers: nothing but this page's own parts.
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

/// Refuses requests that call the service by a name that is not its own.
struct HostMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    private let names: Set<String>?

    init(_ configuration: ServerConfiguration) {
        let own = Set(configuration.names.map { $0.lowercased() })
        if configuration.isLoopback {
            names = own.union(["localhost", "127.0.0.1", "[::1]", configuration.host])
        } else {
            names = own.isEmpty ? nil : own.union([configuration.host])
        }
    }

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        if let names {
            let host = request.head.authority ?? ""
            let end = host.hasPrefix("[") ? host.firstIndex(of: "]").map(host.index(after:)) : nil
            let name = host[..<(end ?? host.firstIndex(of: ":") ?? host.endIndex)].lowercased()
            guard names.contains(name) else {
                throw Problem(
                    .misdirected, "the service is not called '\(name)'; see the setting 'names'")
            }
        }
        return try await next(request, context)
    }
}

/// Gives every request so much time.
struct TimeoutMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    let seconds: Double

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        try await withoutActuallyEscaping(next) { next in
            // The group ends before this returns.
            nonisolated(unsafe) let next = next
            return try await withTimeout(
                seconds: seconds, Problem(.timedOut, "no answer within \(seconds) s")
            ) { try await next(request, context) }
        }
    }
}

/// Lets an address ask so often, by a bucket that fills up again.
final class RateLimitMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    private struct Bucket {
        var tokens: Double
        var at: ContinuousClock.Instant
    }

    private static let clients = 10_000
    private let rate: Double
    private let buckets = Mutex<[String: Bucket]>([:])

    /// - Parameter rate: requests a second; the burst is three times that.
    init(rate: Double) { self.rate = rate }

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        if let wait = wait(of: context.client, now: .now) {
            var problem = Problem(
                .rateLimited, "one address may ask \(rate) times a second; try again later")
            problem.headers[.retryAfter] = String(max(1, Int(wait.rounded(.up))))
            throw problem
        }
        return try await next(request, context)
    }

    /// Takes one from an address's bucket; how many seconds to wait if it is empty.
    func wait(of client: String, now: ContinuousClock.Instant) -> Double? {
        let burst = max(1, 3 * rate)
        return buckets.withLock { buckets in
            if buckets.count >= Self.clients {
                buckets = buckets.filter { now - $0.value.at < .seconds(burst / rate) }
                // All of them busy: forgetting is kinder than growing.
                if buckets.count >= Self.clients { buckets = [:] }
            }
            var bucket = buckets[client] ?? Bucket(tokens: burst, at: now)
            bucket.tokens = min(burst, bucket.tokens + rate * ((now - bucket.at) / .seconds(1)))
            bucket.at = now
            let isAllowed = bucket.tokens >= 1
            if isAllowed { bucket.tokens -= 1 }
            buckets[client] = bucket
            return isAllowed ? nil : (1 - bucket.tokens) / rate
        }
    }
}

/// Lets those write who have the key.
struct KeyMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    private let digest: SHA256Digest?

    init(_ key: String?) { digest = key.map { SHA256.hash(data: Array($0.utf8)) } }

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        guard let digest else {
            throw Problem(.forbidden, "the service was started without a key, so nobody may write")
        }
        let given = request.headers[.authorization] ?? ""
        let scheme = "bearer "
        guard given.lowercased().hasPrefix(scheme),
            // Digests are compared, whose equal beginnings tell nothing.
            SHA256.hash(data: Array(given.dropFirst(scheme.count).utf8)) == digest
        else {
            var problem = Problem(.unauthorized, "writing needs 'Authorization: Bearer KEY'")
            problem.headers[.wwwAuthenticate] = "Bearer"
            throw problem
        }
        return try await next(request, context)
    }
}
