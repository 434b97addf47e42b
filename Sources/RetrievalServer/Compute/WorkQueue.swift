import Dispatch
import Foundation
import Synchronization

/// Dedicated threads for long work, with a bounded schedule of waiting jobs.
///
/// Swift's concurrency has one thread per core, and these threads answer requests. Computing on them
/// would delay every answer. libtorch moreover keeps a team of threads for every thread that calls
/// it, so always the same thread calls it.
package final class WorkQueue: Sendable {
    private struct State {
        var schedule = WorkSchedule<@Sendable () -> Void>()
        var number: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let ready = DispatchSemaphore(value: 0)
    private let threads: Int
    /// The most queries that may wait.
    let limit: Int

    /// Creates a queue and starts its threads.
    ///
    /// - Parameters:
    ///   - name: The name of the threads.
    ///   - threads: The number of threads.
    ///   - limit: The most queries that may wait.
    package init(_ name: String, threads: Int, limit: Int) {
        self.limit = limit
        self.threads = threads
        for _ in 0..<threads {
            let thread = Thread { [self] in while let job = take() { job() } }
            thread.name = name
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    /// Ends the threads once they have finished the waiting jobs.
    package func close() {
        state.withLock { $0.isClosed = true }
        for _ in 0..<threads { ready.signal() }
    }

    /// The number of waiting jobs.
    package var waiting: Int { state.withLock { $0.schedule.count } }

    /// Adds a job, even if the queue is full.
    package func add(_ urgency: WorkUrgency = .query, _ job: @escaping @Sendable () -> Void) {
        add(job, nextNumber(), urgency)
    }

    /// Runs a closure on a thread of the queue, and returns its result.
    ///
    /// A cancelled task stops waiting at once. Its job leaves the queue, or its result is dropped.
    ///
    /// - Parameters:
    ///   - urgency: The urgency of the work. A full queue refuses only queries: ``GalleryWriter``
    ///     bounds the uploads, and a folder adds its images one after another.
    ///   - body: The work.
    /// - Throws: ``Problem`` if too many jobs wait; `CancellationError` as soon as the task is
    ///   cancelled; the error that `body` throws.
    package func run<Value: Sendable>(
        _ urgency: WorkUrgency = .query, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        guard urgency != .query || waiting < limit else {
            throw Problem.unavailable("too many requests are waiting already; try again later")
        }
        let caller = Caller<Value>()
        let number = nextNumber()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                caller.wait(continuation)
                let job: @Sendable () -> Void = {
                    if caller.isWaiting { caller.resume(with: Result { try body() }) }
                }
                add(job, number, urgency)
                // The handler may have run before the job was added.
                if Task.isCancelled { abandon(number, caller) }
            }
        } onCancel: {
            abandon(number, caller)
        }
    }

    private func abandon<Value>(_ number: UInt64, _ caller: Caller<Value>) {
        state.withLock { $0.schedule.remove(number) }
        caller.resume(with: .failure(CancellationError()))
    }

    private func nextNumber() -> UInt64 {
        state.withLock { state in
            state.number += 1
            return state.number
        }
    }

    private func add(
        _ job: @escaping @Sendable () -> Void, _ number: UInt64, _ urgency: WorkUrgency
    ) {
        state.withLock { $0.schedule.add(job, number: number, urgency) }
        ready.signal()
    }

    /// Waits for the next job, and returns it; returns nil when the thread should end.
    private func take() -> (@Sendable () -> Void)? {
        while true {
            ready.wait()
            let (job, isClosed) = state.withLock { ($0.schedule.next(), $0.isClosed) }
            // A cancelled job leaves its signal behind.
            if job != nil || isClosed { return job }
        }
    }
}

/// A caller that waits for a result.
///
/// It resumes once, with the result or with a cancellation, whichever comes first.
private final class Caller<Value: Sendable>: Sendable {
    private let continuation = Mutex<CheckedContinuation<Value, any Error>?>(nil)

    var isWaiting: Bool { continuation.withLock { $0 != nil } }

    func wait(_ continuation: CheckedContinuation<Value, any Error>) {
        self.continuation.withLock { $0 = continuation }
    }

    func resume(with result: Result<Value, any Error>) {
        continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }?.resume(with: result)
    }
}

/// An executor that runs tasks on the threads of a queue.
///
/// Tasks that compute thereby leave the threads of Swift's concurrency free to answer requests.
final class WorkQueueExecutor: TaskExecutor {
    private let queue: WorkQueue
    private let urgency: WorkUrgency

    init(_ queue: WorkQueue, _ urgency: WorkUrgency) {
        self.queue = queue
        self.urgency = urgency
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.add(urgency) { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
