import Storage

/// RandAugment (Cubuk et al., 2020) as used by ALBEF: a few random operations of fixed strength.
///
/// Operations that change colours are left out, because captions name colours. Operations are drawn
/// with replacement; each is then applied with probability 1/2. Warps are bit-identical to those of
/// OpenCV 4 (bilinear, grey 128 outside the image).
///
/// Two faults of the original are corrected. Its AutoContrast computed `-low` in 8 bits and so made
/// a channel without black all white, and its Sharpness let values outside 0 to 255 wrap around.
/// Here both work as in Pillow, which the original's comments promise, except that Sharpness leaves
/// the outermost pixels unchanged.
public struct RandAugment: Sendable, Hashable {
    /// An operation on an image; `m` is the magnitude.
    public enum Operation: String, Sendable, Hashable, CaseIterable {
        /// Changes nothing.
        case identity
        /// Stretches each channel to the full range of 0 to 255.
        case autoContrast
        /// Equalizes each channel's histogram as Pillow does.
        case equalize
        /// Multiplies samples by `m / 10 * 1.8 + 0.1`, clipping at 255.
        case brightness
        /// Scales the difference from a smoothed copy by `m / 10 * 1.8 + 0.1`.
        case sharpness
        /// Shifts rows by `m / 10 * 0.3` of their distance from the top.
        case shearX
        /// Shifts columns by `m / 10 * 0.3` of their distance from the left.
        case shearY
        /// Shifts by `m` pixels to the left, or to the right when negated.
        case translateX
        /// Shifts by `m` pixels up, or down when negated.
        case translateY
        /// Rotates about the centre by `m / 10 * 30` degrees, anticlockwise unless negated.
        case rotate

        /// Whether the operation has a direction, which is drawn at random.
        public var isGeometric: Bool {
            switch self {
            case .shearX, .shearY, .translateX, .translateY, .rotate: true
            case .identity, .autoContrast, .equalize, .brightness, .sharpness: false
            }
        }
    }

    private static let probability = 0.5
    private static let fill: UInt8 = 128

    /// The number of operations drawn.
    public let count: Int
    /// The strength of the operations, from 0 to 10.
    public let magnitude: Double

    /// Creates an augmentation of a given strength.
    ///
    /// - Parameters:
    ///   - count: RandAugment's N, at least 0; 2 in the original and in LAVIS.
    ///   - magnitude: RandAugment's M, from 0 to 10; 7 in the original, 5 in LAVIS.
    public init(count: Int = 2, magnitude: Double = 7) {
        precondition(count >= 0, "the number of operations is \(count)")
        precondition((0...10).contains(magnitude), "the magnitude is \(magnitude), not 0 to 10")
        self.count = count
        self.magnitude = magnitude
    }

    /// Applies ``count`` random operations to an image.
    ///
    /// - Returns: An image of the same size.
    public func callAsFunction(_ image: RGBImage, using random: inout SplitMix64) -> RGBImage {
        var image = image
        for _ in 0..<count {
            let operation = Operation.allCases[random.integer(below: Operation.allCases.count)]
            // Each operation draws three numbers, even if it is not applied.
            let applies = random.chance(Self.probability)
            let negated = random.chance(0.5)
            if applies { image = apply(operation, to: image, negated: negated) }
        }
        return image
    }

    /// Applies one operation to an image.
    ///
    /// - Parameters:
    ///   - operation: The operation.
    ///   - image: The image.
    ///   - negated: Whether a geometric operation works in the opposite direction; others ignore
    ///     it.
    /// - Returns: An image of the same size.
    public func apply(
        _ operation: Operation, to image: RGBImage, negated: Bool = false
    ) -> RGBImage {
        let level = magnitude / 10
        let sign: Double = negated ? -1 : 1
        let factor = Float(level * 1.8 + 0.1)
        switch operation {
        case .identity: return image
        case .autoContrast: return Pixels.lookUp(image, in: Self.contrastTable(image))
        case .equalize: return Pixels.lookUp(image, in: Self.equalizingTable(image))
        case .brightness:
            let channel = (0..<256).map { UInt8(min(255, Float($0) * factor)) }
            return Pixels.lookUp(image, in: channel + channel + channel)
        case .sharpness: return Pixels.sharpened(image, factor: factor)
        case .shearX: return warped(image, [1, single(sign * level * 0.3), 0, 0, 1, 0])
        case .shearY: return warped(image, [1, 0, 0, single(sign * level * 0.3), 1, 0])
        case .translateX: return warped(image, [1, 0, single(-sign * level * 10), 0, 1, 0])
        case .translateY: return warped(image, [1, 0, 0, 0, 1, single(-sign * level * 10)])
        case .rotate: return warped(image, Self.rotation(image, degrees: sign * level * 30))
        }
    }

    private func warped(_ image: RGBImage, _ matrix: [Double]) -> RGBImage {
        Pixels.warped(image, by: matrix, fill: Self.fill)
    }

    /// The original keeps these matrices in single precision.
    private func single(_ value: Double) -> Double { Double(Float(value)) }

    /// Returns OpenCV's rotation about the centre; positive angles turn anticlockwise.
    private static func rotation(_ image: RGBImage, degrees: Double) -> [Double] {
        let (x, y) = (Double(image.width) / 2, Double(image.height) / 2)
        let angle = degrees * (Double.pi / 180)
        let (cosine, sine) = (cos(angle), sin(angle))
        return [
            cosine, sine, (1 - cosine) * x - sine * y,
            -sine, cosine, sine * x + (1 - cosine) * y,
        ]
    }

    // MARK: Tables, [3, 256]

    private static func contrastTable(_ image: RGBImage) -> [UInt8] {
        let histogram = Pixels.histogram(image)
        return (0..<3).flatMap { channel -> [UInt8] in
            let counts = histogram[channel * 256..<(channel + 1) * 256]
            let low = (counts.firstIndex { $0 > 0 } ?? counts.startIndex) - counts.startIndex
            let high = (counts.lastIndex { $0 > 0 } ?? counts.startIndex) - counts.startIndex
            guard high > low else { return (0..<256).map { UInt8($0) } }
            let scale = 255 / Double(high - low)
            let offset = -Double(low) * scale
            return (0..<256).map { UInt8(min(255, max(0, Double($0) * scale + offset))) }
        }
    }

    private static func equalizingTable(_ image: RGBImage) -> [UInt8] {
        let histogram = Pixels.histogram(image)
        return (0..<3).flatMap { channel -> [UInt8] in
            let counts = histogram[channel * 256..<(channel + 1) * 256]
            let last = counts.last { $0 > 0 } ?? 0
            let step = (image.width * image.height - last) / 255
            guard step > 0 else { return (0..<256).map { UInt8($0) } }
            var sum = step / 2
            return counts.map { count in
                defer { sum += count }
                return UInt8(min(255, sum / step))
            }
        }
    }
}
