import ImageText

/// An image on which boxes are outlined.
struct BoxCanvas {
    /// The line of an outline.
    enum Line {
        /// One pixel, inside the box.
        case thin
        /// A wide line inside the box.
        case inside
        /// A wide line around the box, beside one inside an equal box.
        case around
    }

    private let width: Int
    private let height: Int
    private var pixels: [UInt8]

    /// Starts with the pixels of an image.
    init(_ image: RGBImage) {
        (width, height, pixels) = (image.width, image.height, image.pixels)
    }

    /// The image with all outlines so far.
    var image: RGBImage { RGBImage(width: width, height: height, pixels: pixels) }

    /// Draws the outline of a box: a line of three pixels with a dark one on each side, so that it
    /// shows on any colour, or a thin line without them.
    ///
    /// An edge beyond the image is drawn at the image's border.
    ///
    /// - Parameters:
    ///   - box: The box.
    ///   - scale: The factors from the box's pixels to those of the canvas.
    ///   - colour: Red, green and blue.
    ///   - line: Where the line runs, and how wide it is.
    mutating func outline(
        _ box: BoundingBox, scale: (x: Double, y: Double), colour: SIMD3<UInt8>, _ line: Line
    ) {
        let rings =
            line == .thin ? [colour] : [[20, 20, 20], colour, colour, colour, [20, 20, 20]]
        let margin = line == .around ? Double(rings.count) : 0
        func place(_ value: Double, _ limit: Int) -> Int {
            Int(min(max(value, 0), Double(limit - 1)).rounded())
        }
        let (left, right) = (
            place(box.x * scale.x - margin, width),
            place((box.x + box.width) * scale.x - 1 + margin, width)
        )
        let (top, bottom) = (
            place(box.y * scale.y - margin, height),
            place((box.y + box.height) * scale.y - 1 + margin, height)
        )
        for (depth, colour) in rings.enumerated() {
            let (left, right) = (left + depth, right - depth)
            let (top, bottom) = (top + depth, bottom - depth)
            guard left <= right, top <= bottom else { return }
            for x in left...right {
                paint(x, top, colour)
                paint(x, bottom, colour)
            }
            for y in top...bottom {
                paint(left, y, colour)
                paint(right, y, colour)
            }
        }
    }

    private mutating func paint(_ x: Int, _ y: Int, _ colour: SIMD3<UInt8>) {
        let place = 3 * (y * width + x)
        for channel in 0..<3 { pixels[place + channel] = colour[channel] }
    }
}
