import Synchronization

/// A cache of recently used values, bounded in number and in bytes.
///
/// The values form two generations. When the younger one is full, the cache drops the older one as
/// a whole. Reading a value moves it to the younger one.
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

    /// Creates an empty cache.
    ///
    /// - Parameters:
    ///   - count: The most values to keep; 0 turns the cache off.
    ///   - bytes: The most bytes of all values; unbounded by default.
    ///   - size: A closure that returns the approximate size of a value in bytes; 0 by default.
    package init(
        count: Int, bytes: Int = .max, size: @escaping @Sendable (Value) -> Int = { _ in 0 }
    ) {
        self.count = (count + 1) / 2
        self.bytes = bytes / 2
        self.size = size
    }

    /// The size of all cached values, in bytes.
    package var byteCount: Int { state.withLock { $0.young.bytes + $0.old.bytes } }

    /// Returns the cached value of a key; nil if there is none.
    ///
    /// - Complexity: O(1).
    package subscript(key: Key) -> Value? {
        state.withLock { state in
            if let value = state.young.values[key] { return value }
            guard let value = state.old.values[key] else { return nil }
            keep(value, key, &state)
            return value
        }
    }

    /// Caches a value, unless it alone exceeds half of the bytes.
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
