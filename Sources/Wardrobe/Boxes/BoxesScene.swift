internal import Foundation
public import ImageText

/// Four boxes with coloured shapes, in the manner of the generated images of NLVR
/// (Suhr et al., ACL 2017).
///
/// The boxes are in two rows. Each has four places, also in two rows, and one to three shapes.
public struct BoxesScene: Sendable, Hashable, Codable {
    /// A coloured shape.
    public struct Item: Sendable, Hashable, Codable {
        /// The shape.
        public var shape: Shape
        /// The colour.
        public var colour: WardrobeColour

        /// Creates a coloured shape.
        public init(_ colour: WardrobeColour, _ shape: Shape) {
            self.shape = shape
            self.colour = colour
        }

        /// A shape.
        public enum Shape: String, Sendable, Hashable, Codable, CaseIterable {
            case ball, block, star
        }

        /// The colours that shapes have.
        public static let colours: [WardrobeColour] = [.black, .red, .yellow, .blue]

        /// The name with its article: "a red star".
        var text: String { SceneText.article("\(colour.rawValue) \(shape.rawValue)") }
    }

    /// The number of boxes, and of places in each.
    static let boxCount = 4, placeCount = 4
    /// The places of a box in its two rows, and in its two columns.
    static let upper = [0, 1], lower = [2, 3], left = [0, 2], right = [1, 3]

    /// For each box the shape at each place, row by row; `nil` where none is.
    public var boxes: [[Item?]]

    /// All shapes, box by box.
    public var items: [Item] { boxes.flatMap { $0.compactMap(\.self) } }

    /// Draws a scene of few colours, so that shapes are told apart by both shape and colour.
    ///
    /// - Parameters:
    ///   - colours: The colours.
    ///   - random: The source of random numbers.
    init(colours: [WardrobeColour], _ random: inout SplitMix64) {
        boxes = (0..<Self.boxCount).map { _ in
            var places: [Item?] = (0..<(1 + random.integer(below: 3))).map { _ in
                Item(
                    random.element(of: colours), random.element(of: Item.Shape.allCases))
            }
            places += Array(repeating: nil, count: Self.placeCount - places.count)
            random.shuffle(&places)
            return places
        }
    }

    /// Returns the scene as SVG.
    ///
    /// - Parameter side: The width and height in pixels.
    public func svg(side: Int) -> String {
        var drawing = SVGDrawing()
        drawing.rectangle(0, 0, 100, 100, .init([250, 250, 250]))
        for (index, places) in boxes.enumerated() {
            let (x, y) = (Double(index % 2) * 50 + 2, Double(index / 2) * 50 + 2)
            drawing.rectangle(x, y, 46, 46, .init([206, 206, 206]))
            for (place, item) in places.enumerated() {
                guard let item else { continue }
                Self.draw(
                    item, at: x + 11.5 + Double(place % 2) * 23,
                    y + 11.5 + Double(place / 2) * 23, &drawing)
            }
        }
        return drawing.document(side: side)
    }

    private static func draw(
        _ item: Item, at x: Double, _ y: Double, _ drawing: inout SVGDrawing
    ) {
        let paint = SVGDrawing.Paint(item.colour.rgb)
        switch item.shape {
        case .ball: drawing.circle(x, y, 9, paint)
        case .block: drawing.rectangle(x - 8.5, y - 8.5, 17, 17, paint)
        case .star:
            let corners = (0..<10).map { corner in
                let angle = Double(corner) * .pi / 5
                let radius = corner % 2 == 0 ? 11.0 : 4.6
                return (x + radius * sin(angle), y + 1 - radius * cos(angle))
            }
            drawing.polygon(corners, paint)
        }
    }

    /// Renders the scene; pixels may differ between versions of the renderer.
    ///
    /// - Parameter side: The width and height in pixels.
    /// - Throws: `ImageError` if libvips is missing or lacks SVG support.
    public func image(side: Int) throws(ImageError) -> RGBImage {
        try SVGRenderer.render(svg(side: side), named: "boxes")
    }
}
