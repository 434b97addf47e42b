internal import SystemPackage

/// A rectangle of an image in pixels from the top left, which may have fractions.
public struct BoundingBox: Sendable, Hashable {
    /// The column of the left edge and the row of the top edge.
    public let x, y: Double
    /// The width and height, more than 0.
    public let width, height: Double

    /// The number of pixels by which a box may extend beyond its image, for rounded coordinates.
    static let tolerance = 1.0

    /// Creates a box from its top left corner and its size.
    ///
    /// - Returns: `nil` if a number is not finite, or if the width or height is not positive.
    public init?(x: Double, y: Double, width: Double, height: Double) {
        guard [x, y, width, height].allSatisfy(\.isFinite), width > 0, height > 0 else {
            return nil
        }
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// The number of pixels that the box covers.
    public var area: Double { width * height }

    /// Returns the area that two boxes share over the area that they cover together.
    ///
    /// - Returns: a number from 0, if they do not overlap, to 1, if they are equal.
    public func intersectionOverUnion(_ other: BoundingBox) -> Double {
        let shared =
            overlap(x, width, other.x, other.width)
            * overlap(y, height, other.y, other.height)
        let covered = area + other.area - shared
        // Areas of huge boxes are infinite, and those of tiny ones 0.
        guard shared > 0, covered.isFinite else { return self == other ? 1 : 0 }
        return min(shared / covered, 1)
    }

    /// Returns the length that two intervals share.
    private func overlap(
        _ start: Double, _ length: Double, _ otherStart: Double, _ otherLength: Double
    ) -> Double {
        // The end of an interval is rounded, so that a box would not quite equal itself.
        if start == otherStart { return min(length, otherLength) }
        return max(0, min(start + length, otherStart + otherLength) - max(start, otherStart))
    }

    /// Returns whether the box is inside an image, up to one pixel on each side.
    public func isInside(width: Int, height: Int) -> Bool {
        x >= -Self.tolerance && y >= -Self.tolerance
            && x + self.width <= Double(width) + Self.tolerance
            && y + self.height <= Double(height) + Self.tolerance
    }
}

extension BoundingBox {
    /// Returns the fault of a box that is not inside an image, as a sentence.
    func fault(beyond image: FilePath, width: Int, height: Int) -> String {
        "the box \(self) extends beyond the image \(image), which has \(width) x \(height) pixels"
    }
}

extension BoundingBox: CustomStringConvertible {
    /// The numbers as annotations list them: `x, y, width, height`.
    public var description: String { "\(x), \(y), \(width), \(height)" }
}

/// A box of an annotation: exactly four numbers, `[x, y, width, height]`.
struct AnnotatedBox: Decodable {
    let box: BoundingBox

    init(from decoder: any Decoder) throws {
        box = try Self.box(
            try decoder.singleValueContainer().decode([Double].self), decoder.codingPath)
    }

    /// Returns the box of four numbers at a place of the file.
    static func box(_ numbers: [Double], _ path: [any CodingKey]) throws -> BoundingBox {
        func fault(_ why: String) -> DecodingError {
            .dataCorrupted(.init(codingPath: path, debugDescription: why))
        }
        guard numbers.count == 4 else {
            throw fault("has \(numbers.count) numbers, but needs four: [x, y, width, height]")
        }
        let (x, y, width, height) = (numbers[0], numbers[1], numbers[2], numbers[3])
        guard let box = BoundingBox(x: x, y: y, width: width, height: height) else {
            throw fault(
                "the box \(x), \(y), \(width), \(height) has no pixels; its width and height must"
                    + " be more than 0")
        }
        return box
    }
}

/// A box of a detector: four numbers, and perhaps a score and more, which are not read.
struct DetectedBox: Decodable {
    let box: BoundingBox

    init(from decoder: any Decoder) throws {
        var values = try decoder.unkeyedContainer()
        var numbers: [Double] = []
        while numbers.count < 4, !values.isAtEnd { numbers.append(try values.decode(Double.self)) }
        box = try AnnotatedBox.box(numbers, decoder.codingPath)
    }
}
