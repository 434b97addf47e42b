/// Waits until something holds, for as long as a slow machine may need; the limit only ends a hang.
///
/// - Returns: whether it came to hold.
package func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(300)
    repeat {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    } while ContinuousClock.now < end
    return try await condition()
}
