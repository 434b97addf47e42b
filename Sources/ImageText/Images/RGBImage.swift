/// An image as 8-bit sRGB, upright, without alpha.
public struct RGBImage: Sendable, Equatable {
    /// How many pixels a row has, at least 1.
    public let width: Int
    /// How many rows there are, at least 1.
    public let height: Int
    /// The samples row by row from the top left, red, green and blue interleaved: `[H, W, 3]`.
    public let pixels: [UInt8]

    /// Takes pixels as they are.
    ///
    /// - Parameters:
    ///   - width: Pixels a row, at least 1.
    ///   - height: Rows, at least 1.
    ///   - pixels: Exactly `height * width * 3` samples, `[H, W, 3]`.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0, "an image of \(width) x \(height) pixels")
        precondition(
            pixels.count == width * height * 3,
            "\(pixels.count) samples for \(width) x \(height) RGB pixels")
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}
