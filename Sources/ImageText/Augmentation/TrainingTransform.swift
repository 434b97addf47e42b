/// Makes an image what an image encoder is trained on: a random part of it, perhaps mirrored,
/// augmented, normalised, in planes.
///
/// This is the original's training transform; ``ImageTransform`` is the one for searching. Equal
/// generators give equal results. Images should be decoded in full, or to at least
/// `side / scale.lowerBound.squareRoot()`, because only a part of them is kept.
public struct TrainingTransform: Sendable {
    private let normalisation: ImageTransform
    /// The random crop, or `nil` where the whole image is squeezed into the square.
    public let crop: RandomResizedCrop?
    /// Whether half of the images are mirrored.
    public let flips: Bool
    /// What follows the flip, if anything.
    public let randAugment: RandAugment?

    /// The side of the square in pixels.
    public var side: Int { normalisation.side }
    /// How many floats an image becomes: `3 * side * side`.
    public var count: Int { normalisation.count }

    /// A transform to `[3, side, side]`.
    ///
    /// - Parameters:
    ///   - side: The square's side in pixels, at least 1.
    ///   - cropScale: The crop's share of the image's area: `0.2...1` for pretraining, `0.5...1`
    ///     for fine-tuning; `nil` squeezes the whole image into the square, for grounding.
    ///   - flips: Whether half of the images are mirrored.
    ///   - randAugment: Random operations; the original's (2, 7) by default.
    ///   - mean: The channels' means, of samples from 0 to 1.
    ///   - standardDeviation: The channels' standard deviations, above 0.
    public init(
        side: Int, cropScale: ClosedRange<Double>? = 0.2...1, flips: Bool = true,
        randAugment: RandAugment? = RandAugment(),
        mean: SIMD3<Float> = [0.48145466, 0.4578275, 0.40821073],
        standardDeviation: SIMD3<Float> = [0.26862954, 0.26130258, 0.27577711]
    ) {
        normalisation = ImageTransform(
            side: side, mean: mean, standardDeviation: standardDeviation)
        crop = cropScale.map { RandomResizedCrop(side: side, scale: $0) }
        self.flips = flips
        self.randAugment = randAugment
    }

    /// Writes an image, randomly changed, as `[3, side, side]` to its place in a batch.
    ///
    /// - Parameter slot: Exactly `count` floats; they need not be initialised.
    public func callAsFunction(
        _ image: RGBImage, into slot: UnsafeMutableBufferPointer<Float>,
        using random: inout SplitMix64
    ) {
        normalise(augmented(image, using: &random), into: slot)
    }

    /// The image randomly changed, `side` x `side`, before it is normalised.
    public func augmented(_ image: RGBImage, using random: inout SplitMix64) -> RGBImage {
        var image =
            crop?(image, using: &random) ?? ImageTransform.resized(image, to: (side, side))
        if flips, random.chance(0.5) { image = Pixels.mirrored(image) }
        return randAugment?(image, using: &random) ?? image
    }

    /// Writes what ``augmented(_:using:)`` made as `[3, side, side]`.
    func normalise(_ square: RGBImage, into slot: UnsafeMutableBufferPointer<Float>) {
        normalisation(square, into: slot)
    }
}
