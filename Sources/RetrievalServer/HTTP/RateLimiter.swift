import HTTPTypes
import Hummingbird
import Synchronization

/// Limits the requests of each address with a token bucket.
///
/// The buckets form two generations. When the younger one is full, the limiter drops the older one
/// as a whole, so every request takes constant time. Only addresses without a request meanwhile lose
/// their bucket, and start with a full one.
package final class RateLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var at: ContinuousClock.Instant
    }

    private struct State {
        var young: [String: Bucket] = [:]
        var old: [String: Bucket] = [:]
    }

    private let rate: Double
    private let burst: Double
    private let generation: Int
    private let state = Mutex(State())

    /// Creates a limiter.
    ///
    /// - Parameters:
    ///   - rate: The requests per second, above 0. A burst may have three times as many, and at least
    ///     one.
    ///   - generation: The most addresses in a generation; 10,000 by default.
    package init(rate: Double, generation: Int = 10_000) {
        self.rate = rate
        self.generation = generation
        burst = max(1, 3 * rate)
    }

    /// Takes a token from the bucket of an address.
    ///
    /// - Returns: The seconds until the next token if the bucket is empty; nil if the address may make
    ///   its request.
    /// - Complexity: O(1).
    package func wait(of client: String, now: ContinuousClock.Instant) -> Double? {
        state.withLock { state in
            var bucket =
                state.young[client] ?? state.old[client] ?? Bucket(tokens: burst, at: now)
            bucket.tokens = min(burst, bucket.tokens + rate * ((now - bucket.at) / .seconds(1)))
            bucket.at = now
            let isAllowed = bucket.tokens >= 1
            if isAllowed { bucket.tokens -= 1 }
            if state.young[client] == nil, state.young.count >= generation {
                state.old = state.young
                state.young = [:]
            }
            state.young[client] = bucket
            return isAllowed ? nil : (1 - bucket.tokens) / rate
        }
    }
}

/// Refuses requests of an address that exceed its rate.
struct RateLimitMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    let limiter: RateLimiter
    /// The permitted requests per second, for the error message.
    let rate: Double

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        if let wait = limiter.wait(of: context.client, now: .now) {
            var problem = Problem(
                .rateLimited, "one address may make \(rate) requests per second; try again later")
            // The lowest permitted rate bounds the wait, so the conversion cannot trap.
            problem.headers[.retryAfter] = String(Int(max(1, min(wait.rounded(.up), 1e6))))
            throw problem
        }
        return try await next(request, context)
    }
}
