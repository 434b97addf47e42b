/// A service that did not start, or did not answer a ``ServiceClient``.
public struct RetrievalTestingError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable { case connection, document, stopped }

    private let code: Code
    /// What is wrong and what to do, in one line.
    public let description: String

    static func refused(port: UInt16) -> RetrievalTestingError {
        RetrievalTestingError(
            code: .connection,
            description: "127.0.0.1:\(port): cannot connect; use the client only while the function"
                + " that got it runs")
    }

    static func closed(port: UInt16) -> RetrievalTestingError {
        RetrievalTestingError(
            code: .connection,
            description: "127.0.0.1:\(port): the connection ended before an answer was complete;"
                + " pass a logger to see why")
    }

    static func document(_ method: String, _ path: String) -> RetrievalTestingError {
        RetrievalTestingError(
            code: .document,
            description: "\(method) \(path): the document is not JSON; make it of dictionaries,"
                + " arrays, strings, numbers, Booleans and NSNull")
    }

    static func stopped() -> RetrievalTestingError {
        RetrievalTestingError(
            code: .stopped,
            description: "the service ended before it listened; pass a logger to see why")
    }
}
