import ServiceLifecycle

/// Runs an operation for a time at most.
///
/// - Throws: ``Problem`` when the time is over; what the operation throws.
func withTimeout<Value: Sendable>(
    seconds: Double, _ problem: Problem,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withEnd(problem, operation) { try await Task.sleep(for: .seconds(seconds)) }
}

/// Runs an operation that depends on the client, until the service is told to end and the client
/// has had a second more.
///
/// - Throws: ``Problem`` if the client was not done by then; what the operation throws.
func untilServiceEnds<Value: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withEnd(.unavailable("the service is ending"), operation) {
        try await gracefulShutdown()
        try await Task.sleep(for: .seconds(1))
    }
}

/// Runs an operation until it or `end` returns, and cancels the other.
///
/// - Throws: ``Problem`` if `end` was first; what the operation throws.
private func withEnd<Value: Sendable>(
    _ problem: Problem, _ operation: @escaping @Sendable () async throws -> Value,
    end: @escaping @Sendable () async throws -> Void
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try await end()
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let value = first else { throw problem }
        return value
    }
}
