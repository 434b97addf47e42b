import ServiceLifecycle

/// Runs an operation with a time limit.
///
/// - Throws: `problem` when the time is over; the error that `operation` throws.
func withTimeout<Value: Sendable>(
    seconds: Double, _ problem: Problem,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withEnd(problem, operation) { try await Task.sleep(for: .seconds(seconds)) }
}

/// Runs an operation that depends on the client, until one second after the service begins to end.
///
/// - Throws: ``Problem`` if the operation had not ended by then; the error that it throws.
func untilServiceEnds<Value: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withEnd(.unavailable("the service is shutting down"), operation) {
        try await gracefulShutdown()
        try await Task.sleep(for: .seconds(1))
    }
}

/// Runs an operation until it or `end` returns, and cancels the other.
///
/// - Throws: `problem` if `end` returns first; the error that `operation` throws.
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
