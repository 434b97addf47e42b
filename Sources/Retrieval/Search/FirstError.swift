import Synchronization

/// Keeps the first error of several threads that cannot throw.
final class FirstError: Sendable {
    private let error = Mutex<(any Error)?>(nil)

    func keep(_ error: any Error) { self.error.withLock { $0 = $0 ?? error } }

    func throwIfAny() throws {
        if let error = error.withLock({ $0 }) { throw error }
    }
}
