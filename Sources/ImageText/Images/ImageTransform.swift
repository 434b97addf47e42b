/// Makes an image what an image encoder takes: square, normalised, in planes.
///
/// The resize is Pillow's, antialiased, bit for bit; the rest is torchvision's `ToTensor` and
/// `Normalize` in 32-bit floats.
public struct ImageTransform: Sendable {
    /// How an image that is not square becomes a square.
    public enum Fit: Sendable, Hashable {
        /// Without regard to the aspect ratio: ALBEF.
        case squeeze
        /// The shorter side is resized, as torchvision's `Resize` does, and the middle of the longer
        /// one is cut out, as its `CenterCrop` does: CLIP.
        case crop
    }

    /// What weighs neighbouring pixels in a resize.
    public enum Filter: Sendable, Hashable {
        /// Cubic, a = -0.5.
        case bicubic
        /// A triangle.
        case bilinear
    }

    /// The side of the square in pixels.
    public let side: Int
    /// What is subtracted of each channel, red, green, blue, of samples from 0 to 1.
    public let mean: SIMD3<Float>
    /// What each channel is then divided by.
    public let standardDeviation: SIMD3<Float>

    /// How images that are not square become square.
    public let fit: Fit
    /// The filter of the resize.
    public let filter: Filter

    /// The outcome for each channel and sample: `[3, 256]`.
    private let table: [Float]

    /// How many floats an image becomes: `3 * side * side`.
    public var count: Int { 3 * side * side }

    /// A transform to `[3, side, side]`.
    ///
    /// - Parameters:
    ///   - side: The square's side in pixels, at least 1.
    ///   - mean: The channels' means, of samples from 0 to 1. ALBEF's, which are CLIP's, by
    ///     default.
    ///   - standardDeviation: The channels' standard deviations, above 0. ALBEF's by default.
    ///   - fit: How images that are not square become square; squeezed by default, as in ALBEF.
    ///   - filter: The filter of the resize; bicubic by default.
    public init(
        side: Int,
        mean: SIMD3<Float> = [0.48145466, 0.4578275, 0.40821073],
        standardDeviation: SIMD3<Float> = [0.26862954, 0.26130258, 0.27577711],
        fit: Fit = .squeeze, filter: Filter = .bicubic
    ) {
        precondition(side > 0, "a square of side \(side)")
        precondition(
            (0..<3).allSatisfy { standardDeviation[$0] > 0 },
            "standard deviations \(standardDeviation)")
        self.side = side
        self.mean = mean
        self.standardDeviation = standardDeviation
        self.fit = fit
        self.filter = filter
        table = (0..<3).flatMap { channel in
            (0..<256).map { sample in
                (Float(sample) / 255 - mean[channel]) / standardDeviation[channel]
            }
        }
    }

    /// The image as `[3, side, side]`, row by row.
    public func callAsFunction(_ image: RGBImage) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            self(image, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialized = count
        }
    }

    /// Writes the image as `[3, side, side]` to its place in a batch.
    ///
    /// - Parameter slot: Exactly `count` floats; they need not be initialised.
    public func callAsFunction(
        _ image: RGBImage, into slot: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(slot.count == count, "a slot of \(slot.count) floats for \(count)")
        Pixels.spread(square(image), through: table, into: slot)
    }

    /// The image as a square of the side.
    private func square(_ image: RGBImage) -> RGBImage {
        guard fit == .crop, image.width != image.height else {
            return Self.resized(image, to: (side, side), filter: filter)
        }
        let (short, long) = (min(image.width, image.height), max(image.width, image.height))
        let length = max(side, side * long / short)
        // Python rounds a half to the even number.
        let margin = length - side
        let start = margin / 2 + (margin % 4 == 3 ? 1 : 0)
        let isWide = image.width > image.height
        let resized = Self.resized(
            image, to: isWide ? (length, side) : (side, length), filter: filter)
        return Pixels.cropped(
            resized, left: isWide ? start : 0, top: isWide ? 0 : start, width: side, height: side)
    }

    /// The image resampled to `size` as Pillow's antialiased resize does, bit for bit.
    ///
    /// - Parameter size: Pixels across and down, each at least 1.
    public static func resized(
        _ image: RGBImage, to size: (width: Int, height: Int), filter: Filter = .bicubic
    ) -> RGBImage {
        if size == (image.width, image.height) { return image }
        return Pixels.resize(image, width: size.width, height: size.height, filter: filter)
    }

    /// The image at its own aspect ratio, so that it fits into a square of `side` pixels; never
    /// larger than it is.
    package static func fitted(_ image: RGBImage, side: Int) -> RGBImage {
        let scale = min(1, Double(side) / Double(max(image.width, image.height)))
        func scaled(_ length: Int) -> Int { max(1, Int((Double(length) * scale).rounded())) }
        return resized(image, to: (scaled(image.width), scaled(image.height)))
    }
}
