import Retrieval
import Synchronization

/// Answers queries of all connections together, on the one thread that has the model.
///
/// While a batch is computed the next one gathers, so that batches grow with the load and a lone
/// query waits for nobody.
final class QueryBatcher: Sendable {
    private struct Waiting {
        let number: Int
        let query: SearchQuery
        let options: SearchOptions
    }

    private struct State {
        var waiting: [Waiting] = []
        var continuations: [Int: CheckedContinuation<Served, any Error>] = [:]
        var number = 0
        var isScheduled = false
    }

    /// An answer, and what it is an answer about.
    struct Served: Sendable {
        let answer: SearchAnswer
        let gallery: Gallery
    }

    private let state = Mutex(State())
    private let queue: WorkQueue
    private let gallery: @Sendable () -> Gallery
    private let settings: ServerConfiguration.Batching
    private let metrics: ServiceMetrics

    /// A batcher.
    ///
    /// - Parameters:
    ///   - queue: the model's thread.
    ///   - gallery: what is searched, asked anew for every batch.
    init(
        _ queue: WorkQueue, _ settings: ServerConfiguration.Batching, _ metrics: ServiceMetrics,
        gallery: @escaping @Sendable () -> Gallery
    ) {
        self.queue = queue
        self.settings = settings
        self.metrics = metrics
        self.gallery = gallery
    }

    /// Queries that wait.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Answers a query.
    ///
    /// - Throws: ``Problem`` if too many wait; `CancellationError`; what ``Searcher`` throws.
    func search(_ query: SearchQuery, _ options: SearchOptions) async throws -> Served {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue(Waiting(number: number, query: query, options: options), continuation)
                // The handler may have come before there was something to cancel.
                if Task.isCancelled { finish(number, .failure(CancellationError())) }
            }
        } onCancel: {
            finish(number, .failure(CancellationError()))
        }
    }

    private func enqueue(
        _ item: Waiting, _ continuation: CheckedContinuation<Served, any Error>
    ) {
        enum Verdict { case full, waits, begins }
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
            metrics.countTurnedAway()
            continuation.resume(
                throwing: Problem.unavailable("\(settings.waiting) requests wait already"))
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

    /// Answers one batch; the next one is a job of its own, so that other work has its turn.
    private func drain() {
        let batch = state.withLock { state in
            // Who was cancelled has no continuation any more.
            state.waiting.removeAll { state.continuations[$0.number] == nil }
            let batch = Array(state.waiting.prefix(settings.queries))
            state.waiting.removeFirst(batch.count)
            return batch
        }
        if !batch.isEmpty {
            let gallery = gallery()
            metrics.countBatch(batch.count)
            let answers = gallery.searcher.search(batch.map { ($0.query, $0.options) })
            if let times = answers.lazy.compactMap({ try? $0.get().times }).first {
                metrics.record(.encode, times.encoding)
                metrics.record(.recall, times.recall)
                metrics.record(.rerank, times.reranking)
            }
            for (item, answer) in zip(batch, answers) {
                finish(item.number, answer.map { Served(answer: $0, gallery: gallery) })
            }
        }
        let isMore = state.withLock { state in
            state.isScheduled = !state.waiting.isEmpty
            return state.isScheduled
        }
        if isMore { queue.add { [self] in drain() } }
    }

    private func finish(_ number: Int, _ result: Result<Served, any Error>) {
        state.withLock { $0.continuations.removeValue(forKey: number) }?.resume(with: result)
    }
}
