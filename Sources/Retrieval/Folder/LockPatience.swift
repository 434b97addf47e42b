/// Waits while another process writes to an index.
package struct LockPatience: Sendable {
    /// How long to wait after the task was cancelled: what is encoded should not be lost to a
    /// commit of somebody else.
    private static let cancelledLimit = Duration.seconds(5)

    /// How long to wait.
    let limit: Duration

    /// Waits for a time at most.
    package init(limit: Duration) { self.limit = limit }

    /// Runs `body`, again and again while the index is locked.
    ///
    /// - Parameters:
    ///   - onWait: called once if it has to wait.
    ///   - body: takes the lock.
    /// - Throws: ``IndexError`` if the index is still locked after the limit, or `CancellationError`
    ///   if the task was cancelled meanwhile; what `body` throws.
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
            // Detached, because a sleep of a cancelled task returns at once.
            await Task.detached { try? await Task.sleep(for: .milliseconds(50)) }.value
        }
    }
}
