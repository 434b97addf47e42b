internal import Synchronization

/// The samples of shards, one shard after another, as an asynchronous sequence.
///
/// Samples are read on a thread of their own, a few ahead of the consumer, so memory is bounded.
/// A shard that is damaged is reported and skipped from there on.
///
/// ```swift
/// for try await sample in ShardSamples(try ShardList.addresses(["photos-{00..15}.tar"])) {
///     print(sample.shard, sample.key, sample.image?.bytes.count ?? 0)
/// }
/// ```
public struct ShardSamples: AsyncSequence, Sendable {
    /// One sample.
    public typealias Element = ShardSample
    /// Only `CancellationError` is thrown.
    public typealias Failure = any Error

    private let slices: [ShardPlan.Slice]
    private let addresses: [ShardAddress]
    private let fields: ShardFields
    private let opener: ShardOpener
    private let lookahead: Int
    private let onDamage: @Sendable (ShardDamage) -> Void

    /// Creates the sequence; nothing is opened before the first sample is requested.
    ///
    /// - Parameters:
    ///   - addresses: The shards, in the order in which they are read.
    ///   - fields: The members to read; by default images, `txt` and `json`.
    ///   - opener: Opens the shards; by default files and commands.
    ///   - lookahead: The number of samples to read ahead, at least 0.
    ///   - onDamage: Called from any thread for each shard that is damaged.
    public init(
        _ addresses: [ShardAddress], fields: ShardFields = ShardFields(),
        opener: ShardOpener = ShardOpener(), lookahead: Int = 16,
        onDamage: @escaping @Sendable (ShardDamage) -> Void = { _ in }
    ) {
        precondition(lookahead >= 0)
        slices = addresses.indices.map { .init(shard: $0, range: 0..<Int.max, step: 1) }
        self.addresses = addresses
        self.fields = fields
        self.opener = opener
        self.lookahead = lookahead
        self.onDamage = onDamage
    }

    /// Creates the sequence of the samples that one part of an epoch has, in the order in which
    /// training reads them before it shuffles.
    ///
    /// - Parameters:
    ///   - shards: The shards; how they are divided depends on whether their counts are known.
    ///   - epoch: The epoch, from 0.
    ///   - part: The part.
    ///   - seed: The seed of the order.
    ///   - fields: The members to read; by default images, `txt` and `json`.
    ///   - opener: Opens the shards; by default files and commands.
    ///   - lookahead: The number of samples to read ahead, at least 0.
    ///   - onDamage: Called from any thread for each shard that is damaged.
    public init(
        _ shards: ShardSet, epoch: Int, part: ShardPart = .whole, seed: UInt64 = 42,
        fields: ShardFields = ShardFields(), opener: ShardOpener = ShardOpener(),
        lookahead: Int = 16, onDamage: @escaping @Sendable (ShardDamage) -> Void = { _ in }
    ) {
        precondition(lookahead >= 0)
        slices = ShardPlan(shards, seed: seed).slices(ofEpoch: epoch, part: part)
        addresses = shards.addresses
        self.fields = fields
        self.opener = opener
        self.lookahead = lookahead
        self.onDamage = onDamage
    }

    /// Creates an iterator, which reads on its own from the first shard.
    public func makeAsyncIterator() -> Iterator { Iterator(reader: Reader(self)) }

    /// Reads the samples for one consumer.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: Reader

        /// Returns the next sample, or `nil` after the last one.
        ///
        /// - Throws: `CancellationError` if the task is cancelled.
        public mutating func next() async throws -> ShardSample? { try await reader.next() }
    }

    fileprivate final class Reader {
        private let core: Core
        private let lookahead: Int
        private var pending: [PendingResult<ShardSample?>] = []

        init(_ samples: ShardSamples) {
            core = Core(samples)
            lookahead = samples.lookahead
        }

        deinit { core.registry.cancel() }

        func next() async throws -> ShardSample? {
            while pending.count <= lookahead { pending.append(core.request()) }
            let (first, registry) = (pending.removeFirst(), core.registry)
            return try await withTaskCancellationHandler {
                try await first.value()
            } onCancel: {
                registry.cancel()
            }
        }
    }

    private final class Core: Sendable {
        let registry: StreamRegistry
        private let thread = ReadingThread()
        private let source: Mutex<SliceReader>

        init(_ samples: ShardSamples) {
            let registry = StreamRegistry()
            self.registry = registry
            source = Mutex(
                SliceReader(
                    samples.slices, of: samples.addresses, fields: samples.fields,
                    open: { [opener = samples.opener] address in
                        try registry.open { try opener.open(address) }
                    },
                    onDamage: { [onDamage = samples.onDamage] damage in
                        if !registry.isCancelled { onDamage(damage) }
                    }))
        }

        func request() -> PendingResult<ShardSample?> {
            thread.run { [self] in
                guard !registry.isCancelled else { throw CancellationError() }
                return source.withLock { $0.next() }
            }
        }
    }
}
