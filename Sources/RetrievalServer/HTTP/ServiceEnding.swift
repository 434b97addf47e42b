import ServiceLifecycle

/// Runs an operation that depends on the client, until the service is told to end and the client
/// has had a moment more.
///
/// - Throws: ``Problem`` if the client was not done by then; what the operation throws.
func untilServiceEnds<Value: Sendable>(
    moment: Duration = .seconds(1), _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try await gracefulShutdown()
            try await Task.sleep(for: moment)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let value = first else {
            throw Problem.unavailable("the service is ending")
        }
        return value
    }
}
