import RetrievalServer
import Testing

@Suite("The rate limit of an address")
struct RateLimiterTests {
    @Test("A burst passes, and then requests at the rate, whatever the clock does")
    func rate() {
        let limiter = RateLimiter(rate: 2)
        let start = ContinuousClock.now
        for _ in 0..<6 { #expect(limiter.wait(of: "a", now: start) == nil) }
        #expect(limiter.wait(of: "a", now: start) == 0.5)
        #expect(limiter.wait(of: "b", now: start) == nil)
        #expect(limiter.wait(of: "a", now: start + .milliseconds(500)) == nil)
        #expect(limiter.wait(of: "a", now: start + .milliseconds(500)) != nil)
        // A bucket holds no more than a burst, however long the address was idle.
        let later = start + .seconds(3600)
        for _ in 0..<6 { #expect(limiter.wait(of: "a", now: later) == nil) }
        #expect(limiter.wait(of: "a", now: later) != nil)
    }

    @Test("Many other addresses do not reset the bucket of an active one")
    func many() {
        let limiter = RateLimiter(rate: 1, generation: 10)
        let now = ContinuousClock.now
        for _ in 0..<3 { #expect(limiter.wait(of: "busy", now: now) == nil) }
        for index in 0..<1000 {
            #expect(limiter.wait(of: "other \(index)", now: now) == nil)
            if index % 5 == 0 { #expect(limiter.wait(of: "busy", now: now) != nil, "\(index)") }
        }
        // An address that was idle for long starts with a full bucket.
        for index in 1000..<1030 { _ = limiter.wait(of: "other \(index)", now: now) }
        #expect(limiter.wait(of: "busy", now: now) == nil)
    }
}
