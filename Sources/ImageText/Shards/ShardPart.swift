/// One of the equal parts into which readers divide the samples of an epoch.
///
/// Each sample of an epoch belongs to exactly one part, whatever the numbers are.
public struct ShardPart: Sendable, Hashable {
    /// The number of the part, from 0.
    public let index: Int
    /// The number of parts.
    public let count: Int

    /// The part of everything.
    public static let whole = ShardPart(rank: 0, ranks: 1)

    /// Creates the part of a process, or of one of its workers if several read.
    ///
    /// - Parameters:
    ///   - rank: The number of the process, from 0 to `ranks - 1`.
    ///   - ranks: The number of processes.
    ///   - worker: The number of the reader in its process, from 0 to `workers - 1`.
    ///   - workers: The number of readers per process.
    public init(rank: Int, ranks: Int, worker: Int = 0, workers: Int = 1) {
        precondition(
            rank >= 0 && rank < ranks && worker >= 0 && worker < workers,
            "rank \(rank) of \(ranks), worker \(worker) of \(workers)")
        index = worker * ranks + rank
        count = ranks * workers
    }
}

/// How the samples of an epoch are divided into parts.
public enum ShardSplit: Sendable, Hashable {
    /// The shards in the epoch's order are one long list of samples; each part is a stretch of it,
    /// and all have the same length up to one sample. This needs the number of samples per shard.
    case stretches
    /// Part *i* of *n* has the shards *i*, *i* + *n*, … in the epoch's order.
    case shards
    /// Part *i* of *n* has the samples *i*, *i* + *n*, … of every shard, because there are fewer
    /// shards than parts. Every part reads all shards.
    case samples
}

/// The order of an epoch's shards, and which samples each part has.
struct ShardPlan: Sendable {
    /// Some samples of one shard: every `step`-th in `range`, from its beginning.
    struct Slice: Sendable, Hashable {
        let shard: Int
        let range: Range<Int>
        let step: Int
    }

    private let counts: [Int]?
    private let shardCount: Int
    private let seed: UInt64

    init(_ shards: ShardSet, seed: UInt64) {
        counts = shards.counts
        shardCount = shards.addresses.count
        self.seed = seed
    }

    /// Returns how this many parts divide an epoch.
    func split(parts: Int) -> ShardSplit {
        counts != nil ? .stretches : shardCount >= parts ? .shards : .samples
    }

    /// Returns the slices of a part, in the order in which they are read.
    ///
    /// - Complexity: O(*n*) for *n* shards.
    func slices(ofEpoch epoch: Int, part: ShardPart) -> [Slice] {
        var order = Array(0..<shardCount)
        var random = SplitMix64(seed: seed, stream: EpochOrder.Stream.order.rawValue, epoch)
        random.shuffle(&order)
        switch split(parts: part.count) {
        case .shards:
            return stride(from: part.index, to: order.count, by: part.count).map {
                Slice(shard: order[$0], range: 0..<Int.max, step: 1)
            }
        case .samples:
            return order.map { Slice(shard: $0, range: part.index..<Int.max, step: part.count) }
        case .stretches:
            return stretches(of: order, part: part)
        }
    }

    /// Returns the number of samples of a part; `nil` if it is not known.
    func sampleCount(of part: ShardPart) -> Int? {
        guard let total = counts?.reduce(0, +) else { return nil }
        return bound(part.index + 1, total, part) - bound(part.index, total, part)
    }

    private func bound(_ index: Int, _ total: Int, _ part: ShardPart) -> Int {
        // The same as index * total / count, which could overflow.
        index * (total / part.count) + index * (total % part.count) / part.count
    }

    private func stretches(of order: [Int], part: ShardPart) -> [Slice] {
        let counts = counts ?? []
        let total = counts.reduce(0, +)
        let stretch = bound(part.index, total, part)..<bound(part.index + 1, total, part)
        var start = 0
        var slices: [Slice] = []
        for shard in order {
            let shared = (start..<start + counts[shard]).clamped(to: stretch)
            if !shared.isEmpty {
                slices.append(
                    Slice(
                        shard: shard, range: shared.lowerBound - start..<shared.upperBound - start,
                        step: 1))
            }
            start += counts[shard]
        }
        return slices
    }
}
