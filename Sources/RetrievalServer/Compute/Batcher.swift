package import Retrieval
import Synchronization

/// Answers the requests of all connections in batches, on one thread.
///
/// The next batch gathers while one is computed. Batches therefore grow with the load, and a single
/// request does not wait for others. A cancelled request resumes at once, and its ``Item/limit``
/// stops the computation.
package final class Batcher<Request: Sendable, Answer: Sendable>: Sendable {
    /// A request in a batch.
    package struct Item: Sendable {
        package let request: Request
        /// The limit that stops the work on this request once it is cancelled.
        package let limit: WorkLimit
    }

    private struct Waiting {
        let number: Int
        let request: Request
    }

    private enum Verdict { case full, waits, begins }

    private struct State {
        var waiting: [Waiting] = []
        var continuations: [Int: CheckedContinuation<Answer, any Error>] = [:]
        var number = 0
        var isScheduled = false
    }

    private let state = Mutex(State())
    private let queue: WorkQueue
    private let settings: ServerConfiguration.Batching
    private let compute: @Sendable ([Item]) -> [Result<Answer, any Error>]

    /// Creates a batcher.
    ///
    /// - Parameters:
    ///   - queue: The queue that computes batches.
    ///   - settings: The size of batches, the delay, and the number of requests that may wait.
    ///   - compute: A closure that returns one answer or error per request, in their order.
    package init(
        _ queue: WorkQueue, _ settings: ServerConfiguration.Batching,
        _ compute: @escaping @Sendable ([Item]) -> [Result<Answer, any Error>]
    ) {
        self.queue = queue
        self.settings = settings
        self.compute = compute
    }

    /// The number of waiting requests.
    package var waiting: Int { state.withLock { $0.waiting.count } }

    /// Answers a request.
    ///
    /// - Throws: ``Problem`` if too many requests wait; `CancellationError` as soon as the task is
    ///   cancelled; the error of the request.
    package func answer(_ request: Request) async throws -> Answer {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue(Waiting(number: number, request: request), continuation)
                // The handler may have run before the request was enqueued.
                if Task.isCancelled { abandon(number) }
            }
        } onCancel: {
            abandon(number)
        }
    }

    private func enqueue(
        _ item: Waiting, _ continuation: CheckedContinuation<Answer, any Error>
    ) {
        let verdict = state.withLock { state in
            guard state.waiting.count < settings.waiting else { return Verdict.full }
            state.waiting.append(item)
            state.continuations[item.number] = continuation
            if state.isScheduled { return .waits }
            state.isScheduled = true
            return .begins
        }
        switch verdict {
        case .full:
            continuation.resume(
                throwing: Problem.unavailable(
                    "\(settings.waiting) requests are waiting already; try again later"))
        case .waits: break
        case .begins:
            if settings.delayMilliseconds > 0 {
                Task {
                    try? await Task.sleep(for: .milliseconds(settings.delayMilliseconds))
                    queue.add { [self] in drain() }
                }
            } else {
                queue.add { [self] in drain() }
            }
        }
    }

    /// Answers one batch, and adds a job for the next, so that other work can come between.
    private func drain() {
        let batch = state.withLock { state in
            let batch = Array(state.waiting.prefix(settings.queries))
            state.waiting.removeFirst(batch.count)
            return batch
        }
        if !batch.isEmpty {
            let items = batch.map { item in
                Item(
                    request: item.request,
                    limit: WorkLimit(isCancelled: { [self] in isAbandoned(item.number) }))
            }
            for (item, answer) in zip(batch, compute(items)) { finish(item.number, answer) }
        }
        let isMore = state.withLock { state in
            state.isScheduled = !state.waiting.isEmpty
            return state.isScheduled
        }
        if isMore { queue.add { [self] in drain() } }
    }

    private func isAbandoned(_ number: Int) -> Bool {
        state.withLock { $0.continuations[number] == nil }
    }

    private func abandon(_ number: Int) {
        state.withLock { $0.waiting.removeAll { $0.number == number } }
        finish(number, .failure(CancellationError()))
    }

    private func finish(_ number: Int, _ result: Result<Answer, any Error>) {
        state.withLock { $0.continuations.removeValue(forKey: number) }?.resume(with: result)
    }
}
