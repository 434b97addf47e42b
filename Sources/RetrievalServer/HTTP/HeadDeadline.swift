import NIOCore

/// Limits the time for the head of a request to arrive, and for an unwanted body to end.
///
/// For the first request of a connection, the time starts when the connection opens. For a later one
/// it starts with the first byte of the head, because the connection may be idle in between.
final class HeadDeadline: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// The event that the time is over.
    struct Expired: Sendable {
        /// Whether a part of the head has arrived.
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

    /// Stops the time, because the head is complete.
    func headArrived() {
        stop()
        awaitsHead = false
        hasBegun = false
    }

    /// Expects the next head, because the request is complete.
    func requestEnded() {
        stop()
        awaitsHead = true
    }

    /// Limits the time for the rest of a body whose request is already answered.
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
