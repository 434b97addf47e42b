public import SystemPackage

/// Makes training batches of items that have one image each, or two: it shuffles the items, and
/// decodes and augments their images ahead of the consumer.
///
/// It is the counterpart of ``BatchLoader`` for fine-tuning tasks. A row of a batch depends only on
/// the seed, the epoch and its item, so that batches are bit-identical for every number of workers
/// and every start position.
public struct ItemLoader: Sendable {
    /// A batch of items.
    public struct Batch: Sendable {
        /// The positions of the items, `[B]`.
        public let items: [Int]
        /// The normalised pixels `[B, 3, S, S]` of the items' first images, and of their second
        /// images if they have two.
        public let pixels: [[Float]]
        /// The epoch, from 0.
        public let epoch: Int
        /// The position of the batch in its epoch, from 0.
        public let index: Int
    }

    private static let maximumAttempts = 100

    /// The images of each item, by their positions among the different files.
    private let images: [[Int32]]
    private let transform: TrainingTransform
    private let cache: ImageCache
    private let gate: WorkerGate
    private let options: BatchLoader.Options
    private let batchSize: Int

    /// The number of items.
    public var itemCount: Int { images.count }
    /// The number of batches per epoch; items that do not fill a last batch are left out.
    public var batchesPerEpoch: Int { images.count / batchSize }

    /// Creates a loader.
    ///
    /// - Parameters:
    ///   - images: The image files of each item: one per item, or two per item.
    ///   - batchSize: The number of items per batch, at least 1.
    ///   - transform: The augmentation that turns images into pixels. Each image of an item is
    ///     changed by itself.
    ///   - loader: The image decoder; by default it decodes in full size, as crops require.
    ///   - options: The settings. The kind of row, groups and views have no meaning here.
    ///   - onFailure: Called from any thread, once for each file that cannot be read and is
    ///     replaced.
    /// - Throws: ``DatasetError`` if there are fewer items than one batch.
    public init(
        _ images: [[FilePath]], batchSize: Int, transform: TrainingTransform,
        loader: ImageLoader = ImageLoader(), options: BatchLoader.Options = .init(),
        onFailure: @escaping @Sendable (ImageError) -> Void = { _ in }
    ) throws(DatasetError) {
        let slots = images.first?.count ?? 1
        precondition(
            batchSize > 0 && batchSize % options.part.count == 0
                && images.allSatisfy { $0.count == slots },
            "batches of \(batchSize) in \(options.part.count) parts, \(slots) images per item")
        guard images.count >= batchSize else {
            throw .tooSmall(rows: images.count, batchSize: batchSize)
        }
        var places: [FilePath: Int32] = [:]
        var files: [FilePath] = []
        self.images = images.map { item in
            item.map { file in
                if let place = places[file] { return place }
                let place = Int32(files.count)
                places[file] = place
                files.append(file)
                return place
            }
        }
        self.batchSize = batchSize
        self.transform = transform
        self.options = options
        cache = ImageCache(
            files, loader: loader, capacity: options.cacheBytes, onFailure: onFailure)
        gate = WorkerGate(options.workers)
    }

    /// Returns the endless sequence of batches from a position on, epoch after epoch.
    ///
    /// The iterator starts its work when the first batch is requested. The work ends when the
    /// iterator is released or the consumer's task is cancelled. An error ends the sequence.
    ///
    /// - Parameter position: The first batch; the first of the first epoch by default.
    public func batches(
        from position: BatchLoader.Position = .init()
    ) -> some AsyncSequence<Batch, any Error> & Sendable {
        let start = BatchLoader.Position(
            epoch: position.epoch + position.batch / batchesPerEpoch,
            batch: position.batch % batchesPerEpoch)
        return BatchSequence(
            start: start, batchesPerEpoch: batchesPerEpoch, lookahead: options.lookahead,
            endsWhenCancelled: options.endsWhenCancelled
        ) { Starter(self) }
    }

    // MARK: Making a batch

    /// An item with its augmented images.
    private struct Row: Sendable {
        let item: Int
        let squares: [RGBImage]
    }

    private func batch(at position: BatchLoader.Position, items: [Int32]) async throws -> Batch {
        let turn = position.epoch * batchesPerEpoch + position.batch
        try transform.checkMemory(images: items.count * (images.first?.count ?? 1))
        let rows = try await gate.map(items.count, turn: turn) { place in
            try row(Int(items[place]), epoch: position.epoch)
        }
        let slots = rows.first?.squares.count ?? 0
        return Batch(
            items: rows.map(\.item),
            pixels: (0..<slots).map { slot in
                transform.normalised(rows.map { $0.squares[slot] })
            },
            epoch: position.epoch, index: position.batch)
    }

    /// Returns an item with its images, or another item in its place if one cannot be read.
    private func row(_ item: Int, epoch: Int) throws -> Row {
        var current = item
        var attempt = 0
        while true {
            var random = SplitMix64(
                seed: options.seed, stream: EpochOrder.Stream.sample.rawValue, epoch, item, attempt)
            var failed: (error: ImageError, image: Int)?
            var squares: [RGBImage] = []
            for image in images[current].map({ Int($0) }) {
                do {
                    squares.append(try cache.augmented(image, by: transform, using: &random))
                } catch {
                    failed = (error, image)
                    break
                }
            }
            guard let (error, image) = failed else { return Row(item: current, squares: squares) }
            guard options.failurePolicy == .replace else { throw error }
            try cache.record(error, of: image)
            attempt += 1
            // Only a small data set with mostly unreadable images gets here.
            guard attempt < Self.maximumAttempts else { throw error }
            var draw = SplitMix64(
                seed: options.seed, stream: EpochOrder.Stream.replacement.rawValue, epoch, item,
                attempt)
            current = draw.integer(below: itemCount)
        }
    }

    /// Starts batches for one iterator; it keeps the order of the epoch.
    private struct Starter: BatchStarter {
        let loader: ItemLoader
        private var order: (epoch: Int, items: [Int32])?

        init(_ loader: ItemLoader) { self.loader = loader }

        mutating func start(_ position: BatchLoader.Position) -> Task<Batch, any Error> {
            if order?.epoch != position.epoch {
                let items = EpochOrder.shuffled(
                    loader.itemCount, seed: loader.options.seed, epoch: position.epoch)
                order = (position.epoch, items)
            }
            let part = loader.options.part
            let size = loader.batchSize / part.count
            let first = position.batch * loader.batchSize + part.index * size
            let items = Array((order?.items ?? [])[first..<first + size])
            return Task { [loader] in try await loader.batch(at: position, items: items) }
        }
    }
}
