/// The endless sequence of a loader's batches.
struct BatchSequence: AsyncSequence, Sendable {
    typealias Element = TrainingBatch
    typealias Failure = any Error

    let loader: BatchLoader
    let start: BatchLoader.Position

    func makeAsyncIterator() -> Iterator { Iterator(ahead: BatchesAhead(loader, from: start)) }

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
    private let loader: BatchLoader
    private var position: BatchLoader.Position
    /// The order of the epoch in `position`.
    private var order: [Int32] = []
    private var tasks: [Task<TrainingBatch, any Error>] = []
    private var isFinished = false

    init(_ loader: BatchLoader, from position: BatchLoader.Position) {
        self.loader = loader
        self.position = position
    }

    deinit {
        for task in tasks { task.cancel() }
    }

    /// Returns the next batch, and keeps `lookahead` batches in progress behind it.
    func next(isolation actor: isolated (any Actor)?) async throws -> TrainingBatch? {
        if isFinished { return nil }
        do {
            if loader.options.endsWhenCancelled { try Task.checkCancellation() }
            while tasks.count <= loader.options.lookahead { tasks.append(startNext()) }
            let task = tasks.removeFirst()
            guard loader.options.endsWhenCancelled else { return try await task.value }
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            isFinished = true
            for task in tasks { task.cancel() }
            tasks = []
            throw error
        }
    }

    private func startNext() -> Task<TrainingBatch, any Error> {
        if order.isEmpty { order = loader.order.rows(ofEpoch: position.epoch) }
        let (part, size) = (loader.options.part, loader.batchSize / loader.options.part.count)
        let first = position.batch * loader.batchSize + part.index * size
        let rows = Array(order[first..<first + size])
        let task = Task { [loader, position] in
            try await loader.batch(at: position, rows: rows)
        }
        position.batch += 1
        if position.batch == loader.batchesPerEpoch {
            position = BatchLoader.Position(epoch: position.epoch + 1)
            order = []
        }
        return task
    }
}
