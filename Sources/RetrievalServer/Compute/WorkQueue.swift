import Dispatch
import Foundation
import Synchronization

/// Threads of its own for work that takes long, with a bounded schedule in front of them.
///
/// Swift's own threads, one per core, answer requests; if they computed, nobody would be answered
/// meanwhile. And libtorch keeps a team of threads for every thread that calls it, so always the
/// same one calls.
package final class WorkQueue: Sendable {
    private struct State {
        var schedule = WorkSchedule<@Sendable () -> Void>()
        var number: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let ready = DispatchSemaphore(value: 0)
    private let threads: Int
    /// Queries that may wait.
    let limit: Int

    /// Starts the threads.
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

    /// Ends the threads when what waits is done.
    package func close() {
        state.withLock { $0.isClosed = true }
        for _ in 0..<threads { ready.signal() }
    }

    /// Jobs that wait.
    package var waiting: Int { state.withLock { $0.schedule.count } }

    /// Adds a job whether there is room or not.
    package func add(_ urgency: WorkUrgency = .query, _ job: @escaping @Sendable () -> Void) {
        add(job, nextNumber(), urgency)
    }

    /// Does some work on a thread of the queue.
    ///
    /// A task that is cancelled waits no longer: its work loses its place, or its result is
    /// dropped.
    ///
    /// - Parameter urgency: only queries are turned away when too much waits; uploads are bounded
    ///   where they come in, and a folder brings its images one after another.
    /// - Throws: ``Problem`` if too much waits already; `CancellationError` as soon as the task is
    ///   cancelled; what the work throws.
    package func run<Value: Sendable>(
        _ urgency: WorkUrgency = .query, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        guard urgency != .query || waiting < limit else {
            throw Problem.unavailable("too much waits already")
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
                // The handler may have come before there was something to cancel.
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

    /// The next job; nil when the thread is to end.
    private func take() -> (@Sendable () -> Void)? {
        while true {
            ready.wait()
            let (job, isClosed) = state.withLock { ($0.schedule.next(), $0.isClosed) }
            // A job that was abandoned leaves its signal behind.
            if job != nil || isClosed { return job }
        }
    }
}

/// Who waits for a result: resumed once, by whichever comes first, the result or a cancellation.
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

/// Runs the steps of tasks on the threads of a queue instead of Swift's own, so that tasks which
/// compute keep nobody from being answered.
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
