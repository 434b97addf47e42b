/// Retries an operation while another process writes to an index.
package struct LockPatience: Sendable {
    /// The time to wait after the task was cancelled, so that another process's commit does not
    /// cause the loss of encoded images.
    private static let cancelledLimit = Duration.seconds(5)

    /// The time to wait.
    let limit: Duration

    /// Creates a retry policy with a time limit.
    package init(limit: Duration) { self.limit = limit }

    /// Runs a closure, and repeats it while the index is locked.
    ///
    /// - Parameters:
    ///   - onWait: Called once if the index is locked.
    ///   - body: Locks the index and does the work.
    /// - Returns: The result of `body`.
    /// - Throws: ``IndexError`` if the index is still locked after the limit; `CancellationError`
    ///   if the task was cancelled meanwhile; the errors of `body`.
    package func callAsFunction<Value>(
        onWait: () -> Void = {}, _ body: () async throws -> Value
    ) async throws -> Value {
        let start = ContinuousClock.now
        var hasWaited = false
        while true {
            do {
                return try await body()
            } catch let error as IndexError where error.isLocked {
                let limit = Task.isCancelled ? min(limit, Self.cancelledLimit) : limit
                guard ContinuousClock.now - start < limit else {
                    if Task.isCancelled { throw CancellationError() }
                    throw error
                }
            }
            if !hasWaited { onWait() }
            hasWaited = true
            // Detached, because a sleep in a cancelled task returns at once.
            await Task.detached { try? await Task.sleep(for: .milliseconds(50)) }.value
        }
    }
}
