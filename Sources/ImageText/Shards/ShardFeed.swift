internal import Synchronization

/// Reads the samples of batches, in order, on a thread of its own.
///
/// An epoch is dealt from a number of lanes in turn, one per process that shares it. A process that
/// goes on with an epoch which another number of processes began takes its turns from their lanes,
/// so that each sample is still dealt once.
final class ShardFeed: Sendable {
    /// The samples of a batch.
    struct Batch: Sendable {
        let samples: [ShardSample]
        /// Samples that can replace those that cannot be used.
        let spares: [ShardSample]
    }

    /// The number of replacements per batch.
    private static let spareCount = 8

    private struct State {
        var epoch = -1
        var lanes: [Int: ShardLane] = [:]
    }

    private let settings: ShardLane.Settings
    private let part: ShardPart
    private let batchSize: Int
    /// The epoch that another number of processes began, and that number.
    private let begun: (epoch: Int, parts: Int)
    private let thread = ReadingThread()
    private let registry: StreamRegistry
    private let state = Mutex(State())

    init(
        _ settings: ShardLane.Settings, part: ShardPart, batchSize: Int,
        begun: (epoch: Int, parts: Int), registry: StreamRegistry
    ) {
        self.settings = settings
        self.part = part
        self.batchSize = batchSize
        self.begun = begun
        self.registry = registry
    }

    /// Requests the samples of a batch; batches are read in the order of the requests.
    func batch(at position: BatchLoader.Position) -> PendingResult<Batch> {
        thread.run { [self] in
            try state.withLock { state in
                do {
                    return try read(position, &state)
                } catch {
                    throw registry.isCancelled ? CancellationError() : error
                }
            }
        }
    }

    /// Ends the reading that is in progress, and all that was requested.
    func cancel() { registry.cancel() }

    private func read(_ position: BatchLoader.Position, _ state: inout State) throws -> Batch {
        if state.epoch != position.epoch { state = State(epoch: position.epoch) }
        let lanes = position.epoch == begun.epoch ? begun.parts : part.count
        let first = position.batch * batchSize
        var samples: [ShardSample] = []
        var spares: [ShardSample] = []
        for number in first..<first + batchSize {
            guard !registry.isCancelled else { throw CancellationError() }
            let turn = number * part.count + part.index
            // Take the lane out, so that its buffer is not copied.
            let index = turn % lanes
            var lane =
                state.lanes.removeValue(forKey: index)
                ?? ShardLane(
                    settings, epoch: position.epoch, part: ShardPart(rank: index, ranks: lanes))
            try lane.advance(to: turn / lanes)
            samples.append(try lane.next())
            if number == first + batchSize - 1 {
                var random = SplitMix64(
                    seed: settings.seed, stream: EpochOrder.Stream.replacement.rawValue,
                    position.epoch, position.batch, part.index)
                spares = lane.spares(Self.spareCount, using: &random)
            }
            state.lanes[index] = lane
        }
        return Batch(samples: samples, spares: spares.isEmpty ? samples : spares)
    }
}
