import NIOCore
import NIOHTTP1

/// Handles one connection, between the HTTP parser and the handler that answers requests.
///
/// It answers invalid heads, and input that the parser refuses, with a problem document. It sends
/// `100 Continue` to a client that waits for it once the service reads the body. It closes the
/// connection after an answer with `Connection: close`.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The event that sends `100 Continue` to the client.
    struct Continue: Sendable {}

    private let deadline: HeadDeadline
    private let refusals: Refusals
    /// The number of requests without a complete answer.
    private var unanswered = 0
    /// Whether a request has begun and not ended.
    private var isReading = false
    /// The problem to send when `unanswered` is 0; until then the handler discards all input.
    private var refusal: Problem?
    private var isDeaf = false
    private var isClosing = false

    init(_ deadline: HeadDeadline, _ refusals: Refusals) {
        self.deadline = deadline
        self.refusals = refusals
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDeaf else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            deadline.headArrived()
            if let fault = Self.fault(of: head) {
                refuse(context, Problem(.invalidRequest, fault))
                return
            }
            // The following handlers read this header and not the version.
            if !head.isKeepAlive {
                head.headers.replaceOrAdd(name: "connection", value: "close")
            }
            if head.version == .http1_0 { head.headers.remove(name: "expect") }
            unanswered += 1
            isReading = true
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body:
            context.fireChannelRead(data)
        case .end:
            isReading = false
            deadline.requestEnded()
            context.fireChannelRead(data)
        }
    }

    /// Returns what is wrong with a head's `Host` (RFC 9112, 3.2); nil for a valid head.
    private static func fault(of head: HTTPRequestHead) -> String? {
        switch head.headers["host"].count {
        case 0 where head.version != .http1_0: "the request has no Host header"
        case 0, 1: nil
        default: "the request has more than one Host header"
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else {
            context.fireErrorCaught(error)
            return
        }
        guard !isDeaf, !isClosing else { return }
        if isReading, unanswered > 0 {
            // The reader of the body receives the error and answers; then the connection ends.
            isDeaf = true
            isClosing = true
            context.fireErrorCaught(error)
        } else if isReading {
            // The request was already answered, before its body ended.
            isDeaf = true
            close(context)
        } else {
            refuse(context, Problem(.invalidRequest, "the request is not valid HTTP: \(error)"))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let expired = event as? HeadDeadline.Expired else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        guard expired.hasBegun, !isReading else {
            context.close(promise: nil)
            return
        }
        refuse(
            context,
            Problem(
                .bodyTimeout, "the head of the request did not arrive within \(expired.seconds) s"))
    }

    // MARK: Answers

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard event is Continue else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        let head = HTTPResponseHead(version: .http1_1, status: .continue)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: promise)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            if head.headers["connection"].contains(where: { $0.lowercased() == "close" }) {
                isClosing = true
            }
            context.write(data, promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            unanswered -= 1
            guard unanswered == 0 else {
                context.write(data, promise: promise)
                return
            }
            if let refusal {
                context.write(data, promise: promise)
                send(refusal, context)
            } else if isClosing {
                end(context, data, promise)
            } else {
                if isReading { deadline.bodyIsUnwanted(context) }
                context.write(data, promise: promise)
            }
        }
    }

    /// Stops reading, and sends the problem once all earlier requests are answered.
    private func refuse(_ context: ChannelHandlerContext, _ problem: Problem) {
        isDeaf = true
        isReading = false
        if unanswered == 0 { send(problem, context) } else { refusal = problem }
    }

    private func send(_ problem: Problem, _ context: ChannelHandlerContext) {
        refusal = nil
        let answer = refusals.answer(problem, to: context.channel.remoteAddress?.ipAddress)
        let head = HTTPResponseHead(
            version: .http1_1, status: .init(statusCode: answer.status),
            headers: HTTPHeaders(answer.headers.map { ($0.name, $0.value) }))
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(
            wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
        end(context, wrapOutboundOut(.end(nil)), nil)
        context.flush()
    }

    /// Writes the end of the last answer, and closes the connection once it is sent.
    private func end(
        _ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?
    ) {
        isDeaf = true
        isClosing = true
        let sent = promise ?? context.eventLoop.makePromise()
        sent.futureResult.assumeIsolated().whenComplete { _ in self.close(context) }
        context.write(data, promise: sent)
    }

    /// Closes the sending side now, and the connection a second later.
    ///
    /// If the connection closed at once while the client still sends, the client's system would
    /// discard the answer.
    private func close(_ context: ChannelHandlerContext) {
        let channel = context.channel
        context.close(mode: .output, promise: nil)
        channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }
}
