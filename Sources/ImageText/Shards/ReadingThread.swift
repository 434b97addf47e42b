internal import Dispatch

/// Runs blocking work one piece after another, away from Swift's thread pool.
struct ReadingThread: Sendable {
    private let queue = DispatchQueue(label: "albef.shards")

    /// Adds a piece of work; pieces run in the order in which they were added.
    ///
    /// - Returns: A way to wait for the result, to be used once.
    func run<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result
    ) -> PendingResult<Result> {
        let (results, continuation) = AsyncThrowingStream<Result, any Error>.makeStream()
        queue.async {
            do {
                continuation.yield(try work())
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        return PendingResult(results: results)
    }
}

/// The result of work on a ``ReadingThread``.
struct PendingResult<Result: Sendable>: Sendable {
    fileprivate let results: AsyncThrowingStream<Result, any Error>

    /// Waits for the result.
    ///
    /// - Throws: The error of the work, or `CancellationError` if the task is cancelled.
    func value() async throws -> Result {
        for try await result in results { return result }
        throw CancellationError()
    }
}
