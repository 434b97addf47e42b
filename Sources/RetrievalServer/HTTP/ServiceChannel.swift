import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// Sets up a connection with Hummingbird's HTTP/1.1 channel.
///
/// It adds the limits of connections and heads, and the answers to input that the parser refuses.
struct ServiceChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    private let http: HTTP1Channel
    private let headSeconds: Double
    private let counts: ConnectionCounts
    private let proxies: TrustedProxies
    private let refusals: Refusals

    /// Creates a channel whose requests the responder answers.
    init(
        _ responder: @escaping HTTPChannelHandler.Responder, _ limits: ServerConfiguration.Limits,
        _ counts: ConnectionCounts, _ proxies: TrustedProxies, _ refusals: Refusals
    ) {
        http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                idleTimeout: .milliseconds(Int64(limits.idleSeconds * 1000)),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10,
                    maxHeaderFieldCount: 100)))
        headSeconds = limits.headSeconds
        self.counts = counts
        self.proxies = proxies
        self.refusals = refusals
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let deadline = HeadDeadline(seconds: headSeconds)
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(
                ConnectionHandler(deadline, refusals), position: .after(decoder))
            try pipeline.addHandlers(
                [ConnectionLimiter(counts, proxies, refusals), deadline], position: .first)
            return value
        }
    }

    func handle(value: Value, logger: Logger) async {
        await http.handle(value: value, logger: logger)
    }
}
