import HTTPTypes
import Hummingbird
import Logging

/// Answers, logs and counts input that never becomes a request.
struct Refusals: Sendable {
    /// The route of these answers in the metrics.
    static let route = "none"

    /// A complete answer.
    struct Answer {
        let status: Int
        let headers: [(name: String, value: String)]
        let body: [UInt8]

        /// The answer as it is sent over the connection.
        var bytes: [UInt8] {
            let lines = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
            return Array("HTTP/1.1 \(status) \r\n\(lines)\r\n".utf8) + body
        }
    }

    let metrics: ServiceMetrics
    let logger: Logger

    /// Returns the answer to a client whose connection ends with it, and logs and counts it.
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
