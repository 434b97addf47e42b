import NIOCore
import Synchronization

/// How many connections every address has.
final class ConnectionCounts: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    private let limit: Int

    /// - Parameter limit: connections of one address at a time.
    init(limit: Int) { self.limit = limit }

    /// Counts a connection; false, and not counted, if its address has too many.
    func open(_ address: String) -> Bool {
        counts.withLock { counts in
            let count = counts[address, default: 0]
            guard count < limit else { return false }
            counts[address] = count + 1
            return true
        }
    }

    /// A connection that was counted has ended.
    func close(_ address: String) {
        counts.withLock { counts in
            guard let count = counts[address] else { return }
            counts[address] = count > 1 ? count - 1 : nil
        }
    }
}

/// Turns a connection away if its address has too many, before anything of it is read.
final class ConnectionLimiter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case new
        /// nil: of an address without a limit.
        case open(String?)
        case turnedAway
    }

    private let counts: ConnectionCounts
    private let proxies: TrustedProxies
    private let refusals: Refusals
    private var state = State.new

    init(_ counts: ConnectionCounts, _ proxies: TrustedProxies, _ refusals: Refusals) {
        self.counts = counts
        self.proxies = proxies
        self.refusals = refusals
    }

    func channelActive(context: ChannelHandlerContext) {
        let peer = context.channel.remoteAddress?.ipAddress
        // A proxy brings the connections of many.
        let address = peer.flatMap { proxies.isTrusted($0) ? nil : $0 }
        guard address.map(counts.open) ?? true else {
            state = .turnedAway
            let problem = Problem.unavailable("this address has too many connections")
            let answer = refusals.answer(problem, to: peer)
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer.bytes)), promise: nil)
            context.close(promise: nil)
            return
        }
        state = .open(address)
        refusals.metrics.countConnections(1)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .turnedAway = state { return }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .open(let address) = state {
            if let address { counts.close(address) }
            refusals.metrics.countConnections(-1)
        }
        context.fireChannelInactive()
    }
}
