import ALBEF
import Foundation
import ImageText
import SystemPackage

/// What the training data tell about the batches of a run.
struct PlannedData {
    /// The tokens of the longest caption, special tokens included.
    let longest: Int
    /// The tokens of the longest caption of a batch, on average.
    let batchLength: Double
    /// The tokens of a caption, on average.
    let meanLength: Double
    /// The images and their captions; nil if the data are shards.
    private let dataset: CaptionDataset?
    /// The bytes of a decoded image, on average; nil if none was decoded.
    private(set) var imageBytes: Int?
    /// The processor time of decoding an image and of augmenting it; nil if none was decoded.
    private(set) var decoding: (decode: Double, augment: Double)?

    /// The number of images; nil if the data are shards.
    var imageCount: Int? { dataset?.images.count }

    private static let captions = 4_096
    private static let images = 8

    /// Reads the lengths of some captions, evenly spaced over the data.
    ///
    /// The captions of shards are not read; they are taken to be as long as the settings allow.
    init(
        _ data: TrainingData, _ preprocessing: ModelPreprocessing, batchSize: Int, limit: Int
    ) {
        dataset = data.annotations
        guard let dataset, !dataset.images.isEmpty else {
            (longest, batchLength, meanLength) = (limit, Double(limit), Double(limit))
            return
        }
        let all = dataset.images.lazy.flatMap(\.captions)
        let step = max(1, dataset.captionCount / Self.captions)
        let chosen = all.enumerated().filter { $0.offset % step == 0 }.map(\.element)
        // One caption per row, so that no row is padded.
        let lengths = chosen.map { preprocessing.text.batch([$0]).length }
        let sorted = lengths.sorted()
        longest = sorted.last ?? limit
        meanLength =
            lengths.isEmpty
            ? Double(limit) : Double(lengths.reduce(0, +)) / Double(lengths.count)
        // The longest of N captions lies at the quantile N / (N + 1) on average.
        let place = Double(sorted.count) * Double(batchSize) / Double(batchSize + 1)
        batchLength = Double(
            sorted.isEmpty ? limit : sorted[min(sorted.count - 1, Int(place))])
    }

    /// Decodes and augments a few images, and measures their sizes and the time.
    ///
    /// Images that cannot be read are skipped, as the run would replace them.
    mutating func measureImages(_ transform: TrainingTransform) {
        guard let dataset, !dataset.images.isEmpty else { return }
        let step = max(1, dataset.images.count / Self.images)
        let paths = stride(from: 0, to: dataset.images.count, by: step).prefix(Self.images)
            .map { dataset.images[$0].path }
        let clock = ContinuousClock()
        let loader = ImageLoader()
        var pixels = [Float](repeating: 0, count: transform.count)
        var (bytes, count) = (0, 0)
        var (decode, augment) = (Duration.zero, Duration.zero)
        for (index, path) in paths.enumerated() {
            let start = clock.now
            var random = SplitMix64(seed: 0, stream: index)
            var size = 0
            let loaded = try? loader.load(path) { width, height in
                size = 3 * width * height
                return transform.box(width: width, height: height, using: &random)
            }
            guard let part = loaded else { continue }
            let decoded = clock.now
            let square = transform.augmented(part: part, using: &random)
            pixels.withUnsafeMutableBufferPointer { transform.normalise(square, into: $0) }
            // The first image also loads what all need.
            if index > 0 || paths.count == 1 {
                decode += start.duration(to: decoded)
                augment += decoded.duration(to: clock.now)
                count += 1
                bytes += size
            }
        }
        guard count > 0 else { return }
        imageBytes = bytes / count
        decoding = (decode.seconds / Double(count), augment.seconds / Double(count))
    }

    /// The bytes of the cache of decoded images, which holds as many as fit.
    private func cacheBytes(_ settings: TrainingConfiguration.Data) -> Int {
        let limit = settings.cacheMegabytes * 1_000_000
        guard let imageBytes, let count = imageCount else { return limit }
        return min(limit, imageBytes * count)
    }

    /// The bytes of the batches in preparation and of decoded images, in the processor's memory.
    func bytes(
        _ settings: TrainingConfiguration.Data, _ shape: StepShape
    ) -> (ahead: Int, cache: Int) {
        let side = shape.sizes.vision.imageSize
        let ahead = settings.lookahead + shape.accumulation + 1
        // Rows whose maps are cached have no pixels.
        let pixels = shape.cachedParts == 0 ? ahead * shape.pairs * 4 * 3 * side * side : 0
        return (pixels, cacheBytes(settings))
    }

    /// The processor time per image of a step: decoding is left out for the share of images that
    /// the cache holds.
    func secondsPerImage(_ settings: TrainingConfiguration.Data) -> Double? {
        guard let decoding, let imageBytes, let count = imageCount else { return nil }
        let all = Double(max(1, imageBytes * count))
        let kept = min(1, Double(settings.cacheMegabytes) * 1e6 / all)
        return decoding.augment + decoding.decode * (1 - kept)
    }
}
