/// A sheet of text and images at given places.
///
/// libvips (librsvg) draws the text in the system's fonts; characters without a font appear as
/// boxes.
package struct LabelledSheet: Sendable {
    private let width: Int
    private let height: Int
    private var labels = ""
    private var images: [RGBImage.Part] = []

    /// Creates an empty white sheet, with sides in pixels.
    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// Adds a line of text.
    ///
    /// - Parameters:
    ///   - text: The line, with any characters.
    ///   - x: The left end, in pixels from the left.
    ///   - y: The baseline, in pixels from the top.
    ///   - size: The font size in pixels.
    ///   - grey: The brightness, from 0 for black to 255 for white; black by default.
    ///   - isBold: Whether the line is bold; `false` by default.
    package mutating func write(
        _ text: String, x: Int, y: Int, size: Int, grey: UInt8 = 0, isBold: Bool = false
    ) {
        labels +=
            "<text x=\"\(x)\" y=\"\(y)\" font-family=\"sans-serif\" font-size=\"\(size)\""
            + " fill=\"rgb(\(grey),\(grey),\(grey))\"\(isBold ? " font-weight=\"bold\"" : "")>"
            + Self.escaped(text) + "</text>"
    }

    /// Places an image over the text; parts beyond the sheet are cut off.
    package mutating func place(_ image: RGBImage, x: Int, y: Int) {
        images.append((image, x, y))
    }

    /// Returns the sheet as an image.
    ///
    /// - Parameter name: The name of the sheet in errors.
    /// - Throws: ``ImageError`` if libvips is missing or cannot read SVG.
    package func render(named name: String) throws(ImageError) -> RGBImage {
        let ground = try SVGRenderer.render(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\">"
                + "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\(labels)</svg>",
            named: name)
        return ground.replacing(images)
    }

    /// Returns the beginning of a text, about as wide as `width` Latin letters; ideographs count as
    /// two.
    package static func shortened(_ text: String, width: Int) -> String {
        var left = max(1, width)
        var result = ""
        for character in text {
            left -= character.unicodeScalars.contains { $0.value >= 0x2E80 } ? 2 : 1
            if left < 0 { return result + "…" }
            result.append(character)
        }
        return result
    }

    /// Returns the text escaped for XML, without the characters that XML forbids.
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
