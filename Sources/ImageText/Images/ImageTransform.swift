/// Turns an image into the input of an image encoder: square, normalised, as planes.
///
/// The resize is bit-identical to Pillow's antialiased one; the rest is torchvision's `ToTensor`
/// and `Normalize` in 32-bit floats.
public struct ImageTransform: Sendable {
    /// The way in which an image becomes square.
    public enum Fit: Sendable, Hashable {
        /// Resizes without regard to the aspect ratio, as ALBEF does.
        case squeeze
        /// Resizes the shorter side as torchvision's `Resize` does, and crops the middle of the
        /// longer side as its `CenterCrop` does; used by CLIP.
        case crop
    }

    /// The weighting of neighbouring pixels in a resize.
    public enum Filter: Sendable, Hashable {
        /// A cubic filter with a = -0.5.
        case bicubic
        /// A triangle filter.
        case bilinear
    }

    /// The side of the square in pixels.
    public let side: Int
    /// The mean of each channel, red, green, blue, for samples from 0 to 1; subtracted first.
    public let mean: SIMD3<Float>
    /// The standard deviation of each channel, which divides the difference.
    public let standardDeviation: SIMD3<Float>

    /// The way in which an image becomes square.
    public let fit: Fit
    /// The filter of the resize.
    public let filter: Filter

    /// The normalised value of each sample in each channel, `[3, 256]`.
    private let table: [Float]

    /// The number of floats per image: `3 * side * side`.
    public var count: Int { 3 * side * side }

    /// The channels' means of CLIP, which ALBEF uses too.
    public static let clipMean: SIMD3<Double> = [0.48145466, 0.4578275, 0.40821073]
    /// The channels' standard deviations of CLIP, which ALBEF uses too.
    public static let clipStandardDeviation: SIMD3<Double> = [0.26862954, 0.26130258, 0.27577711]

    /// Creates a transform to `[3, side, side]`.
    ///
    /// - Parameters:
    ///   - side: The side of the square in pixels, at least 1.
    ///   - mean: The channels' means for samples from 0 to 1; by default ALBEF's, which are CLIP's.
    ///   - standardDeviation: The channels' standard deviations, above 0; ALBEF's by default.
    ///   - fit: The way in which an image becomes square; squeezed by default, as in ALBEF.
    ///   - filter: The filter of the resize; bicubic by default.
    public init(
        side: Int,
        mean: SIMD3<Float> = SIMD3(Self.clipMean),
        standardDeviation: SIMD3<Float> = SIMD3(Self.clipStandardDeviation),
        fit: Fit = .squeeze, filter: Filter = .bicubic
    ) {
        precondition(side > 0, "the side of the square is \(side)")
        precondition(
            (0..<3).allSatisfy { standardDeviation[$0] > 0 },
            "the standard deviations are \(standardDeviation), but must be positive")
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

    /// Returns the image as `[3, side, side]`, row-major.
    public func callAsFunction(_ image: RGBImage) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            self(image, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialized = count
        }
    }

    /// Writes the image as `[3, side, side]` to its slot of a batch.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - slot: Memory for exactly ``count`` floats, which need not be initialised.
    public func callAsFunction(
        _ image: RGBImage, into slot: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(slot.count == count, "the slot has \(slot.count) floats, not \(count)")
        Pixels.spread(square(image), through: table, into: slot)
    }

    /// Returns the image as `side` × `side` pixels.
    private func square(_ image: RGBImage) -> RGBImage {
        guard fit == .crop, image.width != image.height else {
            return Self.resized(image, to: (side, side), filter: filter)
        }
        let (short, long) = (min(image.width, image.height), max(image.width, image.height))
        let length = max(side, side * long / short)
        // The offset is rounded as in Python: halves to the even neighbour.
        let margin = length - side
        let start = margin / 2 + (margin % 4 == 3 ? 1 : 0)
        let isWide = image.width > image.height
        let resized = Self.resized(
            image, to: isWide ? (length, side) : (side, length), filter: filter)
        return Pixels.cropped(
            resized, left: isWide ? start : 0, top: isWide ? 0 : start, width: side, height: side)
    }

    /// Returns the image resized to `size`, bit-identical to Pillow's antialiased resize.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - size: The width and height in pixels, each at least 1.
    ///   - filter: The filter; bicubic by default.
    public static func resized(
        _ image: RGBImage, to size: (width: Int, height: Int), filter: Filter = .bicubic
    ) -> RGBImage {
        if size == (image.width, image.height) { return image }
        return Pixels.resize(image, width: size.width, height: size.height, filter: filter)
    }

    /// Returns the image scaled to fit into a square of `side` pixels, at its own aspect ratio.
    ///
    /// - Parameter enlarges: Whether a smaller image grows to that size; default false.
    package static func fitted(
        _ image: RGBImage, side: Int, enlarges: Bool = false
    ) -> RGBImage {
        let exact = Double(side) / Double(max(image.width, image.height))
        let scale = enlarges ? exact : min(1, exact)
        func scaled(_ length: Int) -> Int { max(1, Int((Double(length) * scale).rounded())) }
        return resized(image, to: (scaled(image.width), scaled(image.height)))
    }
}
