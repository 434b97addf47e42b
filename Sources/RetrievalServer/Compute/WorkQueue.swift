import DequeModule
import Dispatch
import Foundation
import Synchronization

/// Threads of its own for work that takes long, with a bounded queue in front of them.
///
/// Swift's own threads, one a core, answer requests; were they to compute, nobody would be answered
/// meanwhile. And libtorch keeps a crew for every thread that calls it: always the same one calls.
final class WorkQueue: Sendable {
    private let jobs = Mutex<Deque<@Sendable () -> Void>>([])
    private let ready = DispatchSemaphore(value: 0)
    private let threads: Int
    /// Jobs that may wait.
    let limit: Int

    /// Starts the threads.
    init(_ name: String, threads: Int, limit: Int) {
        self.limit = limit
        self.threads = threads
        for _ in 0..<threads {
            let thread = Thread { [self] in while let job = take() { job() } }
            thread.name = name
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    /// Ends the threads when what waits is done.
    func close() {
        // A thread that is woken without a job ends.
        for _ in 0..<threads { ready.signal() }
    }

    /// Jobs that wait.
    var waiting: Int { jobs.withLock { $0.count } }

    /// Adds a job whether there is room or not.
    func add(_ job: @escaping @Sendable () -> Void) {
        jobs.withLock { $0.append(job) }
        ready.signal()
    }

    /// Does some work on a thread of the queue.
    ///
    /// - Throws: ``Problem`` if too much waits already; `CancellationError` if the task was cancelled
    ///   before it was its turn; what the work throws.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value
    {
        guard waiting < limit else { throw Problem.unavailable("too much waits already") }
        let isCancelled = Atomic(false)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                add {
                    continuation.resume(
                        with: Result {
                            if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
                            return try body()
                        })
                }
            }
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
    }

    private func take() -> (@Sendable () -> Void)? {
        ready.wait()
        return jobs.withLock { $0.popFirst() }
    }
}
