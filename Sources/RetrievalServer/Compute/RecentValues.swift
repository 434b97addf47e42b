import Synchronization

/// Remembers what was asked for lately, bounded in number and bytes: two generations, the older of
/// which is forgotten as a whole.
package final class RecentValues<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Generation {
        var values: [Key: Value] = [:]
        var bytes = 0
    }

    private struct State {
        var young = Generation()
        var old = Generation()
    }

    private let state = Mutex(State())
    private let count: Int
    private let bytes: Int
    private let size: @Sendable (Value) -> Int

    /// Remembers nothing yet.
    ///
    /// - Parameters:
    ///   - count: values that are remembered at most; 0 remembers nothing.
    ///   - bytes: what they may take together; default: any number.
    ///   - size: about how many bytes a value takes.
    package init(
        count: Int, bytes: Int = .max, size: @escaping @Sendable (Value) -> Int = { _ in 0 }
    ) {
        self.count = (count + 1) / 2
        self.bytes = bytes / 2
        self.size = size
    }

    /// Bytes of what is remembered.
    package var byteCount: Int { state.withLock { $0.young.bytes + $0.old.bytes } }

    /// What is remembered under a key.
    package subscript(key: Key) -> Value? {
        state.withLock { state in
            if let value = state.young.values[key] { return value }
            guard let value = state.old.values[key] else { return nil }
            keep(value, key, &state)
            return value
        }
    }

    /// Remembers a value, unless it alone is more than may be remembered.
    package func keep(_ value: Value, for key: Key) {
        state.withLock { keep(value, key, &$0) }
    }

    private func keep(_ value: Value, _ key: Key, _ state: inout State) {
        let size = size(value)
        guard count > 0, size <= bytes else { return }
        if let former = state.young.values.removeValue(forKey: key) {
            state.young.bytes -= self.size(former)
        }
        if state.young.values.count >= count || state.young.bytes > bytes - size {
            state.old = state.young
            state.young = Generation()
        }
        state.young.values[key] = value
        state.young.bytes += size
    }
}
