/// An upright 8-bit sRGB image without alpha.
public struct RGBImage: Sendable, Equatable {
    /// The width in pixels, at least 1.
    public let width: Int
    /// The height in pixels, at least 1.
    public let height: Int
    /// The samples, `[H, W, 3]`: row by row from the top left, red, green and blue interleaved.
    public let pixels: [UInt8]

    /// Creates an image of the given samples.
    ///
    /// - Parameters:
    ///   - width: The width in pixels, at least 1.
    ///   - height: The height in pixels, at least 1.
    ///   - pixels: Exactly `height * width * 3` samples, `[H, W, 3]`.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0, "the image has \(width) x \(height) pixels")
        precondition(
            pixels.count == width * height * 3,
            "\(pixels.count) samples for \(width) x \(height) RGB pixels")
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}

extension RGBImage {
    /// An image with the place of its top left corner on another one.
    package typealias Part = (image: RGBImage, x: Int, y: Int)

    /// Returns the image with others in place of its pixels, each over those before it; parts beyond
    /// the image are cut off.
    package func replacing(_ parts: [Part]) -> RGBImage {
        var pixels = pixels
        for (image, x, y) in parts {
            let columns = max(0, x)..<max(max(0, x), min(width, x + image.width))
            for row in max(0, y)..<max(max(0, y), min(height, y + image.height)) {
                let source = 3 * ((row - y) * image.width + columns.lowerBound - x)
                let target = 3 * (row * width + columns.lowerBound)
                pixels.replaceSubrange(
                    target..<target + 3 * columns.count,
                    with: image.pixels[source..<source + 3 * columns.count])
            }
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }
}
