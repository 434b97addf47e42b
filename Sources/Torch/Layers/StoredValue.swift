import Synchronization

/// A value that is made when it is first needed, and then kept.
///
/// After a failure in ``recovering(_:)`` tensors have no elements, so they are not kept.
final class StoredValue<Value: Sendable>: Sendable {
    private let storage = Mutex<Value?>(nil)

    /// Returns the kept value, or makes it.
    ///
    /// - Parameter isCurrent: whether a kept value still serves; by default it always does.
    func value(where isCurrent: (Value) -> Bool = { _ in true }, _ make: () -> Value) -> Value {
        storage.withLock { stored in
            if let stored, isCurrent(stored) { return stored }
            let made = make()
            if !TorchError.isPending { stored = made }
            return made
        }
    }
}
