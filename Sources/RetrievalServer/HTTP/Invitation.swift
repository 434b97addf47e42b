import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Asks a client for its body, once, where it waits to be asked (RFC 9110, 10.1.1).
///
/// It is asked when the body is first read: who is refused before has sent nothing in vain.
final class Invitation: Sendable {
    private let channel: any Channel
    private let sent = Atomic(false)

    /// nil for a client that does not wait.
    ///
    /// - Throws: ``Problem`` if it expects what is not known.
    init?(_ request: Request, _ channel: any Channel) throws {
        guard let expectation = request.headers[.expect] else { return nil }
        guard expectation.lowercased() == "100-continue" else {
            throw Problem(.expectationFailed, "Expect: '100-continue' is met, and nothing else")
        }
        self.channel = channel
    }

    /// Whether the client was asked.
    var isSent: Bool { sent.load(ordering: .relaxed) }

    /// The request, whose body is asked for when it is first read.
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
