internal import Synchronization

/// Knows the streams that one reader has open, so that another thread can end its waiting.
final class StreamRegistry: Sendable {
    private struct State {
        var open: [ObjectIdentifier: Weak] = [:]
        var isCancelled = false
    }

    private struct Weak {
        weak var stream: (any ShardStream)?
    }

    private let state = Mutex(State())

    /// Whether reading has been ended.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Opens a stream that ``cancel()`` will end.
    ///
    /// - Throws: `CancellationError` after ``cancel()``, and the errors of `open`.
    func open(_ open: () throws -> any ShardStream) throws -> any ShardStream {
        guard !isCancelled else { throw CancellationError() }
        let stream = try open()
        let isCancelled = state.withLock { state in
            state.open = state.open.filter { $0.value.stream != nil }
            state.open[ObjectIdentifier(stream)] = Weak(stream: stream)
            return state.isCancelled
        }
        if isCancelled { stream.cancel() }
        return stream
    }

    /// Ends all open streams, and lets no further one be opened.
    func cancel() {
        let streams = state.withLock { state in
            state.isCancelled = true
            return state.open.values.compactMap(\.stream)
        }
        for stream in streams { stream.cancel() }
    }
}
