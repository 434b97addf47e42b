public import ImageText

/// Where a person and their garments are drawn.
struct PersonExtents {
    /// The person, with everything worn and carried.
    let whole: DrawnExtent
    /// The garment above the waist, with the arms.
    let top: DrawnExtent
    /// The garment below the waist, with legs and shoes.
    let bottom: DrawnExtent
    /// The head, with the hat.
    let head: DrawnExtent
    let hat, bag: DrawnExtent?
}

/// Where the people and things of a scene are drawn, and what hides them.
///
/// What hides is taken as its rectangles, so less may be hidden than this says, but never more.
struct SceneExtents {
    private let scene: WardrobeScene
    let people: [PersonExtents]
    let props: [DrawnExtent]

    init(_ scene: WardrobeScene) {
        self.scene = scene
        people = scene.people.compactMap(PersonDrawing.extents)
        props = scene.props.compactMap(PropDrawing.extent)
    }

    /// Whether at least half of every garment, hat and bag can be seen.
    var showsEveryGarment: Bool {
        people.indices.allSatisfy { index in
            let covers = covers(ofPerson: index)
            let person = people[index]
            return [person.top, person.bottom, person.head, person.hat, person.bag].allSatisfy {
                $0.map { $0.visibleShare(under: covers) >= 0.5 } ?? true
            }
        }
    }

    /// Returns the share of a thing that can be seen.
    func visibleShare(ofProp index: Int) -> Double {
        let isBehindPeople = !scene.props[index].isDrawnLast
        let later = props.indices.filter {
            (isBehindPeople && scene.props[$0].isDrawnLast)
                || ($0 > index && scene.props[$0].isDrawnLast == scene.props[index].isDrawnLast)
        }
        let covers =
            later.map { props[$0] } + (isBehindPeople ? people.flatMap { Self.body($0) } : [])
        return props[index].visibleShare(under: covers)
    }

    private func covers(ofPerson index: Int) -> [DrawnExtent] {
        let order = scene.drawingOrder
        let later = order.drop { $0 != index }.dropFirst()
        let things = props.indices.filter { scene.props[$0].isDrawnLast }.map { props[$0] }
        return later.flatMap { Self.body(people[$0]) } + things
    }

    private static func body(_ person: PersonExtents) -> [DrawnExtent] {
        [person.top, person.bottom, person.head]
    }
}

extension WardrobeScene {
    /// The rectangles around everybody and everything in an image of the scene.
    public struct Boxes: Sendable, Hashable {
        /// The boxes of the people, from left to right, with everything worn and carried.
        public var people: [BoundingBox]
        /// The boxes of the things, in the order of ``WardrobeScene/props``; `nil` for one of which
        /// nothing is inside the image.
        public var props: [BoundingBox?]
    }

    /// Returns the rectangles around what is drawn of everybody and everything.
    ///
    /// They come from the drawing's own geometry, outlines included and shadows not. What others
    /// hide is included; what is outside the image is not.
    ///
    /// - Parameter side: The width and height of the image in pixels.
    public func boxes(side: Int) -> Boxes {
        let extents = SceneExtents(self)
        func box(_ extent: DrawnExtent) -> BoundingBox? {
            let scale = Double(side) / 100
            guard let part = extent.clipped else { return nil }
            return BoundingBox(
                x: part.left * scale, y: part.top * scale, width: (part.right - part.left) * scale,
                height: (part.bottom - part.top) * scale)
        }
        return Boxes(
            people: extents.people.compactMap { box($0.whole) }, props: extents.props.map(box))
    }
}
