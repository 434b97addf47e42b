import NIOCore
import NIOHTTP1

/// Looks after one connection, between the parser of HTTP and what answers requests.
///
/// Heads that no server may answer, and what the parser refuses, get a problem document; a client that
/// waits for `100 Continue` gets it once its body is wanted; a connection ends behind an answer that
/// says so.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Asks for the body of a request whose client waits to be asked.
    struct Continue: Sendable {}

    private let deadline: HeadDeadline
    private let refusals: Refusals
    /// Requests whose answer is not yet written.
    private var unanswered = 0
    /// Whether the end of a request is still to come.
    private var isReading = false
    /// Why nothing more is read, to be said when `unanswered` is 0.
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
            // What comes behind reads this rather than the version.
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

    /// What makes a head one that is answered 400 (RFC 9112, 3.2); nil for others.
    private static func fault(of head: HTTPRequestHead) -> String? {
        switch head.headers["host"].count {
        case 0 where head.version != .http1_0: "the request has no Host"
        case 0, 1: nil
        default: "the request has more than one Host"
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else {
            context.fireErrorCaught(error)
            return
        }
        guard !isDeaf, !isClosing else { return }
        if isReading, unanswered > 0 {
            // Whoever reads the body hears of it, answers, and the connection ends then.
            isDeaf = true
            isClosing = true
            context.fireErrorCaught(error)
        } else if isReading {
            // It was answered already, whatever its body was to be.
            isDeaf = true
            close(context)
        } else {
            refuse(context, Problem(.invalidRequest, "what was sent is not HTTP: \(error)"))
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
                say(context, refusal)
            } else if isClosing {
                end(context, data, promise)
            } else {
                if isReading { deadline.bodyIsUnwanted(context) }
                context.write(data, promise: promise)
            }
        }
    }

    /// Reads nothing more, and says why once all is answered that was asked before.
    private func refuse(_ context: ChannelHandlerContext, _ problem: Problem) {
        isDeaf = true
        isReading = false
        if unanswered == 0 { say(context, problem) } else { refusal = problem }
    }

    private func say(_ context: ChannelHandlerContext, _ problem: Problem) {
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

    /// Writes the end of the last answer, and closes when it is sent.
    private func end(
        _ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?
    ) {
        isDeaf = true
        isClosing = true
        let sent = promise ?? context.eventLoop.makePromise()
        sent.futureResult.assumeIsolated().whenComplete { _ in self.close(context) }
        context.write(data, promise: sent)
    }

    /// Ends the sending, and all a second later: at once, what the client still sends would make its
    /// system throw the answer away.
    private func close(_ context: ChannelHandlerContext) {
        let channel = context.channel
        context.close(mode: .output, promise: nil)
        channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }
}
