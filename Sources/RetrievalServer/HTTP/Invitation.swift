import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Sends `100 Continue` once to a client that waits for it (RFC 9110, 10.1.1).
///
/// It does so when the service first reads the body, so that a refused client sends no body in vain.
final class Invitation: Sendable {
    private let channel: any Channel
    private let sent = Atomic(false)

    /// Creates an invitation; nil if the client does not wait.
    ///
    /// - Throws: ``Problem`` if the request has an unknown expectation.
    init?(_ request: Request, _ channel: any Channel) throws {
        guard let expectation = request.headers[.expect] else { return nil }
        guard expectation.lowercased() == "100-continue" else {
            throw Problem(.expectationFailed, "Expect: only '100-continue' is supported")
        }
        self.channel = channel
    }

    /// Whether `100 Continue` was sent.
    var isSent: Bool { sent.load(ordering: .relaxed) }

    /// Returns the request with a body that sends the invitation when it is first read.
    func invited(_ request: Request) -> Request {
        var request = request
        request.body = RequestBody(
            asyncSequence: InvitedBody(body: request.body, invitation: self))
        return request
    }

    fileprivate func send() {
        guard !sent.exchange(true, ordering: .relaxed) else { return }
        channel.triggerUserOutboundEvent(ConnectionHandler.Continue(), promise: nil)
    }
}

private struct InvitedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    struct AsyncIterator: AsyncIteratorProtocol {
        var body: RequestBody.AsyncIterator
        let invitation: Invitation

        mutating func next() async throws -> ByteBuffer? {
            invitation.send()
            return try await body.next()
        }
    }

    let body: RequestBody
    let invitation: Invitation

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(body: body.makeAsyncIterator(), invitation: invitation)
    }
}
