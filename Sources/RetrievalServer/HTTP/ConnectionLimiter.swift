import NIOCore
import Synchronization

/// The number of open connections per address.
final class ConnectionCounts: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    private let limit: Int

    /// Creates counts without connections.
    ///
    /// - Parameter limit: The most connections of one address at a time.
    init(limit: Int) { self.limit = limit }

    /// Counts a connection, or returns false if its address has too many.
    func open(_ address: String) -> Bool {
        counts.withLock { counts in
            let count = counts[address, default: 0]
            guard count < limit else { return false }
            counts[address] = count + 1
            return true
        }
    }

    /// Removes a connection from the count.
    func close(_ address: String) {
        counts.withLock { counts in
            guard let count = counts[address] else { return }
            counts[address] = count > 1 ? count - 1 : nil
        }
    }
}

/// Refuses a connection, before reading from it, if its address has too many.
final class ConnectionLimiter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case new
        /// The connection is open; the address is nil if it has no limit.
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
        // A trusted proxy carries the connections of many clients.
        let address = peer.flatMap { proxies.isTrusted($0) ? nil : $0 }
        guard address.map(counts.open) ?? true else {
            state = .turnedAway
            let problem = Problem.unavailable("too many connections of this address")
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
