/// Starts the batches of one iterator, which come in order.
protocol BatchStarter {
    /// Starts to make a batch.
    mutating func start(_ position: BatchLoader.Position) -> Task<TrainingBatch, any Error>
    /// Ends whatever the batches that were started wait for.
    func cancel()
}

extension BatchStarter {
    func cancel() {}
}

/// The endless sequence of a loader's batches.
struct BatchSequence: AsyncSequence, Sendable {
    typealias Element = TrainingBatch
    typealias Failure = any Error

    let start: BatchLoader.Position
    let batchesPerEpoch: Int
    let lookahead: Int
    /// Whether the sequence ends when the consumer's task is cancelled.
    let endsWhenCancelled: Bool
    /// Returns what starts the batches of a new iterator.
    let starter: @Sendable () -> any BatchStarter

    func makeAsyncIterator() -> Iterator { Iterator(ahead: BatchesAhead(self)) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let ahead: BatchesAhead

        mutating func next() async throws -> TrainingBatch? {
            try await ahead.next(isolation: nil)
        }

        mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(any Error) -> TrainingBatch? {
            try await ahead.next(isolation: actor)
        }
    }
}

/// The batches in progress: one task each, cancelled when the iterator is released.
private final class BatchesAhead {
    private let sequence: BatchSequence
    private var starter: any BatchStarter
    private var position: BatchLoader.Position
    private var tasks: [Task<TrainingBatch, any Error>] = []
    private var isFinished = false

    init(_ sequence: BatchSequence) {
        self.sequence = sequence
        starter = sequence.starter()
        position = sequence.start
    }

    deinit { cancel() }

    /// Returns the next batch, and keeps `lookahead` batches in progress behind it.
    func next(isolation actor: isolated (any Actor)?) async throws -> TrainingBatch? {
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

    private func startNext() -> Task<TrainingBatch, any Error> {
        let task = starter.start(position)
        position.batch += 1
        if position.batch == sequence.batchesPerEpoch {
            position = BatchLoader.Position(epoch: position.epoch + 1)
        }
        return task
    }
}
