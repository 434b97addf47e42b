/// The drawing of a person, from the feet upwards in hundredths of the person's height.
enum PersonDrawing {
    private static let skins: [SIMD3<Double>] = [
        [246, 212, 184], [226, 182, 146], [190, 140, 104], [142, 98, 70], [104, 70, 50],
        [236, 198, 164],
    ]
    private static let hairs: [SIMD3<Double>] = [
        [58, 42, 32], [110, 76, 44], [34, 30, 30], [30, 26, 26], [24, 22, 22], [176, 138, 84],
    ]
    private static let shoe: SIMD3<Double> = [64, 56, 52]

    static func draw(_ person: WardrobeScene.Person, _ drawing: inout SVGDrawing) {
        drawing.ellipse(
            person.x * 100, person.y * 100, person.height * 20, 1.6,
            .init([40, 40, 40], opacity: 0.25))
        drawing.group(at: person.x * 100, person.y * 100, scale: person.height) {
            Figure(person: person).draw(&$0)
        }
    }

    /// Returns where a person is drawn, without the shadow.
    static func extents(of person: WardrobeScene.Person) -> PersonExtents? {
        let figure = Figure(person: person)
        func extent(_ draw: (inout SVGDrawing) -> Void) -> DrawnExtent? {
            var drawing = SVGDrawing()
            drawing.group(at: person.x * 100, person.y * 100, scale: person.height, draw)
            return drawing.extent
        }
        guard let whole = extent({ figure.draw(&$0) }), let top = extent({ figure.drawTop(&$0) }),
            let bottom = extent({ figure.drawLegs(&$0) }),
            let head = extent({ figure.drawHead(&$0) })
        else { return nil }
        return PersonExtents(
            whole: whole, top: top, bottom: bottom, head: head,
            hat: person.hat.flatMap { hat in extent { figure.drawHat(hat, &$0) } },
            bag: person.bag.flatMap { bag in extent { figure.drawBag(bag, &$0) } })
    }

    /// Returns a garment's fill, and an outline that separates it from ground of the same colour.
    static func cloth(_ colour: WardrobeColour) -> SVGDrawing.Paint {
        let edge = colour == .black ? SIMD3<Double>(84, 84, 90) : colour.rgb * 0.66
        return .init(colour.rgb, outline: edge)
    }

    private struct Figure {
        let person: WardrobeScene.Person

        /// How much lower the waist is.
        var drop: Double { person.posture == .sitting ? 18 : 0 }
        var skin: SIMD3<Double> { skins[person.looks % skins.count] }
        var hair: SIMD3<Double> { hairs[person.looks % hairs.count] }

        func draw(_ drawing: inout SVGDrawing) {
            if person.posture == .sitting {
                drawing.rectangle(-15, -27, 30, 25, .init([132, 108, 84], outline: [96, 78, 60]))
            }
            drawLegs(&drawing)
            drawTop(&drawing)
            drawHead(&drawing)
            if let bag = person.bag { drawBag(bag, &drawing) }
        }

        func drawLegs(_ drawing: inout SVGDrawing) {
            let paint = cloth(person.bottom.colour)
            let waist = -49 + drop
            // The place of each foot by posture.
            let (left, right): (Double, Double) =
                switch person.posture {
                case .walking: (-15, 14)
                case .sitting: (-10, 10)
                default: (-7, 7)
                }
            for foot in [left, right] {
                drawing.ellipse(foot, -1.5, 6, 2.6, .init(shoe))
            }
            if person.bottom.kind == .skirt {
                for foot in [left, right] {
                    drawing.line([(foot * 0.6, -30 + drop), (foot, -4)], width: 5, skin)
                }
                let hem = person.posture == .sitting ? -14.0 : -26
                drawing.polygon([(-13, waist), (13, waist), (21, hem), (-21, hem)], paint)
                return
            }
            let knee = person.posture == .sitting ? 5.0 : 1
            drawing.polygon(
                [
                    (-14, waist), (0.5, waist), (knee - 1, -30 + drop), (left + 5, -4),
                    (left - 6, -4),
                ],
                paint)
            drawing.polygon(
                [
                    (-0.5, waist), (14, waist), (right + 6, -4), (right - 5, -4),
                    (1 - knee, -30 + drop),
                ],
                paint)
        }

        func drawTop(_ drawing: inout SVGDrawing) {
            let paint = cloth(person.top)
            let (shoulder, waist) = (-82 + drop, -47 + drop)
            let isWaving = person.posture == .waving
            let hands: [(Double, Double)] = [
                (-22, waist + 2), isWaving ? (27, shoulder - 20) : (22, waist + 2),
            ]
            for (side, hand) in zip([-1.0, 1], hands) {
                let start = (side * 14, shoulder + 4)
                let edge = paint.outline ?? paint.fill
                drawing.line([start, hand], width: 8, edge)
                drawing.line([start, hand], width: 6.4, paint.fill)
                drawing.circle(hand.0, hand.1, 3.4, .init(skin))
            }
            drawing.polygon(
                [
                    (-6, shoulder - 1), (6, shoulder - 1), (17, shoulder + 3), (14, waist),
                    (-14, waist), (-17, shoulder + 3),
                ], paint)
        }

        func drawHead(_ drawing: inout SVGDrawing) {
            let middle = -91 + drop
            drawing.rectangle(-2.5, middle + 5, 5, 6, .init(skin * 0.92))
            drawing.ellipse(0, middle - 1, 8.8, 9, .init(hair))
            drawing.ellipse(0, middle + 1.5, 7, 7.4, .init(skin))
            if let hat = person.hat { drawHat(hat, &drawing) }
        }

        func drawHat(_ colour: WardrobeColour, _ drawing: inout SVGDrawing) {
            let (paint, middle) = (cloth(colour), -91 + drop)
            drawing.rectangle(-8.5, middle - 14, 17, 10, paint, radius: 4)
            drawing.rectangle(-13, middle - 6, 26, 4, paint, radius: 2)
        }

        func drawBag(_ colour: WardrobeColour, _ drawing: inout SVGDrawing) {
            let paint = cloth(colour)
            let (shoulder, waist) = (-82 + drop, -47 + drop)
            drawing.line(
                [(-12, shoulder + 2), (17, waist - 4)], width: 2, paint.outline ?? paint.fill)
            drawing.rectangle(13, waist - 6, 15, 14, paint, radius: 2)
        }
    }
}
