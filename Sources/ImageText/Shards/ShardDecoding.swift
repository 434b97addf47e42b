internal import Synchronization
internal import SystemPackage

/// Turns the samples of shards into the rows of batches.
final class ShardDecoding: Sendable {
    /// This many failures are always tolerated.
    private static let tolerated = 9

    private let transform: TrainingTransform
    private let loader: ImageLoader
    private let seed: UInt64
    private let policy: BatchLoader.FailurePolicy
    private let count: Int
    private let gate: WorkerGate
    private let onFailure: @Sendable (ImageError) -> Void
    private let failed = Mutex<Set<String>>([])

    /// - Parameter count: The number of samples per epoch.
    init(
        transform: TrainingTransform, loader: ImageLoader, seed: UInt64,
        policy: BatchLoader.FailurePolicy, count: Int, gate: WorkerGate,
        onFailure: @escaping @Sendable (ImageError) -> Void
    ) {
        self.transform = transform
        self.loader = loader
        self.seed = seed
        self.policy = policy
        self.count = count
        self.gate = gate
        self.onFailure = onFailure
    }

    /// Decodes and augments a batch.
    func batch(
        _ batch: ShardFeed.Batch, at position: BatchLoader.Position, turn: Int
    ) async throws -> TrainingBatch {
        try transform.checkMemory(images: batch.samples.count)
        let rows = try await gate.map(batch.samples.count, turn: turn) { [self] place in
            try row(place, of: batch, epoch: position.epoch)
        }
        return TrainingBatch(rows, transform: transform, at: position)
    }

    /// Returns the row of a sample, or of a spare that replaces it.
    private func row(_ place: Int, of batch: ShardFeed.Batch, epoch: Int) throws -> PreparedSample {
        var attempt = 0
        var sample = batch.samples[place]
        while true {
            do {
                return try row(sample, epoch: epoch)
            } catch {
                guard policy == .replace, attempt < batch.spares.count else { throw error }
                try record(error, of: sample)
                sample = batch.spares[(place + attempt) % batch.spares.count]
                attempt += 1
            }
        }
    }

    private func row(_ sample: ShardSample, epoch: Int) throws(ImageError) -> PreparedSample {
        let path = sample.path
        guard let image = sample.image else {
            throw ImageError(.unusable("has no image"), path.description)
        }
        let captions: [String]
        do throws(DatasetError) {
            captions = try sample.captions()
        } catch {
            throw ImageError(.unusable("its caption cannot be read: \(error)"), path.description)
        }
        guard !captions.isEmpty else {
            throw ImageError(.unusable("has no caption"), path.description)
        }
        // The numbers depend on the sample alone, so they are the same in any batch.
        var name = ContentHash()
        name.add("\(sample.shard) \(sample.ordinal)")
        var random = SplitMix64(
            seed: seed, stream: EpochOrder.Stream.sample.rawValue, epoch, Int(name.word >> 2))
        let caption = captions[random.integer(below: captions.count)]
        let part = try loader.load(image.bytes, named: path.description) { width, height in
            transform.box(width: width, height: height, using: &random)
        }
        return PreparedSample(
            square: transform.augmented(part: part, using: &random), caption: caption,
            captions: captions, id: sample.imageID(), path: path, view: nil)
    }

    /// Reports the failure of a sample, once.
    ///
    /// - Throws: ``DatasetError`` if at least 10 samples, and more than 1% of all, have failed.
    private func record(_ error: any Error, of sample: ShardSample) throws(DatasetError) {
        guard let error = error as? ImageError else { return }
        let (isNew, count) = failed.withLock { failed in
            (failed.insert(sample.path.description).inserted, failed.count)
        }
        if isNew { onFailure(error) }
        if count > Self.tolerated, count * 100 > self.count {
            throw .tooManyFailures(count, of: self.count, latest: error)
        }
    }
}
