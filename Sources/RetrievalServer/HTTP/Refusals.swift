import HTTPTypes
import Hummingbird
import Logging

/// Answers what never becomes a request: logged and counted like those that do.
struct Refusals: Sendable {
    /// The route that such answers have in the metrics.
    static let route = "none"

    /// A whole answer, and its parts.
    struct Answer {
        let status: Int
        let headers: [(name: String, value: String)]
        let body: [UInt8]

        /// As it goes over the connection.
        var bytes: [UInt8] {
            let lines = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
            return Array("HTTP/1.1 \(status) \r\n\(lines)\r\n".utf8) + body
        }
    }

    let metrics: ServiceMetrics
    let logger: Logger

    /// The answer to a client that is not heard out; the connection ends with it.
    func answer(_ problem: Problem, to client: String?) -> Answer {
        let id = RequestID().description
        let status = problem.kind.status.code
        metrics.count(method: "other", route: Self.route, status: status, seconds: nil)
        logger.info(
            "refused",
            metadata: [
                "request": "\(id)", "status": .stringConvertible(status),
                "client": "\(client ?? "local")", "detail": "\(problem.detail)",
            ])
        let body = problem.document(instance: id)
        let own = problem.headers.map { (name: $0.name.rawName, value: $0.value) }
        return Answer(
            status: status,
            headers: own + [
                ("content-type", Problem.mediaType), ("content-length", "\(body.count)"),
                ("connection", "close"), ("x-content-type-options", "nosniff"),
                (HTTPField.Name.requestID.rawName, id),
            ],
            body: body)
    }
}
