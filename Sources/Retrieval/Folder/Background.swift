import Dispatch

/// Runs blocking work on a Dispatch thread, so that it does not occupy one of Swift's few
/// concurrency threads.
package func onBackgroundThread<Value: Sendable>(
    _ body: @escaping @Sendable () -> Value
) async -> Value {
    await withCheckedContinuation { continuation in
        DispatchQueue.global(qos: .utility).async { continuation.resume(returning: body()) }
    }
}
