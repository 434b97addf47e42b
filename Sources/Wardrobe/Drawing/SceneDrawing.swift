public import ImageText

/// The drawing of a scene as SVG: backdrop, large things, people, things before them, and light.
struct SceneDrawing {
    private let scene: WardrobeScene
    private var drawing = SVGDrawing()

    /// Returns the SVG of a scene, with `side` pixels per side when rendered.
    static func svg(of scene: WardrobeScene, side: Int) -> String {
        var drawing = SceneDrawing(scene: scene)
        drawing.drawAll()
        return drawing.drawing.document(side: side)
    }

    private init(scene: WardrobeScene) { self.scene = scene }

    private mutating func drawAll() {
        drawBackdrop()
        for prop in scene.props where !prop.isDrawnLast { PropDrawing.draw(prop, &drawing) }
        for index in scene.drawingOrder { PersonDrawing.draw(scene.people[index], &drawing) }
        for prop in scene.props where prop.isDrawnLast { PropDrawing.draw(prop, &drawing) }
        drawLight()
    }

    private mutating func drawLight() {
        let backdrop = scene.backdrop
        let shade = SIMD3<Double>(repeating: backdrop.light < 0 ? 0 : 255)
        let strength = abs(backdrop.light) * (backdrop.light < 0 ? 0.22 : 0.16)
        drawing.rectangle(0, 0, 100, 100, .init(shade, opacity: strength))
        let cast: SIMD3<Double> = backdrop.warmth < 0 ? [90, 130, 255] : [255, 180, 80]
        drawing.rectangle(0, 0, 100, 100, .init(cast, opacity: abs(backdrop.warmth) * 0.12))
    }

    private static let tints: [SIMD3<Double>] = [
        [214, 206, 192], [190, 204, 212], [198, 210, 190], [216, 196, 196], [176, 178, 190],
        [226, 222, 214],
    ]

    private mutating func drawBackdrop() {
        let tint = Self.tints[scene.backdrop.tint % Self.tints.count]
        switch scene.backdrop.kind {
        case .studio:
            for band in 0..<10 {
                let shade = tint * (1.04 - 0.035 * Double(band))
                drawing.rectangle(0, Double(band) * 10, 100, 10.2, .init(shade))
            }
        case .room:
            drawing.rectangle(0, 0, 100, 100, .init(tint))
            drawing.rectangle(0, 74, 100, 26, .init(tint * SIMD3(0.74, 0.66, 0.56)))
            drawing.rectangle(
                58, 12, 28, 34, .init([214, 230, 240], outline: tint * 0.7))
            drawing.line([(72, 12), (72, 46)], width: 1, tint * 0.7)
        case .street:
            drawing.rectangle(0, 0, 100, 60, .init([196, 214, 230]))
            for (index, top) in [30.0, 16, 24, 10, 34].enumerated() {
                let shade = tint * (0.72 + 0.06 * Double((index * 3 + scene.backdrop.tint) % 5))
                drawing.rectangle(Double(index) * 20, top, 20, 70 - top, .init(shade))
                for row in 0..<4 {
                    drawing.rectangle(
                        Double(index) * 20 + 4, top + 5 + Double(row) * 10, 12, 4,
                        .init(shade * 0.82))
                }
            }
            drawing.rectangle(0, 70, 100, 30, .init([150, 150, 152]))
            drawing.rectangle(0, 70, 100, 3, .init([186, 186, 184]))
        case .park:
            drawing.rectangle(0, 0, 100, 64, .init([200, 220, 234]))
            for (index, x) in [8.0, 34, 62, 92].enumerated() {
                let size = 13 + Double((index * 5 + scene.backdrop.tint * 3) % 7)
                drawing.rectangle(x - 1.5, 44, 3, 22, .init([122, 100, 80]))
                drawing.circle(x, 38, size, .init([128, 156, 118]))
            }
            drawing.rectangle(0, 62, 100, 38, .init(SIMD3(150, 176, 124) * (tint / 210)))
        }
    }
}

extension WardrobeScene {
    /// The indices of the people in the order in which they are drawn: those farther back first.
    var drawingOrder: [Int] { people.indices.sorted { (people[$0].y, $0) < (people[$1].y, $1) } }
}

extension WardrobeScene.Prop {
    /// Whether the thing is before the people, not behind them.
    var isDrawnLast: Bool { kind == .keyboard || colour != nil }
}

extension WardrobeScene {
    /// Returns the scene as SVG.
    ///
    /// - Parameter side: the width and height in pixels.
    public func svg(side: Int) -> String { SceneDrawing.svg(of: self, side: side) }

    /// Renders the scene; pixels may differ between versions of the renderer.
    ///
    /// - Parameter side: the width and height in pixels.
    /// - Throws: `ImageError` if libvips is missing or lacks SVG support.
    public func image(side: Int) throws(ImageError) -> RGBImage {
        try SVGRenderer.render(svg(side: side), named: "a scene")
    }
}
