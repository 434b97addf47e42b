#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Makes training batches of a data set: shuffled, decoded and augmented ahead of the consumer.
///
/// What a sample becomes depends on the seed, the epoch and its row alone, so that batches are the
/// same bit by bit whatever the number of workers, and wherever the sequence starts. Images are
/// decoded on the threads of Swift's pool, of which there is one a processor; tasks that wait for
/// their turn hold none.
public struct BatchLoader: Sendable {
    /// What makes a row.
    public enum Sampling: String, Sendable, Hashable, CaseIterable {
        /// An image, with one of its captions drawn anew each epoch: the original's pretraining.
        case images
        /// A caption with its image: training for retrieval.
        case captions
    }

    /// What happens when an image cannot be read.
    public enum FailurePolicy: String, Sendable, Hashable, CaseIterable {
        /// The sequence throws its ``ImageError``, which names the file.
        case stop
        /// Another row, drawn at random, takes its place, until too many files have failed.
        case replace
    }

    /// A batch of an epoch, where a sequence can start.
    public struct Position: Sendable, Hashable, Codable {
        /// The epoch, from 0.
        public var epoch: Int
        /// The batch in the epoch, from 0; past the last one it is the next epoch's first.
        public var batch: Int

        /// A batch of an epoch.
        public init(epoch: Int = 0, batch: Int = 0) {
            precondition(epoch >= 0 && batch >= 0, "batch \(batch) of epoch \(epoch)")
            self.epoch = epoch
            self.batch = batch
        }
    }

    /// How batches are made.
    public struct Options: Sendable {
        /// What makes a row; images by default.
        public var sampling = Sampling.images
        /// How many rows, one after another in the data, stay in one batch; 1 by default.
        ///
        /// Where data come in groups that look alike, such as one shop article in several colours,
        /// these are the hardest negatives there are, and by chance hardly ever meet. A batch size
        /// that is no multiple of it cuts some groups in two.
        public var group = 1
        /// What all randomness comes from; 42 by default, as in the original.
        public var seed: UInt64 = 42
        /// How many images are decoded at once; as many as there are processors by default.
        public var workers = ProcessInfo.processInfo.activeProcessorCount
        /// How many batches are made ahead of the one that is asked for; 2 by default.
        public var lookahead = 2
        /// How many bytes of decoded images are kept in memory; none by default.
        public var cacheBytes = 0
        /// What happens when an image cannot be read; it is replaced by default.
        public var failurePolicy = FailurePolicy.replace
        /// How many views each image has, each drawn once and for all; by default 0, which draws
        /// every sample anew.
        public var views = 0
        /// Whether the consumer has kept what it made of a view, so that it needs no pixels.
        ///
        /// Asked from any thread; by default it has kept nothing.
        public var isKept: @Sendable (AugmentedView) -> Bool = { _ in false }

        /// The defaults.
        public init() {}
    }

    private static let maximumAttempts = 100

    let images: [CaptionedImage]
    private let transform: TrainingTransform
    private let cache: ImageCache
    private let gate: WorkerGate
    let order: EpochOrder

    /// Rows a batch.
    public let batchSize: Int
    /// How batches are made.
    public let options: Options

    /// What happens when an image cannot be read.
    public var failurePolicy: FailurePolicy { options.failurePolicy }
    /// How many rows there are: images with captions, or captions; blank ones do not count.
    public var rowCount: Int { order.count }
    /// How many batches an epoch has; what does not fill the last one is left out.
    public var batchesPerEpoch: Int { order.count / batchSize }

    /// A loader.
    ///
    /// - Parameters:
    ///   - dataset: Images with captions.
    ///   - batchSize: Rows a batch, at least 1.
    ///   - transform: What makes images pixels.
    ///   - loader: What decodes images; in full by default, as crops need.
    ///   - options: How batches are made.
    ///   - onFailure: Told once of each file that cannot be read and is replaced, from any thread.
    /// - Throws: ``DatasetError`` if there are fewer rows than a batch takes.
    public init(
        _ dataset: CaptionDataset, batchSize: Int, transform: TrainingTransform,
        loader: ImageLoader = ImageLoader(), options: Options = Options(),
        onFailure: @escaping @Sendable (ImageError) -> Void = { _ in }
    ) throws(DatasetError) {
        precondition(batchSize > 0, "batches of \(batchSize)")
        precondition(
            options.workers > 0 && options.lookahead >= 0 && options.cacheBytes >= 0
                && options.group > 0,
            "\(options.workers) workers, \(options.lookahead) batches ahead")
        images = dataset.images
        self.batchSize = batchSize
        self.transform = transform
        self.options = options
        order = EpochOrder(
            dataset.images, sampling: options.sampling, seed: options.seed, group: options.group,
            batchSize: batchSize)
        cache = ImageCache(
            dataset.images, loader: loader, capacity: options.cacheBytes, onFailure: onFailure)
        gate = WorkerGate(options.workers)
        guard order.count >= batchSize else {
            throw .tooSmall(rows: order.count, batchSize: batchSize)
        }
    }

    /// The batches from a position on, epoch after epoch, without end.
    ///
    /// Making them begins with the first one asked for, and ends when the iterator is gone or the
    /// consumer's task cancelled. An error ends the sequence.
    public func batches(
        from position: Position = Position()
    ) -> some AsyncSequence<TrainingBatch, any Error> & Sendable {
        BatchSequence(loader: self, start: normalised(position))
    }

    /// The same position with its batch within its epoch.
    private func normalised(_ position: Position) -> Position {
        Position(
            epoch: position.epoch + position.batch / batchesPerEpoch,
            batch: position.batch % batchesPerEpoch)
    }

    // MARK: Making a batch

    private struct Sample: Sendable {
        /// nil where the consumer needs no pixels.
        let square: RGBImage?
        let caption: String
        let image: Int
        let view: AugmentedView?
    }

    /// Makes the batch of these rows.
    func batch(at position: Position, rows: [Int32]) async throws -> TrainingBatch {
        let turn = position.epoch * batchesPerEpoch + position.batch
        let samples = try await withThrowingTaskGroup(of: (Int, Sample).self) { group in
            for (place, row) in rows.enumerated() {
                group.addTask {
                    let sample = try await gate.run(turn: turn) {
                        try makeSample(Int(row), epoch: position.epoch)
                    }
                    return (place, sample)
                }
            }
            var samples = [Sample?](repeating: nil, count: rows.count)
            for try await (place, sample) in group { samples[place] = sample }
            return samples.compactMap { $0 }
        }
        let length = transform.count
        let squares = samples.compactMap(\.square)
        let pixels = [Float](unsafeUninitializedCapacity: squares.count * length) {
            buffer, initialized in
            for (place, square) in squares.enumerated() {
                let slot = buffer[place * length..<(place + 1) * length]
                transform.normalise(square, into: UnsafeMutableBufferPointer(rebasing: slot))
            }
            initialized = squares.count * length
        }
        return TrainingBatch(
            pixels: pixels, pixelRows: samples.indices.filter { samples[$0].square != nil },
            views: samples.compactMap(\.view), captions: samples.map(\.caption),
            ids: samples.map { images[$0.image].id },
            imageCaptions: samples.map { images[$0.image].captions },
            images: samples.map { images[$0.image].path },
            epoch: position.epoch, index: position.batch)
    }

    /// The sample of a row, or of the row that takes its place.
    private func makeSample(_ row: Int, epoch: Int) throws -> Sample {
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
                    return Sample(square: nil, caption: caption, image: image, view: view)
                }
                let decoded = try cache.image(image)
                if let view {
                    random = SplitMix64(
                        seed: options.seed, stream: EpochOrder.Stream.view.rawValue, view.image,
                        view.index)
                }
                let square = transform.augmented(decoded, using: &random)
                return Sample(square: square, caption: caption, image: image, view: view)
            } catch {
                guard failurePolicy == .replace else { throw error }
                try cache.record(error, of: image)
                attempt += 1
                // Only a small set, most of which is unreadable, gets this far.
                guard attempt < Self.maximumAttempts else { throw error }
            }
            var draw = SplitMix64(
                seed: options.seed, stream: EpochOrder.Stream.replacement.rawValue, epoch, row,
                attempt)
            current = draw.integer(below: order.count)
        }
    }
}
