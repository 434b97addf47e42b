/// A sheet in the making: words and images at places of their own.
///
/// The words are drawn by libvips (librsvg) in the system's fonts; a script that none of them has
/// shows as boxes.
package struct LabelledSheet: Sendable {
    private let width: Int
    private let height: Int
    private var labels = ""
    private var images: [(image: RGBImage, x: Int, y: Int)] = []

    /// An empty white sheet, in pixels.
    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// Writes a line.
    ///
    /// - Parameters:
    ///   - text: the line, of any characters.
    ///   - x: where it begins.
    ///   - y: its baseline.
    ///   - size: of the letters, in pixels.
    ///   - grey: 0 for black to 255 for white.
    package mutating func write(
        _ text: String, x: Int, y: Int, size: Int, grey: UInt8 = 0, isBold: Bool = false
    ) {
        labels +=
            "<text x=\"\(x)\" y=\"\(y)\" font-family=\"sans-serif\" font-size=\"\(size)\""
            + " fill=\"rgb(\(grey),\(grey),\(grey))\"\(isBold ? " font-weight=\"bold\"" : "")>"
            + Self.escaped(text) + "</text>"
    }

    /// Places an image, the part that is on the sheet, over the words.
    package mutating func place(_ image: RGBImage, x: Int, y: Int) {
        images.append((image, x, y))
    }

    /// The sheet as an image.
    ///
    /// - Throws: `ImageError` where libvips is missing or has no SVG.
    package func render(named name: String) throws(ImageError) -> RGBImage {
        let ground = try SVGRenderer.render(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\">"
                + "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\(labels)</svg>",
            named: name)
        var pixels = ground.pixels
        for (image, x, y) in images {
            let columns = max(0, x)..<max(max(0, x), min(ground.width, x + image.width))
            for row in max(0, y)..<max(max(0, y), min(ground.height, y + image.height)) {
                let source = 3 * ((row - y) * image.width + columns.lowerBound - x)
                let target = 3 * (row * ground.width + columns.lowerBound)
                pixels.replaceSubrange(
                    target..<target + 3 * columns.count,
                    with: image.pixels[source..<source + 3 * columns.count])
            }
        }
        return RGBImage(width: ground.width, height: ground.height, pixels: pixels)
    }

    /// The text as XML can hold it: escaped, and without what no document may have.
    static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\t", "\n", "\r": result += " "
            case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}", "\u{FFFE}"..."\u{FFFF}": break
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
