/// A rectangle of an image, in whole pixels from the top left.
///
/// It may reach beyond the image: what is outside is black, as in Pillow's `crop`.
public struct CropBox: Sendable, Hashable {
    /// The column of its left edge and the row of its top edge; below 0 outside of the image.
    public let left, top: Int
    /// Pixels across and down, at least 1.
    public let width, height: Int

    /// What a coordinate may be at most, so that sums of them are far from overflow.
    private static let limit = 1_000_000.0

    /// A rectangle by its top left corner and its size.
    ///
    /// Corners that are no whole numbers are rounded to the nearest, halves to the even one, as Pillow
    /// and Python do.
    ///
    /// - Returns: nil where a number is not finite, further than a million pixels away, or where
    ///   nothing is left between the corners, or more than ``ImageLoader/defaultMaximumPixels``.
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
    /// The numbers as annotations have them: `x, y, width, height`.
    public var description: String { "\(left), \(top), \(width), \(height)" }
}

extension RGBImage {
    /// The part of an image that a box frames, black where the box reaches beyond the image.
    ///
    /// - Parameter name: what errors call the image.
    /// - Throws: ``ImageError`` where the box and the image have no pixel in common.
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
