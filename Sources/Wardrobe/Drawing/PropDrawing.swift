/// The drawing of a thing, with its foot at the origin, in hundredths of its size.
enum PropDrawing {
    static func draw(_ prop: WardrobeScene.Prop, _ drawing: inout SVGDrawing) {
        drawing.group(at: prop.x * 100, prop.y * 100, scale: prop.size) { inner in
            if let colour = prop.colour {
                small(prop.kind, PersonDrawing.cloth(colour), &inner)
            } else {
                large(prop.kind, &inner)
            }
        }
    }

    /// Returns where a thing is drawn.
    static func extent(of prop: WardrobeScene.Prop) -> DrawnExtent? {
        var drawing = SVGDrawing()
        draw(prop, &drawing)
        return drawing.extent
    }

    private static func small(
        _ kind: WardrobeScene.Prop.Kind, _ cloth: SVGDrawing.Paint, _ drawing: inout SVGDrawing
    ) {
        var paint = cloth
        paint.outline = nil
        let edge = SVGDrawing.Paint(cloth.outline ?? cloth.fill)
        switch kind {
        case .ball:
            drawing.circle(0, -46, 46, edge)
            drawing.circle(0, -46, 40, paint)
        case .cup:
            drawing.rectangle(20, -70, 30, 44, edge, radius: 14)
            drawing.rectangle(-36, -96, 68, 96, edge, radius: 8)
            drawing.rectangle(-30, -90, 56, 84, paint, radius: 6)
        case .duck:
            drawing.ellipse(-8, -34, 46, 34, edge)
            drawing.ellipse(-8, -34, 40, 28, paint)
            drawing.circle(22, -74, 26, edge)
            drawing.circle(22, -74, 20, paint)
            drawing.polygon([(42, -80), (66, -70), (42, -64)], .init([236, 140, 40]))
        default:
            drawing.rectangle(-50, -46, 100, 36, edge, radius: 10)
            drawing.rectangle(-28, -76, 54, 40, edge, radius: 10)
            drawing.rectangle(-46, -42, 92, 28, paint, radius: 8)
            drawing.rectangle(-24, -72, 46, 26, .init([186, 214, 228]), radius: 6)
            for wheel in [-26.0, 26] { drawing.circle(wheel, -11, 13, .init([40, 40, 44])) }
        }
    }

    private static func large(_ kind: WardrobeScene.Prop.Kind, _ drawing: inout SVGDrawing) {
        switch kind {
        case .screen:
            drawing.rectangle(-8, -24, 16, 22, .init([96, 98, 104]))
            drawing.rectangle(-24, -5, 48, 5, .init([96, 98, 104]))
            drawing.rectangle(-50, -86, 100, 64, .init([62, 64, 70]), radius: 3)
            drawing.rectangle(-46, -82, 92, 55, .init([120, 158, 182]))
            drawing.rectangle(-38, -74, 50, 5, .init([214, 226, 232]))
            drawing.rectangle(-38, -62, 68, 5, .init([188, 208, 218]))
        case .keyboard:
            drawing.rectangle(-50, -26, 100, 26, .init([168, 168, 166], outline: [110, 110, 110]))
            for row in 0..<3 {
                for key in 0..<9 {
                    drawing.rectangle(
                        -46 + Double(key) * 10.4, -23 + Double(row) * 7.6, 8, 5.6,
                        .init([214, 214, 210]))
                }
            }
        case .plant:
            for (x, y, tilt) in [
                (-16.0, -62.0, 12.0), (14, -70, 14), (0, -84, 13), (-22, -44, 10), (22, -48, 11),
            ] {
                drawing.ellipse(x, y, tilt, tilt * 1.3, .init([96, 132, 88]))
            }
            drawing.polygon([(-18, -34), (18, -34), (13, 0), (-13, 0)], .init([150, 112, 90]))
        default:
            drawing.rectangle(-2, -84, 4, 82, .init([120, 112, 104]))
            drawing.rectangle(-14, -4, 28, 4, .init([120, 112, 104]))
            drawing.polygon(
                [(-10, -100), (10, -100), (18, -76), (-18, -76)], .init([226, 214, 184]))
        }
    }
}
