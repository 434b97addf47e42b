public import SystemPackage

/// Turns an image into an encoder's training input: a random part, mirrored half of the time,
/// augmented, normalised, as planes.
///
/// This is the original's training transform; ``ImageTransform`` is the one for search. Generators
/// in the same state yield the same result. Images should be decoded in full size, or with sides of
/// at least `side / scale.lowerBound.squareRoot()`, because only a part of them is used.
public struct TrainingTransform: Sendable {
    private let normalisation: ImageTransform
    /// The random crop, or `nil` if the whole image is squeezed into the square.
    public let crop: RandomResizedCrop?
    /// Whether half of the images are mirrored.
    public let flips: Bool
    /// The augmentation after the flip, or `nil` for none.
    public let randAugment: RandAugment?

    /// The side of the square in pixels.
    public var side: Int { normalisation.side }
    /// The number of floats per image: `3 * side * side`.
    public var count: Int { normalisation.count }

    /// Creates a transform to `[3, side, side]`.
    ///
    /// - Parameters:
    ///   - side: The side of the square in pixels, at least 1.
    ///   - cropScale: The crop's share of the image's area: `0.2...1` for pretraining, the
    ///     default; `0.5...1` for fine-tuning; `nil` for grounding, which squeezes the whole image
    ///     into the square.
    ///   - flips: Whether half of the images are mirrored; `true` by default.
    ///   - randAugment: The random operations, by default the original's (2, 7); `nil` for none.
    ///   - mean: The channels' means for samples from 0 to 1; ALBEF's by default.
    ///   - standardDeviation: The channels' standard deviations, above 0; ALBEF's by default.
    public init(
        side: Int, cropScale: ClosedRange<Double>? = 0.2...1, flips: Bool = true,
        randAugment: RandAugment? = RandAugment(),
        mean: SIMD3<Float> = SIMD3(ImageTransform.clipMean),
        standardDeviation: SIMD3<Float> = SIMD3(ImageTransform.clipStandardDeviation)
    ) {
        normalisation = ImageTransform(
            side: side, mean: mean, standardDeviation: standardDeviation)
        crop = cropScale.map { RandomResizedCrop(side: side, scale: $0) }
        self.flips = flips
        self.randAugment = randAugment
    }

    /// Writes a randomly changed image, `[3, side, side]`, to its slot of a batch.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - slot: Memory for exactly ``count`` floats, which need not be initialised.
    ///   - random: The generator.
    public func callAsFunction(
        _ image: RGBImage, into slot: UnsafeMutableBufferPointer<Float>,
        using random: inout SplitMix64
    ) {
        normalise(augmented(image, using: &random), into: slot)
    }

    /// Writes a randomly changed image file, `[3, side, side]`, to its slot of a batch.
    ///
    /// The result is that for the image that `loader` loads, but takes less time: of a JPEG, only
    /// the random part is decoded.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - loader: The image decoder.
    ///   - slot: Memory for exactly ``count`` floats, which need not be initialised.
    ///   - random: The generator.
    /// - Throws: ``ImageError`` if the loader cannot load the file.
    public func callAsFunction(
        _ path: FilePath, loadedBy loader: ImageLoader,
        into slot: UnsafeMutableBufferPointer<Float>, using random: inout SplitMix64
    ) throws(ImageError) {
        let part = try loader.load(path) { width, height in
            box(width: width, height: height, using: &random)
        }
        normalise(augmented(part: part, using: &random), into: slot)
    }

    /// Returns the image, randomly changed, as `side` × `side` pixels before normalisation.
    public func augmented(_ image: RGBImage, using random: inout SplitMix64) -> RGBImage {
        let box = box(width: image.width, height: image.height, using: &random)
        return augmented(part: image.part { _, _ in box }, using: &random)
    }

    /// Draws the part of an image that is used: the random crop, or the whole image.
    package func box(width: Int, height: Int, using random: inout SplitMix64) -> ImagePart {
        crop?.box(width: width, height: height, using: &random)
            ?? .whole(width: width, height: height)
    }

    /// Returns a part that ``box(width:height:using:)`` drew, randomly changed, as `side` × `side`
    /// pixels.
    package func augmented(
        part: RGBImage, using random: inout SplitMix64
    ) -> RGBImage {
        var image = ImageTransform.resized(part, to: (side, side))
        if flips, random.chance(0.5) { image = Pixels.mirrored(image) }
        return randAugment?(image, using: &random) ?? image
    }

    /// Writes the result of ``augmented(_:using:)`` as `[3, side, side]`.
    package func normalise(_ square: RGBImage, into slot: UnsafeMutableBufferPointer<Float>) {
        normalisation(square, into: slot)
    }
}
