import HTTPTypes
import Hummingbird
import Synchronization

/// Counts how often addresses ask: each has a bucket that fills up again.
///
/// Buckets are kept in two generations. The older one is forgotten as a whole when the younger one is
/// full, and then only addresses that did not ask meanwhile begin anew: constant time for every request.
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

    /// A limiter.
    ///
    /// - Parameters:
    ///   - rate: requests a second, positive; the burst is three times that.
    ///   - generation: addresses in a generation.
    package init(rate: Double, generation: Int = 10_000) {
        self.rate = rate
        self.generation = generation
        burst = max(1, 3 * rate)
    }

    /// Takes one from an address's bucket; how many seconds to wait if it is empty.
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

/// Lets an address ask so often.
struct RateLimitMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    let limiter: RateLimiter
    /// Requests a second, for the answer.
    let rate: Double

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        if let wait = limiter.wait(of: context.client, now: .now) {
            var problem = Problem(
                .rateLimited, "one address may ask \(rate) times a second; try again later")
            // The slowest rate that is allowed bounds this.
            problem.headers[.retryAfter] = String(Int(max(1, min(wait.rounded(.up), 1e6))))
            throw problem
        }
        return try await next(request, context)
    }
}
