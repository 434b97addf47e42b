import Synchronization

/// What watching a folder reports: that something may have changed, any number of times as one.
final class FolderSignal: Sendable {
    /// An element for changes since the last was taken.
    let changes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let stale = Mutex(false)

    init() {
        (changes, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Whether folders came or went, so that others have to be watched.
    var isStale: Bool { stale.withLock { $0 } }

    /// Reports a change.
    func report(foldersChanged: Bool) {
        if foldersChanged { stale.withLock { $0 = true } }
        continuation.yield()
    }
}
