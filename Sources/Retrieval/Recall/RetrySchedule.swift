/// The pauses between attempts: they double up to a bound, and vary at random, so that clients
/// that failed together do not return together.
package struct RetrySchedule: Sendable {
    /// The longest first pause.
    package let first: Duration
    /// The longest pause.
    package let longest: Duration
    private var attempt = 0

    /// Creates a schedule.
    ///
    /// - Parameters:
    ///   - first: The longest first pause. Default: 100 ms.
    ///   - longest: The longest pause. Default: 5 s.
    package init(first: Duration = .milliseconds(100), longest: Duration = .seconds(5)) {
        self.first = first
        self.longest = longest
    }

    /// Returns the next pause: at random between half of the bound and the bound.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let bound = min(longest, first * Double(1 << min(attempt, 16)))
        attempt += 1
        return bound * Double.random(in: 0.5...1, using: &generator)
    }
}
