/// An SVG document under construction, 100 by 100 units.
struct SVGDrawing {
    private(set) var body = ""
    /// What the shapes cover, outlines included; `nil` before the first.
    private(set) var extent: DrawnExtent?

    /// Returns the document, with `side` pixels per side when rendered.
    func document(side: Int) -> String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="\(side)" height="\(side)" \
        viewBox="0 0 100 100">\(body)</svg>
        """
    }

    mutating func rectangle(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ paint: Paint,
        radius: Double = 0
    ) {
        cover([(x, y), (x + width, y + height)], margin: paint.margin)
        let corner = radius > 0 ? " rx=\"\(Self.number(radius))\"" : ""
        body +=
            "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(width))\""
            + " height=\"\(Self.number(height))\"\(corner)\(paint.attributes)/>"
    }

    mutating func circle(_ x: Double, _ y: Double, _ radius: Double, _ paint: Paint) {
        ellipse(x, y, radius, radius, paint)
    }

    mutating func ellipse(
        _ x: Double, _ y: Double, _ radius: Double, _ vertical: Double, _ paint: Paint
    ) {
        cover(
            [(x - radius, y - vertical), (x + radius, y + vertical)], margin: paint.margin)
        body +=
            "<ellipse cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" rx=\"\(Self.number(radius))\""
            + " ry=\"\(Self.number(vertical))\"\(paint.attributes)/>"
    }

    mutating func polygon(_ points: [(Double, Double)], _ paint: Paint) {
        cover(points, margin: paint.margin)
        let list = points.map { "\(Self.number($0)),\(Self.number($1))" }.joined(separator: " ")
        body += "<polygon points=\"\(list)\" stroke-linejoin=\"round\"\(paint.attributes)/>"
    }

    mutating func line(_ points: [(Double, Double)], width: Double, _ colour: SIMD3<Double>) {
        cover(points, margin: width / 2)
        let list = points.map { "\(Self.number($0)),\(Self.number($1))" }.joined(separator: " ")
        body +=
            "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(Paint.hexadecimal(colour))\""
            + " stroke-width=\"\(Self.number(width))\" stroke-linecap=\"round\" stroke-linejoin=\"round\"/>"
    }

    /// Draws with the origin at a point and with a scaled unit.
    mutating func group(
        at x: Double, _ y: Double, scale: Double, _ draw: (inout SVGDrawing) -> Void
    ) {
        var inner = SVGDrawing()
        draw(&inner)
        if let part = inner.extent?.placed(at: x, y, scale: scale) {
            extent = extent?.union(part) ?? part
        }
        body +=
            "<g transform=\"translate(\(Self.number(x)) \(Self.number(y)))"
            + " scale(\(Self.number(scale)))\">\(inner.body)</g>"
    }

    /// Extends ``extent`` by points and what is drawn around them.
    private mutating func cover(_ points: [(Double, Double)], margin: Double) {
        for (x, y) in points {
            let part = DrawnExtent(
                left: x - margin, top: y - margin, right: x + margin, bottom: y + margin)
            extent = extent?.union(part) ?? part
        }
    }

    /// The fill and outline of a shape.
    struct Paint {
        var fill: SIMD3<Double>
        var outline: SIMD3<Double>?
        var opacity = 1.0

        init(_ fill: SIMD3<Double>, outline: SIMD3<Double>? = nil, opacity: Double = 1) {
            self.fill = fill
            self.outline = outline
            self.opacity = opacity
        }

        private static let outlineWidth = 1.0

        /// How far the outline reaches beyond the shape.
        fileprivate var margin: Double { outline == nil ? 0 : Self.outlineWidth / 2 }

        fileprivate var attributes: String {
            let edge =
                outline.map {
                    " stroke=\"\(Self.hexadecimal($0))\" stroke-width=\"\(Self.outlineWidth)\""
                } ?? ""
            let clear = opacity < 1 ? " fill-opacity=\"\(SVGDrawing.number(opacity))\"" : ""
            return " fill=\"\(Self.hexadecimal(fill))\"\(edge)\(clear)"
        }

        fileprivate static func hexadecimal(_ colour: SIMD3<Double>) -> String {
            let digits = Array("0123456789abcdef")
            var text = "#"
            for channel in 0..<3 {
                let value = Int(min(max(colour[channel], 0), 255))
                text.append(digits[value >> 4])
                text.append(digits[value & 15])
            }
            return text
        }
    }

    /// Returns a number in hundredths, which is finer than a viewer can see.
    fileprivate static func number(_ value: Double) -> String {
        "\((value * 100).rounded() / 100)"
    }
}
