/// Makes training batches from shards: it reads them as streams, shuffles in a bounded buffer, and
/// decodes and augments images ahead of the consumer.
///
/// An epoch's samples depend on the seed, the epoch, the shards and the number of processes alone.
/// The sequence that begins at a batch therefore has exactly the samples that are left. A shard
/// that is damaged is reported and skipped from there on. If an epoch has fewer samples than
/// ``batchesPerEpoch`` needs, because some shards are damaged, samples are seen again.
///
/// A sample whose image cannot be decoded, or that has no image or no caption, is replaced by
/// another, or ends the sequence, as ``BatchLoader/Options/failurePolicy`` says.
public struct ShardLoader: Sendable {
    /// The settings of a loader.
    public struct Options: Sendable {
        /// The settings that all loaders have.
        ///
        /// Those of rows, groups, views and the cache have no effect: a row is a sample with one of
        /// its captions.
        public var common = BatchLoader.Options()
        /// The number of samples among which each one is drawn; 1000 by default.
        ///
        /// Their files are in memory.
        public var shuffle = 1000
        /// The number of samples per epoch, of all processes; `nil` for as many as there are.
        public var samplesPerEpoch: Int?
        /// The members that are image and caption.
        public var fields = ShardFields()
        /// The part of each epoch that this loader has; all of it by default.
        public var part = ShardPart.whole
        /// Opens the shards; by default files and commands.
        public var opener = ShardOpener()
        /// Called from any thread, once per fault, for each shard that is damaged.
        public var onDamage: @Sendable (ShardDamage) -> Void = { _ in }

        /// Creates the default options.
        public init() {}
    }

    /// The shards.
    public let shards: ShardSet
    /// The number of rows per batch.
    public let batchSize: Int
    /// The settings of the loader.
    public let options: Options
    /// The number of samples per epoch of all parts.
    public let rowCount: Int
    /// The number of batches per epoch of each part; samples that do not fill a last batch are left
    /// out.
    public var batchesPerEpoch: Int { rowCount / options.part.count / batchSize }
    /// How the processes divide an epoch.
    public var split: ShardSplit {
        ShardPlan(shards, seed: options.common.seed).split(parts: options.part.count)
    }

    private let decoding: ShardDecoding
    private let damages: ShardDamages

    /// Creates a loader.
    ///
    /// - Parameters:
    ///   - shards: The shards.
    ///   - batchSize: The number of rows per batch, at least 1.
    ///   - transform: The augmentation that turns images into pixels.
    ///   - loader: The image decoder; by default it decodes in full size, as crops require.
    ///   - options: The settings.
    ///   - onFailure: Called from any thread, once for each sample that is replaced.
    /// - Throws: ``DatasetError`` if the number of samples is not known, or is smaller than one
    ///   batch for each part.
    public init(
        _ shards: ShardSet, batchSize: Int, transform: TrainingTransform,
        loader: ImageLoader = ImageLoader(), options: Options = Options(),
        onFailure: @escaping @Sendable (ImageError) -> Void = { _ in }
    ) throws(DatasetError) {
        precondition(batchSize > 0 && options.shuffle > 0 && options.common.workers > 0)
        guard let count = options.samplesPerEpoch ?? shards.sampleCount else {
            throw .shards(
                shards.addresses.first?.description ?? "the shards",
                "the number of samples is not known; count the shards, or say how many samples an"
                    + " epoch has")
        }
        self.shards = shards
        self.batchSize = batchSize
        self.options = options
        rowCount = count
        damages = ShardDamages(options.onDamage)
        decoding = ShardDecoding(
            transform: transform, loader: loader, seed: options.common.seed,
            policy: options.common.failurePolicy, count: count,
            gate: WorkerGate(options.common.workers), onFailure: onFailure)
        guard batchesPerEpoch > 0 else {
            throw .tooSmall(rows: count, batchSize: batchSize * options.part.count)
        }
    }

    /// Returns the endless sequence of batches from a position on, epoch after epoch.
    ///
    /// Reading begins when the first batch is requested. It ends when the iterator is released or
    /// the consumer's task is cancelled. An error ends the sequence.
    ///
    /// - Parameters:
    ///   - position: The first batch; the first of the first epoch by default.
    ///   - parts: The number of parts of the position's epoch when it was begun; by default that of
    ///     the options. If it differs, the position counts batches of the present parts.
    public func batches(
        from position: BatchLoader.Position = BatchLoader.Position(), begunWith parts: Int? = nil
    ) -> some AsyncSequence<TrainingBatch, any Error> & Sendable {
        let start = BatchLoader.Position(
            epoch: position.epoch + position.batch / batchesPerEpoch,
            batch: position.batch % batchesPerEpoch)
        // A position past the last batch of an epoch begins the next one.
        let parts = start.epoch == position.epoch ? parts ?? options.part.count : options.part.count
        return BatchSequence(
            start: start, batchesPerEpoch: batchesPerEpoch, lookahead: options.common.lookahead,
            endsWhenCancelled: options.common.endsWhenCancelled
        ) { starter(begun: (start.epoch, parts)) }
    }

    private func starter(begun: (epoch: Int, parts: Int)) -> Starter {
        let registry = StreamRegistry()
        let settings = ShardLane.Settings(
            shards: shards, fields: options.fields,
            plan: ShardPlan(shards, seed: options.common.seed), seed: options.common.seed,
            capacity: options.shuffle,
            open: { [opener = options.opener] address in
                try registry.open { try opener.open(address) }
            },
            onDamage: { [damages] damage in
                if !registry.isCancelled { damages.add(damage) }
            })
        return Starter(
            feed: ShardFeed(
                settings, part: options.part, batchSize: batchSize, begun: begun,
                registry: registry),
            decoding: decoding, batchesPerEpoch: batchesPerEpoch)
    }

    /// Reads and decodes batches for one iterator.
    private struct Starter: BatchStarter {
        let feed: ShardFeed
        let decoding: ShardDecoding
        let batchesPerEpoch: Int

        mutating func start(_ position: BatchLoader.Position) -> Task<TrainingBatch, any Error> {
            let pending = feed.batch(at: position)
            return Task { [decoding, batchesPerEpoch] in
                let batch = try await pending.value()
                return try await decoding.batch(
                    batch, at: position, turn: position.epoch * batchesPerEpoch + position.batch)
            }
        }

        func cancel() { feed.cancel() }
    }
}
