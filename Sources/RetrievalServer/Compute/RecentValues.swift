import Synchronization

/// Remembers what was asked for lately: two generations, the older of which is forgotten as a whole.
final class RecentValues<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct State {
        var young: [Key: Value] = [:]
        var old: [Key: Value] = [:]
    }

    private let state = Mutex(State())
    private let half: Int

    /// Remembers so many at most; 0: nothing.
    init(count: Int) { half = (count + 1) / 2 }

    /// What is remembered under a key.
    subscript(key: Key) -> Value? {
        state.withLock { state in
            if let value = state.young[key] { return value }
            guard let value = state.old[key] else { return nil }
            Self.keep(value, key, half, &state)
            return value
        }
    }

    func keep(_ value: Value, for key: Key) {
        guard half > 0 else { return }
        state.withLock { Self.keep(value, key, half, &$0) }
    }

    private static func keep(_ value: Value, _ key: Key, _ half: Int, _ state: inout State) {
        if state.young.count >= half {
            state.old = state.young
            state.young = [:]
        }
        state.young[key] = value
    }
}
