public import ALBEF
public import ImageText

/// A figure that shows where a text was found: the heat map over the image, the chosen box and the
/// true one in two colours, the other proposals as thin lines, and a legend.
public struct GroundingFigure: Sendable {
    /// A box of the figure.
    public struct Mark: Sendable, Hashable {
        /// What a box is.
        public enum Kind: Sendable, Hashable, CaseIterable {
            /// A box that was not chosen, in grey.
            case proposal
            /// The true box, in white.
            case truth
            /// The box that the heat map chose, in magenta.
            case chosen
            /// The box around the hottest part of the map, where there was nothing to choose, in
            /// magenta.
            case estimate
        }

        /// What the box is.
        public let kind: Kind
        /// The box in pixels of the image.
        public let box: BoundingBox

        /// Creates a mark.
        public init(_ kind: Kind, _ box: BoundingBox) {
            self.kind = kind
            self.box = box
        }
    }

    /// The side, in pixels, of the square into which the image is fitted; images need not be loaded
    /// at a larger size.
    public static let imageSide = 640
    private static let margin = 20
    private static let swatch = 14

    private let title: String
    private let map: HeatMap
    private let placement: HeatPlacement
    private let marks: [Mark]
    private let image: RGBImage
    private let renderer: HeatMapRenderer

    /// Creates a figure.
    ///
    /// - Parameters:
    ///   - title: The text that was found; cut where the figure ends.
    ///   - map: The heat map.
    ///   - placement: The place of the map on the image.
    ///   - marks: The boxes to draw, each over those before it in the order of their kinds.
    ///   - image: The image, at any size.
    ///   - renderer: Draws the heat map over the image; it shows more of the image by default than
    ///     figures of explanations.
    public init(
        title: String, map: HeatMap, placement: HeatPlacement, marks: [Mark], image: RGBImage,
        renderer: HeatMapRenderer = HeatMapRenderer(opacity: 0.6)
    ) {
        self.title = title
        self.map = map
        self.placement = placement
        self.marks = marks
        self.image = image
        self.renderer = renderer
    }

    /// Draws the figure.
    ///
    /// - Throws: `ImageError` if libvips is missing or cannot draw text.
    /// - Complexity: O(pixels of the figure).
    public func render() throws(ImageError) -> RGBImage {
        let fitted = ImageTransform.fitted(image, side: Self.imageSide, enlarges: true)
        var canvas = BoxCanvas(try heated(fitted))
        let scale = (
            x: Double(fitted.width) / Double(placement.imageWidth),
            y: Double(fitted.height) / Double(placement.imageHeight)
        )
        let kinds = Mark.Kind.allCases.filter { kind in marks.contains { $0.kind == kind } }
        for kind in kinds {
            for mark in marks where mark.kind == kind {
                canvas.outline(mark.box, scale: scale, colour: kind.colour, kind.line)
            }
        }
        let width = max(fitted.width, 420)
        let (margin, top) = (Self.margin, 52)
        let legend = top + fitted.height + 30
        var sheet = LabelledSheet(width: width + 2 * margin, height: legend + margin)
        sheet.write(
            LabelledSheet.shortened(title, width: width / 11), x: margin, y: 36, size: 20,
            isBold: true)
        sheet.place(canvas.image, x: margin, y: top)
        var x = margin
        for kind in kinds {
            sheet.place(kind.swatch(side: Self.swatch), x: x, y: legend - 12)
            sheet.write(kind.name, x: x + Self.swatch + 8, y: legend, size: 14, grey: 64)
            x += Self.swatch + 8 + 8 * kind.name.count + 20
        }
        return try sheet.render(named: "the figure")
    }

    /// Draws the heat over the part of the image that the map covers.
    private func heated(_ fitted: RGBImage) throws(ImageError) -> RGBImage {
        guard !placement.coversImage else { return renderer.overlay(map, on: fitted) }
        let scale = Double(fitted.width) / Double(placement.imageWidth)
        guard
            let part = CropBox(
                x: Double(placement.left) * scale, y: Double(placement.top) * scale,
                width: Double(placement.width) * scale, height: Double(placement.height) * scale)
        else { return fitted }
        let hot = renderer.overlay(map, on: try fitted.cropped(to: part, named: "the image"))
        return fitted.replacing([(hot, x: part.left, y: part.top)])
    }
}

extension GroundingFigure.Mark.Kind {
    /// The name in the legend.
    fileprivate var name: String {
        switch self {
        case .proposal: "other proposals"
        case .truth: "true box"
        case .chosen: "chosen box"
        case .estimate: "estimated box"
        }
    }

    /// The colour: no colour of the heat.
    fileprivate var colour: SIMD3<UInt8> {
        switch self {
        case .proposal: [190, 190, 190]
        case .truth: [255, 255, 255]
        case .chosen, .estimate: [255, 0, 220]
        }
    }

    /// The line: a true box is drawn around the chosen one if they are equal.
    fileprivate var line: BoxCanvas.Line {
        switch self {
        case .proposal: .thin
        case .truth: .around
        case .chosen, .estimate: .inside
        }
    }

    /// A square of the colour with a dark edge, so that white shows on white.
    fileprivate func swatch(side: Int) -> RGBImage {
        let pixels = (0..<side * side).flatMap { place -> [UInt8] in
            let (x, y) = (place % side, place / side)
            let isEdge = min(x, y, side - 1 - x, side - 1 - y) < 2
            return isEdge ? [40, 40, 40] : [colour.x, colour.y, colour.z]
        }
        return RGBImage(width: side, height: side, pixels: pixels)
    }
}
