#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Makes training batches from a data set: it shuffles the rows, and decodes and augments images
/// ahead of the consumer.
///
/// A sample depends only on the seed, the epoch and its row. Batches are therefore bit-identical
/// for every number of workers and every start position. Images are decoded on Swift's thread pool,
/// which has one thread per processor; waiting tasks hold no thread.
public struct BatchLoader: Sendable {
    /// The kind of row that a batch consists of.
    public enum Sampling: String, Sendable, Hashable, CaseIterable {
        /// One row per image, with one of its captions drawn each epoch, as in ALBEF's pretraining.
        case images
        /// One row per caption, with its image, as in training for retrieval.
        case captions
    }

    /// The reaction to an image that cannot be read.
    public enum FailurePolicy: String, Sendable, Hashable, CaseIterable {
        /// The sequence throws the ``ImageError``, which names the file.
        case stop
        /// Another row, drawn at random, replaces it.
        ///
        /// The sequence throws a ``DatasetError`` once at least 10 images, and more than 1% of all,
        /// have failed.
        case replace
    }

    /// A batch of an epoch, at which a sequence can start.
    public struct Position: Sendable, Hashable, Codable {
        /// The epoch, from 0.
        public var epoch: Int
        /// The batch in the epoch, from 0; a number past the last batch continues in the next
        /// epoch.
        public var batch: Int

        /// Creates a position, by default the first batch of the first epoch.
        public init(epoch: Int = 0, batch: Int = 0) {
            precondition(
                epoch >= 0 && batch >= 0, "the position is batch \(batch) of epoch \(epoch)")
            self.epoch = epoch
            self.batch = batch
        }
    }

    /// The settings of a loader.
    public struct Options: Sendable {
        /// The kind of row; images by default.
        public var sampling = Sampling.images
        /// The number of rows, consecutive in the data, that stay in one batch; 1 by default.
        ///
        /// Some data sets list look-alikes together, such as one shop article in several colours.
        /// They are the hardest negatives, and random batches rarely bring them together. If the
        /// batch size is not a multiple of this number, some groups are split.
        public var group = 1
        /// The seed of all randomness; 42 by default, as in the original.
        public var seed: UInt64 = 42
        /// The number of images decoded at once; the number of active processors by default.
        public var workers = ProcessInfo.processInfo.activeProcessorCount
        /// The number of batches made ahead of the requested one; 2 by default.
        public var lookahead = 2
        /// The memory for decoded images, in bytes; 0 by default, which keeps none.
        public var cacheBytes = 0
        /// The reaction to an image that cannot be read; ``FailurePolicy/replace`` by default.
        public var failurePolicy = FailurePolicy.replace
        /// The number of fixed views per image; 0 by default, which augments every sample anew.
        public var views = 0
        /// Returns whether the consumer has cached its result for a view, so that the row needs no
        /// pixels.
        ///
        /// Called from any thread. By default nothing is cached.
        public var isKept: @Sendable (AugmentedView) -> Bool = { _ in false }

        /// The part of every batch that is made, `[part · B / parts, (part + 1) · B / parts)`; the
        /// whole batch by default.
        ///
        /// The batch size must be a multiple of the number of parts. The rows of a batch do not
        /// depend on it, so several processes can make the parts of one batch.
        public var part = (index: 0, count: 1)
        /// Whether the sequence ends when the consumer's task is cancelled; true by default.
        public var endsWhenCancelled = true

        /// Creates the default options.
        public init() {}
    }

    private static let maximumAttempts = 100

    let images: [CaptionedImage]
    private let transform: TrainingTransform
    private let cache: ImageCache
    private let gate: WorkerGate
    private let order: EpochOrder

    /// The number of rows per batch.
    public let batchSize: Int
    /// The settings of the loader.
    public let options: Options

    /// The reaction to an image that cannot be read.
    public var failurePolicy: FailurePolicy { options.failurePolicy }
    /// The number of rows: images with a caption that is not blank, or such captions.
    public var rowCount: Int { order.count }
    /// The number of batches per epoch; rows that do not fill a last batch are left out.
    public var batchesPerEpoch: Int { order.count / batchSize }

    /// Creates a loader.
    ///
    /// - Parameters:
    ///   - dataset: The images with captions.
    ///   - batchSize: The number of rows per batch, at least 1.
    ///   - transform: The augmentation that turns images into pixels.
    ///   - loader: The image decoder; by default it decodes in full size, as crops require.
    ///   - options: The settings.
    ///   - onFailure: Called from any thread, once for each file that cannot be read and is
    ///     replaced.
    /// - Throws: ``DatasetError`` if the data set has fewer rows than one batch.
    public init(
        _ dataset: CaptionDataset, batchSize: Int, transform: TrainingTransform,
        loader: ImageLoader = ImageLoader(), options: Options = Options(),
        onFailure: @escaping @Sendable (ImageError) -> Void = { _ in }
    ) throws(DatasetError) {
        precondition(batchSize > 0, "the batch size is \(batchSize)")
        precondition(
            options.workers > 0 && options.lookahead >= 0 && options.cacheBytes >= 0
                && options.group > 0 && (0..<options.part.count).contains(options.part.index)
                && batchSize % options.part.count == 0,
            "batches of \(batchSize), part \(options.part.index) of \(options.part.count),"
                + " \(options.workers) workers, lookahead \(options.lookahead), cache of"
                + " \(options.cacheBytes) bytes, groups of \(options.group)")
        images = dataset.images
        self.batchSize = batchSize
        self.transform = transform
        self.options = options
        order = EpochOrder(
            dataset.images, sampling: options.sampling, seed: options.seed, group: options.group,
            batchSize: batchSize)
        cache = ImageCache(
            dataset.images.map(\.path), loader: loader, capacity: options.cacheBytes,
            onFailure: onFailure)
        gate = WorkerGate(options.workers)
        guard order.count >= batchSize else {
            throw .tooSmall(rows: order.count, batchSize: batchSize)
        }
    }

    /// Returns the endless sequence of batches from a position on, epoch after epoch.
    ///
    /// The iterator starts its work when the first batch is requested. The work ends when the
    /// iterator is released or the consumer's task is cancelled. An error ends the sequence.
    ///
    /// - Parameter position: The first batch; the first of the first epoch by default.
    public func batches(
        from position: Position = Position()
    ) -> some AsyncSequence<TrainingBatch, any Error> & Sendable {
        BatchSequence(
            start: normalised(position), batchesPerEpoch: batchesPerEpoch,
            lookahead: options.lookahead, endsWhenCancelled: options.endsWhenCancelled
        ) { Starter(self) }
    }

    /// Returns the same position with a batch number below the number of batches per epoch.
    private func normalised(_ position: Position) -> Position {
        Position(
            epoch: position.epoch + position.batch / batchesPerEpoch,
            batch: position.batch % batchesPerEpoch)
    }

    // MARK: Making a batch

    /// Makes the batch of these rows.
    private func batch(at position: Position, rows: [Int32]) async throws -> TrainingBatch {
        let turn = position.epoch * batchesPerEpoch + position.batch
        if options.views == 0 { try transform.checkMemory(images: rows.count) }
        let samples = try await gate.map(rows.count, turn: turn) { place in
            try makeSample(Int(rows[place]), epoch: position.epoch)
        }
        return TrainingBatch(samples, transform: transform, at: position)
    }

    /// Returns the sample of a row, or of the row that replaces it.
    private func makeSample(_ row: Int, epoch: Int) throws -> PreparedSample {
        var current = row
        var attempt = 0
        while true {
            var random = SplitMix64(
                seed: options.seed, stream: EpochOrder.Stream.sample.rawValue, epoch, row, attempt)
            let (image, caption) = order.sample(current, of: images, using: &random)
            let view =
                options.views > 0
                ? AugmentedView(image: image, index: random.integer(below: options.views)) : nil
            do {
                if let view, options.isKept(view) {
                    return prepared(image, nil, caption, view)
                }
                if let view {
                    random = SplitMix64(
                        seed: options.seed, stream: EpochOrder.Stream.view.rawValue, view.image,
                        view.index)
                }
                let square = try cache.augmented(image, by: transform, using: &random)
                return prepared(image, square, caption, view)
            } catch {
                guard failurePolicy == .replace else { throw error }
                try cache.record(error, of: image)
                attempt += 1
                // Only a small data set with mostly unreadable images gets here.
                guard attempt < Self.maximumAttempts else { throw error }
            }
            var draw = SplitMix64(
                seed: options.seed, stream: EpochOrder.Stream.replacement.rawValue, epoch, row,
                attempt)
            current = draw.integer(below: order.count)
        }
    }

    private func prepared(
        _ image: Int, _ square: RGBImage?, _ caption: String, _ view: AugmentedView?
    ) -> PreparedSample {
        PreparedSample(
            square: square, caption: caption, captions: images[image].captions,
            id: images[image].id, path: images[image].path, view: view)
    }

    /// Starts batches for one iterator; it keeps the order of the epoch.
    private struct Starter: BatchStarter {
        let loader: BatchLoader
        private var order: (epoch: Int, rows: [Int32])?

        init(_ loader: BatchLoader) { self.loader = loader }

        mutating func start(_ position: Position) -> Task<TrainingBatch, any Error> {
            if order?.epoch != position.epoch {
                order = (position.epoch, loader.order.rows(ofEpoch: position.epoch))
            }
            let part = loader.options.part
            let size = loader.batchSize / part.count
            let first = position.batch * loader.batchSize + part.index * size
            let rows = Array((order?.rows ?? [])[first..<first + size])
            return Task { [loader] in try await loader.batch(at: position, rows: rows) }
        }
    }
}
