import Dispatch

/// Runs blocking work on a thread of Dispatch, so that Swift's own few threads stay free for others.
package func onBackgroundThread<Value: Sendable>(
    _ body: @escaping @Sendable () -> Value
) async -> Value {
    await withCheckedContinuation { continuation in
        DispatchQueue.global(qos: .utility).async { continuation.resume(returning: body()) }
    }
}
