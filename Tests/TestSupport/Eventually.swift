/// Waits until a condition holds, and asks it every 20 milliseconds.
///
/// The limit only ends a hang. It counts how often the condition was asked rather than the time:
/// where many tests share few threads, this test and the work that it waits for get their turns
/// equally late.
///
/// - Returns: Whether the condition holds.
package func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<15_000 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    }
    return try await condition()
}
