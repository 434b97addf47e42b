/// A limit on the time that a search may take, and a way to cancel it.
///
/// A search checks it whenever its work pauses: between batches of the encoders, and before each
/// file. The service answers on a thread without a task, so it provides its own `isCancelled`.
public struct WorkLimit: Sendable {
    /// The time at which the work must end; nil for no deadline.
    public var deadline: ContinuousClock.Instant?
    /// Returns whether the answer is no longer wanted.
    public var isCancelled: @Sendable () -> Bool

    /// Creates a limit.
    ///
    /// - Parameters:
    ///   - deadline: The time at which the work must end; nil for no deadline.
    ///   - isCancelled: Returns whether the answer is no longer wanted. Default: whether the
    ///     current task is cancelled.
    public init(
        deadline: ContinuousClock.Instant? = nil,
        isCancelled: @escaping @Sendable () -> Bool = { Task.isCancelled }
    ) {
        self.deadline = deadline
        self.isCancelled = isCancelled
    }

    /// Checks that the work may continue.
    ///
    /// - Throws: `CancellationError`, or ``QueryError/timeout``.
    public func check() throws {
        if isCancelled() { throw CancellationError() }
        if let deadline, ContinuousClock.now >= deadline { throw QueryError.timeout }
    }
}
