/// A rectangle of an image, in whole pixels from the top left.
///
/// It may extend beyond the image; pixels outside are black, as in Pillow's `crop`.
public struct CropBox: Sendable, Hashable {
    /// The column of the left edge and the row of the top edge; negative outside the image.
    public let left, top: Int
    /// The width and height in pixels, at least 1.
    public let width, height: Int

    /// The largest coordinate, at which sums are far from overflow.
    private static let limit = 1_000_000.0

    /// Creates a rectangle from its top left corner and its size.
    ///
    /// Corners are rounded to whole pixels, halves to the even neighbour, as in Pillow and Python.
    ///
    /// - Returns: `nil` if a number is not finite, a corner is more than a million pixels away, or
    ///   the rounded rectangle has no pixels or more than ``ImageLoader/defaultMaximumPixels``.
    public init?(x: Double, y: Double, width: Double, height: Double) {
        let corners = [x, y, x + width, y + height]
        guard corners.allSatisfy({ $0.isFinite && abs($0) <= Self.limit }) else { return nil }
        let rounded = corners.map { Int($0.rounded(.toNearestOrEven)) }
        left = rounded[0]
        top = rounded[1]
        self.width = rounded[2] - rounded[0]
        self.height = rounded[3] - rounded[1]
        guard self.width > 0, self.height > 0,
            self.width * self.height <= ImageLoader.defaultMaximumPixels
        else { return nil }
    }
}

extension CropBox: CustomStringConvertible {
    /// The numbers as annotations list them: `x, y, width, height`.
    public var description: String { "\(left), \(top), \(width), \(height)" }
}

extension RGBImage {
    /// Returns the part of the image inside a box, black where the box extends beyond the image.
    ///
    /// - Parameters:
    ///   - box: The box.
    ///   - name: The name of the image in errors.
    /// - Throws: ``ImageError`` if the box and the image do not overlap.
    public func cropped(to box: CropBox, named name: String) throws(ImageError) -> RGBImage {
        let (right, bottom) = (box.left + box.width, box.top + box.height)
        let columns = max(0, box.left)..<max(0, box.left, min(width, right))
        let rows = max(0, box.top)..<max(0, box.top, min(height, bottom))
        guard !columns.isEmpty, !rows.isEmpty else {
            throw ImageError(.outside(box, width: width, height: height), name)
        }
        var cropped = [UInt8](repeating: 0, count: box.width * box.height * 3)
        for row in rows {
            let source = (row * width + columns.lowerBound) * 3
            let target = ((row - box.top) * box.width + columns.lowerBound - box.left) * 3
            cropped.replaceSubrange(
                target..<target + columns.count * 3,
                with: pixels[source..<source + columns.count * 3])
        }
        return RGBImage(width: box.width, height: box.height, pixels: cropped)
    }
}
