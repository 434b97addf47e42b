/// Waits until a condition holds; a long time limit only ends a hang.
///
/// - Returns: Whether the condition holds.
package func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(300)
    repeat {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    } while ContinuousClock.now < end
    return try await condition()
}
