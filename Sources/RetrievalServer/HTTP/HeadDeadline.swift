import NIOCore

/// Gives the head of a request so much time to arrive, and a body that nobody wants to end.
///
/// A new connection has to send its first request at once; later ones may be idle, but from a head's
/// first byte to its last the time is the same.
final class HeadDeadline: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// The time is over.
    struct Expired: Sendable {
        /// Whether some of a head has arrived.
        let hasBegun: Bool
        let seconds: Double
    }

    private let seconds: Double
    private var timer: Scheduled<Void>?
    private var awaitsHead = true
    private var hasBegun = false

    init(seconds: Double) { self.seconds = seconds }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if awaitsHead, !hasBegun {
            hasBegun = true
            if timer == nil { start(context) }
        }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    /// A head is whole.
    func headArrived() {
        stop()
        awaitsHead = false
        hasBegun = false
    }

    /// A request is whole: what comes next is a head.
    func requestEnded() {
        stop()
        awaitsHead = true
    }

    /// A request was answered before its body ended, which must not take for ever.
    func bodyIsUnwanted(_ context: ChannelHandlerContext) { start(context) }

    private func start(_ context: ChannelHandlerContext) {
        stop()
        let time = TimeAmount(.seconds(seconds))
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.timer = nil
            context.fireUserInboundEventTriggered(
                Expired(hasBegun: self.hasBegun, seconds: self.seconds))
        }
    }

    private func stop() {
        timer?.cancel()
        timer = nil
    }
}
