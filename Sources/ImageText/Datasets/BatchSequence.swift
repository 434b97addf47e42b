/// Starts the batches of one iterator, which come in order.
protocol BatchStarter<Batch> {
    associatedtype Batch: Sendable

    /// Starts to make a batch.
    mutating func start(_ position: BatchLoader.Position) -> Task<Batch, any Error>
    /// Ends whatever the batches that were started wait for.
    func cancel()
}

extension BatchStarter {
    func cancel() {}
}

/// The endless sequence of a loader's batches.
struct BatchSequence<Element: Sendable>: AsyncSequence, Sendable {
    typealias Failure = any Error

    let start: BatchLoader.Position
    let batchesPerEpoch: Int
    let lookahead: Int
    /// Whether the sequence ends when the consumer's task is cancelled.
    let endsWhenCancelled: Bool
    /// Returns what starts the batches of a new iterator.
    let starter: @Sendable () -> any BatchStarter<Element>

    func makeAsyncIterator() -> Iterator { Iterator(ahead: BatchesAhead(self)) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let ahead: BatchesAhead<Element>

        mutating func next() async throws -> Element? {
            try await ahead.next(isolation: nil)
        }

        mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(any Error) -> Element? {
            try await ahead.next(isolation: actor)
        }
    }
}

/// The batches in progress: one task each, cancelled when the iterator is released.
private final class BatchesAhead<Batch: Sendable> {
    private let sequence: BatchSequence<Batch>
    private var starter: any BatchStarter<Batch>
    private var position: BatchLoader.Position
    private var tasks: [Task<Batch, any Error>] = []
    private var isFinished = false

    init(_ sequence: BatchSequence<Batch>) {
        self.sequence = sequence
        starter = sequence.starter()
        position = sequence.start
    }

    deinit { cancel() }

    /// Returns the next batch, and keeps `lookahead` batches in progress behind it.
    func next(isolation actor: isolated (any Actor)?) async throws -> Batch? {
        if isFinished { return nil }
        do {
            if sequence.endsWhenCancelled { try Task.checkCancellation() }
            while tasks.count <= sequence.lookahead { tasks.append(startNext()) }
            let task = tasks.removeFirst()
            guard sequence.endsWhenCancelled else { return try await task.value }
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            isFinished = true
            cancel()
            throw error
        }
    }

    private func cancel() {
        for task in tasks { task.cancel() }
        tasks = []
        starter.cancel()
    }

    private func startNext() -> Task<Batch, any Error> {
        let task = starter.start(position)
        position.batch += 1
        if position.batch == sequence.batchesPerEpoch {
            position = BatchLoader.Position(epoch: position.epoch + 1)
        }
        return task
    }
}
