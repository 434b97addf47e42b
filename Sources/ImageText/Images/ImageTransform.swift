/// Makes a picture what an image encoder takes: square, normalised, in planes.
///
/// The resize is Pillow's antialiased bicubic, bit for bit, without regard to the aspect ratio;
/// the rest is torchvision's `ToTensor` and `Normalize` in 32-bit floats.
public struct ImageTransform: Sendable {
    /// The side of the square in pixels.
    public let side: Int
    /// What is subtracted of each channel, red, green, blue, of samples from 0 to 1.
    public let mean: SIMD3<Float>
    /// What each channel is then divided by.
    public let standardDeviation: SIMD3<Float>

    /// The outcome for each channel and sample: `[3, 256]`.
    private let table: [Float]

    /// How many floats a picture becomes: `3 * side * side`.
    public var count: Int { 3 * side * side }

    /// A transform to `[3, side, side]`.
    ///
    /// - Parameters:
    ///   - side: The square's side in pixels, at least 1.
    ///   - mean: The channels' means, of samples from 0 to 1. ALBEF's, which are CLIP's, by
    ///     default.
    ///   - standardDeviation: The channels' standard deviations, above 0. ALBEF's by default.
    public init(
        side: Int,
        mean: SIMD3<Float> = [0.48145466, 0.4578275, 0.40821073],
        standardDeviation: SIMD3<Float> = [0.26862954, 0.26130258, 0.27577711]
    ) {
        precondition(side > 0, "a square of side \(side)")
        precondition(
            (0..<3).allSatisfy { standardDeviation[$0] > 0 },
            "standard deviations \(standardDeviation)")
        self.side = side
        self.mean = mean
        self.standardDeviation = standardDeviation
        table = (0..<3).flatMap { channel in
            (0..<256).map { sample in
                (Float(sample) / 255 - mean[channel]) / standardDeviation[channel]
            }
        }
    }

    /// The picture as `[3, side, side]`, row by row.
    public func callAsFunction(_ image: RGBImage) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            self(image, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialized = count
        }
    }

    /// Writes the picture as `[3, side, side]` to its place in a batch.
    ///
    /// - Parameter slot: Exactly `count` floats; they need not be initialised.
    public func callAsFunction(
        _ image: RGBImage, into slot: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(slot.count == count, "a slot of \(slot.count) floats for \(count)")
        Pixels.spread(Self.resized(image, to: (side, side)), through: table, into: slot)
    }

    /// The picture resampled to `size` as Pillow's antialiased bicubic does, bit for bit.
    ///
    /// - Parameter size: Pixels across and down, each at least 1.
    public static func resized(_ image: RGBImage, to size: (width: Int, height: Int)) -> RGBImage {
        if size == (image.width, image.height) { return image }
        return Pixels.resize(image, width: size.width, height: size.height)
    }
}
