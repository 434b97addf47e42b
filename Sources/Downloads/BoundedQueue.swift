import Foundation

/// A serial delegate queue that holds back whoever fills it faster than it is emptied.
///
/// On Linux a `URLSession` hands each chunk to its delegate's queue and reads on; suspending the
/// task does not stop it. Where the disk is slower than the network the whole file would pile up in
/// memory. Blocking the session here makes it stop reading, and so slows the server down.
///
/// An operation must not wait for the session, which may be waiting for the operation.
final class BoundedQueue: OperationQueue, @unchecked Sendable {
    // The condition guards `waiting`: a Mutex cannot be waited on.
    private let condition = NSCondition()
    private var waiting = 0
    private let limit: Int

    /// A queue in which at most `limit` operations wait.
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
