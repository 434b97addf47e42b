import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1

/// Assigns an id to every request, converts errors to problem documents, and logs and counts answers.
struct RequestMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    let metrics: ServiceMetrics
    let paths: KnownPaths
    let proxies: TrustedProxies

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        let start = ContinuousClock.now
        let id = context.requestID
        var context = context
        context.client = proxies.client(request.headers, peer: context.client)
        metrics.begin()
        defer { metrics.end() }
        var response: Response
        var detail: String?
        var invitation: Invitation?
        do {
            invitation = try Invitation(request, context.channel)
            response = try await next(invitation?.invited(request) ?? request, context)
        } catch {
            let problem = problem(error, request)
            detail = problem.kind == .internalError ? "\(error)" : problem.detail
            response = problem.response(instance: id)
        }
        // A client without `100 Continue` may send its body or not, so the next bytes are ambiguous.
        if let invitation, !invitation.isSent { response.headers[.connection] = "close" }
        response.headers[.requestID] = id
        let route = paths.isKnown(request) ? context.endpointPath ?? "other" : "other"
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        metrics.count(
            method: request.method.rawValue, route: route, status: response.status.code,
            seconds: seconds)
        log(request, context, response, route, seconds, detail)
        return response
    }

    private func problem(_ error: any Error, _ request: Request) -> Problem {
        if let error = error as? HTTPParserError {
            var problem = Problem(.invalidRequest, "the body is not valid HTTP: \(error)")
            problem.headers[.connection] = "close"
            return problem
        }
        guard let error = error as? HTTPError, error.status == .notFound else {
            return Problem(error)
        }
        // The router reports 404 for a wrong method too.
        guard let methods = paths.methods(of: request.uri.path),
            !methods.contains(request.method.rawValue)
        else { return Problem(.notFound, "this path does not exist; see /openapi.json") }
        var problem = Problem(
            .methodNotAllowed, "this path supports \(methods.joined(separator: ", "))")
        problem.headers[.allow] = methods.joined(separator: ", ")
        return problem
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
            "path": "\(request.uri.path)", "status": .stringConvertible(status),
            "milliseconds": .stringConvertible((seconds * 1e6).rounded() / 1e3),
            "client": "\(context.client)",
        ]
        if let detail { metadata["detail"] = "\(detail)" }
        context.logger.log(level: level, "answered", metadata: metadata)
    }
}

/// Limits the time of every request.
struct TimeoutMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    let seconds: Double

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        try await withoutActuallyEscaping(next) { next in
            // `withTimeout` awaits its tasks, so `next` does not escape.
            nonisolated(unsafe) let next = next
            return try await withTimeout(
                seconds: seconds, Problem(.timedOut, "no answer was found within \(seconds) s")
            ) { try await next(request, context) }
        }
    }
}
