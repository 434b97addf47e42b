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
