/// How long a search may take, and how it learns that nobody waits for it any more.
///
/// A search asks at every pause of its work: between batches of the encoders, and before each file.
/// The service answers from a thread that has no task, so it brings its own `isCancelled`.
public struct WorkLimit: Sendable {
    /// When the work has to end; nil for never.
    public var deadline: ContinuousClock.Instant?
    /// Whether the answer is not wanted any more.
    public var isCancelled: @Sendable () -> Bool

    /// A limit; by default only that of the current task.
    public init(
        deadline: ContinuousClock.Instant? = nil,
        isCancelled: @escaping @Sendable () -> Bool = { Task.isCancelled }
    ) {
        self.deadline = deadline
        self.isCancelled = isCancelled
    }

    /// Checks that the work may go on.
    ///
    /// - Throws: `CancellationError`, or ``QueryError/timeout``.
    public func check() throws {
        if isCancelled() { throw CancellationError() }
        if let deadline, ContinuousClock.now >= deadline { throw QueryError.timeout }
    }
}
