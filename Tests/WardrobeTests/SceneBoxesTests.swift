import ImageText
import Testing
import Wardrobe

@Suite("Boxes of drawn scenes")
struct SceneBoxesTests {
    private let side = 200

    /// A scene of one person, seen well before the background, and perhaps things.
    private func scene(
        _ person: WardrobeScene.Person?, props: [WardrobeScene.Prop] = []
    ) -> WardrobeScene {
        var scene = WardrobeGenerator(seed: 1).scene(0)
        scene.people = person.map { [$0] } ?? []
        scene.props = props
        (scene.backdrop.kind, scene.backdrop.tint) = (.studio, 5)
        (scene.backdrop.light, scene.backdrop.warmth) = (0, 0)
        return scene
    }

    /// Compares a box with the pixels that change when what it is around is not drawn.
    ///
    /// Shadows change pixels by less than `threshold`.
    private func expect(
        _ box: BoundingBox, isAroundChangesOf scene: WardrobeScene, to other: WardrobeScene,
        threshold: Int, within tolerance: Double, _ what: String
    ) throws {
        let (image, empty) = (try scene.image(side: side), try other.image(side: side))
        var (left, top, right, bottom) = (side, side, 0, 0)
        for y in 0..<side {
            for x in 0..<side {
                let offset = (y * side + x) * 3
                let change = (0..<3).map { channel in
                    abs(Int(image.pixels[offset + channel]) - Int(empty.pixels[offset + channel]))
                }.max()
                guard change ?? 0 > threshold else { continue }
                (left, top) = (min(left, x), min(top, y))
                (right, bottom) = (max(right, x + 1), max(bottom, y + 1))
            }
        }
        let edges = [
            (box.x, left), (box.y, top), (box.x + box.width, right),
            (box.y + box.height, bottom),
        ]
        for (edge, pixel) in edges {
            #expect(abs(edge - Double(pixel)) <= tolerance, "\(what): \(box), \(edges)")
        }
    }

    @Test(
        "The box of a person is around all drawn of the person",
        arguments: WardrobeScene.Posture.allCases)
    func people(posture: WardrobeScene.Posture) throws {
        for kind in WardrobeScene.Bottom.Kind.allCases {
            for worn in [nil, WardrobeColour.red] {
                var person = WardrobeGenerator(seed: 1).scene(0).people[0]
                (person.top, person.bottom) = (.black, .init(kind: kind, colour: .blue))
                (person.hat, person.bag, person.posture) = (worn, worn, posture)
                (person.x, person.y, person.height, person.looks) = (0.45, 0.9, 0.75, 4)
                let scene = scene(person)
                let box = try #require(scene.boxes(side: side).people.first)
                try expect(
                    box, isAroundChangesOf: scene, to: self.scene(nil), threshold: 60, within: 1.5,
                    "\(posture) \(kind) \(worn != nil)")
            }
        }
    }

    @Test(
        "The box of a thing is around all drawn of it", arguments: WardrobeScene.Prop.Kind.allCases)
    func things(kind: WardrobeScene.Prop.Kind) throws {
        let isSmall = WardrobeScene.Prop.Kind.small.contains(kind)
        let scenes = (0..<200).map { WardrobeGenerator(seed: 1).scene($0) }
        var prop = try #require(scenes.flatMap(\.props).first { $0.kind == kind })
        if isSmall { prop.colour = .purple }
        (prop.x, prop.y, prop.size) = (0.4, 0.9, isSmall ? 0.2 : 0.4)
        let scene = scene(nil, props: [prop])
        let box = try #require(scene.boxes(side: side).props[0])
        try expect(
            box, isAroundChangesOf: scene, to: self.scene(nil), threshold: 6, within: 1.5, "\(kind)"
        )
    }

    @Test("Boxes are inside the image, and have an area, also at the edge")
    func edges() throws {
        for index in 0..<300 {
            let scene = WardrobeGenerator(seed: 3).scene(index)
            let boxes = scene.boxes(side: side)
            #expect(boxes.people.count == scene.people.count)
            #expect(boxes.props.count == scene.props.count)
            for box in boxes.people + boxes.props.compactMap({ $0 }) {
                #expect(box.x >= 0 && box.y >= 0 && box.area > 1)
                #expect(box.x + box.width <= Double(side) + 1e-9)
                #expect(box.y + box.height <= Double(side) + 1e-9)
            }
        }
    }
}
