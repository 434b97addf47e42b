import Synchronization

/// Signals that something in a folder may have changed; several changes count as one.
final class FolderSignal: Sendable {
    /// One element for all changes since the last element was consumed.
    let changes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let stale = Mutex(false)

    init() {
        (changes, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Whether folders appeared or disappeared, so that the set of watched folders is outdated.
    var isStale: Bool { stale.withLock { $0 } }

    /// Signals a change.
    func report(foldersChanged: Bool) {
        if foldersChanged { stale.withLock { $0 = true } }
        continuation.yield()
    }
}
