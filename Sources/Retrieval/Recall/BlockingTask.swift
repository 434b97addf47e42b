import Dispatch
import Synchronization

/// Threads of their own on which asynchronous work runs while another thread waits for it.
///
/// A search runs on one thread from its beginning to its end. If the work that it waits for ran on
/// the shared threads of Swift's tasks, and searches occupied all of those, nothing would ever end.
final class BlockingTasks: TaskExecutor {
    private let queue = DispatchQueue(
        label: "albef.recall", qos: .userInitiated, attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Runs work and waits for its result, until a limit is reached.
    ///
    /// - Throws: The errors of the work; those of the limit, after cancelling the work.
    func wait<Value: Sendable>(
        for limit: WorkLimit, _ work: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let (done, outcome) = (DispatchSemaphore(value: 0), Outcome<Value>())
        let task = Task(executorPreference: self) {
            do { outcome.keep(.success(try await work())) } catch { outcome.keep(.failure(error)) }
            done.signal()
        }
        while done.wait(timeout: .now() + .milliseconds(50)) == .timedOut {
            do { try limit.check() } catch {
                task.cancel()
                throw error
            }
        }
        return try outcome.get()
    }

    /// What the work returned or threw.
    private final class Outcome<Value: Sendable>: Sendable {
        private let result = Mutex<Result<Value, any Error>>(.failure(CancellationError()))
        func keep(_ value: Result<Value, any Error>) { result.withLock { $0 = value } }
        func get() throws -> Value { try result.withLock { $0 }.get() }
    }
}
