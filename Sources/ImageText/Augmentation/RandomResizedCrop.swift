import Storage

/// Cuts a random part out of an image and resizes it to a square, as torchvision's class of the
/// same name does (bicubic, antialiased).
///
/// The area of the part is uniform in `scale`; the logarithm of its aspect ratio is uniform between
/// the logarithms of the bounds of `ratio`. If ten such boxes do not fit into the image, the crop
/// takes the largest centred box with an allowed aspect ratio.
public struct RandomResizedCrop: Sendable, Hashable {
    private static let tries = 10

    /// The side of the square in pixels.
    public let side: Int
    /// The bounds of the part's share of the image's area.
    public let scale: ClosedRange<Double>
    /// The bounds of the part's width divided by its height.
    public let ratio: ClosedRange<Double>

    /// Creates a crop to `side` × `side` pixels.
    ///
    /// - Parameters:
    ///   - side: The side of the square in pixels, at least 1.
    ///   - scale: The bounds of the area share, above 0 and at most 1; by default those of the
    ///     original's pretraining. Its fine-tuning uses `0.5...1`.
    ///   - ratio: The bounds of the aspect ratio, above 0.
    public init(
        side: Int, scale: ClosedRange<Double> = 0.2...1,
        ratio: ClosedRange<Double> = 3.0 / 4...4.0 / 3
    ) {
        precondition(side > 0, "the side of the square is \(side)")
        precondition(scale.lowerBound > 0 && scale.upperBound <= 1, "the scale is \(scale)")
        precondition(ratio.lowerBound > 0, "the aspect ratio is \(ratio)")
        self.side = side
        self.scale = scale
        self.ratio = ratio
    }

    /// Returns a random part of an image, resized to `side` × `side` pixels.
    public func callAsFunction(_ image: RGBImage, using random: inout SplitMix64) -> RGBImage {
        self(image, box: box(width: image.width, height: image.height, using: &random))
    }

    /// Returns a given part of an image, resized to `side` × `side` pixels.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - box: The part, which must lie within the image.
    public func callAsFunction(_ image: RGBImage, box: ImagePart) -> RGBImage {
        ImageTransform.resized(image.part { _, _ in box }, to: (side, side))
    }

    /// Draws the part to cut out of an image of `width` × `height` pixels.
    public func box(width: Int, height: Int, using random: inout SplitMix64) -> ImagePart {
        let area = Double(width) * Double(height)
        let logarithms = log(ratio.lowerBound)...log(ratio.upperBound)
        for _ in 0..<Self.tries {
            let target = area * random.uniform(in: scale)
            let aspect = exp(random.uniform(in: logarithms))
            let across = Self.rounded((target * aspect).squareRoot())
            let down = Self.rounded((target / aspect).squareRoot())
            guard (1...width).contains(across), (1...height).contains(down) else { continue }
            return ImagePart(
                left: random.integer(below: width - across + 1),
                top: random.integer(below: height - down + 1), width: across, height: down)
        }
        return central(width: width, height: height)
    }

    /// Returns the largest centred part with an allowed aspect ratio.
    func central(width: Int, height: Int) -> ImagePart {
        var (across, down) = (width, height)
        let aspect = Double(width) / Double(height)
        if aspect < ratio.lowerBound {
            down = max(1, Self.rounded(Double(width) / ratio.lowerBound))
        } else if aspect > ratio.upperBound {
            across = max(1, Self.rounded(Double(height) * ratio.upperBound))
        }
        return ImagePart(
            left: (width - across) / 2, top: (height - down) / 2, width: across, height: down)
    }

    /// Rounds as Python's `round` does: halves to the even neighbour.
    private static func rounded(_ value: Double) -> Int { Int(value.rounded(.toNearestOrEven)) }
}
