import Foundation

/// A serial delegate queue that blocks its producer while too many operations wait.
///
/// On Linux, a `URLSession` adds each chunk to its delegate's queue and continues to read;
/// suspending the task does not stop it. If the disk were slower than the network, the whole file
/// would accumulate in memory. Blocking the session here makes it stop reading and so slows down
/// the server.
///
/// An operation must not wait for the session, because the session may be waiting for it.
final class BoundedQueue: OperationQueue, @unchecked Sendable {
    // The condition guards `waiting`. A Mutex would not suffice, because threads wait for a change.
    private let condition = NSCondition()
    private var waiting = 0
    private let limit: Int

    /// Creates a queue in which at most `limit` operations wait or run.
    init(limit: Int) {
        self.limit = limit
        super.init()
        maxConcurrentOperationCount = 1
    }

    override func addOperation(_ block: @escaping @Sendable () -> Void) {
        condition.lock()
        while waiting >= limit { condition.wait() }
        waiting += 1
        condition.unlock()
        super.addOperation { [self] in
            block()
            condition.lock()
            waiting -= 1
            condition.signal()
            condition.unlock()
        }
    }
}
