public import ImageText

// MARK: Expressions

extension SceneGroup {
    /// Returns up to three expressions per scene: for two people of several, and for a thing.
    func references(_ random: inout SplitMix64) -> [WardrobeTasks.Reference] {
        scenes.enumerated().flatMap { place, scene in
            var found = Self.people(in: scene, &random).map { person, description in
                WardrobeTasks.Reference(
                    scene: start + place, text: description.text, target: .person(person))
            }
            if let prop = Self.something(in: scene, &random) {
                found.append(
                    .init(
                        scene: start + place, text: scene.props[prop].reference,
                        target: .prop(prop)))
            }
            return found
        }
    }

    /// Draws up to two people, and what distinguishes each from the others.
    private static func people(
        in scene: WardrobeScene, _ random: inout SplitMix64
    ) -> [(Int, PersonDescription)] {
        guard scene.people.count > 1 else { return [] }
        var order = Array(scene.people.indices)
        random.shuffle(&order)
        var found: [(Int, PersonDescription)] = []
        for person in order where found.count < 2 {
            guard let description = description(of: person, in: scene, &random) else { continue }
            found.append((person, description))
        }
        return found
    }

    /// Draws one or two traits that only one person has; of two neither is enough alone.
    private static func description(
        of person: Int, in scene: WardrobeScene, _ random: inout SplitMix64
    ) -> PersonDescription? {
        let traits = traits(of: scene.people[person])
        let enough = traits.filter { PersonDescription($0).person(in: scene) != nil }
        let others = traits.filter { !enough.contains($0) }
        let pairs = others.indices.flatMap { first in
            others.indices.dropFirst(first + 1).map { [others[first], others[$0]] }
        }.filter { PersonDescription($0).person(in: scene) != nil }
        let choices = [pairs, enough.map { [$0] }]
        let ordered = random.chance(0.7) ? choices : choices.reversed()
        return ordered.first { !$0.isEmpty }.map {
            PersonDescription(random.element(of: $0))
        }
    }

    /// What can be seen of a person; places say nothing about other images, so they are left out.
    private static func traits(of person: WardrobeScene.Person) -> [PersonTrait] {
        [.top(person.top), .bottom(person.bottom), .posture(person.posture)]
            + [person.hat.map { .hat($0) }, person.bag.map { .bag($0) }].compactMap { $0 }
    }

    /// Draws the small thing in half of the scenes, otherwise one of the large that can be seen.
    private static func something(
        in scene: WardrobeScene, _ random: inout SplitMix64
    ) -> Int? {
        let isSmall = random.chance(0.5)
        let extents = SceneExtents(scene)
        let places = scene.props.indices.filter {
            (scene.props[$0].colour != nil) == isSmall && extents.visibleShare(ofProp: $0) >= 0.6
        }
        return places.isEmpty ? nil : random.element(of: places)
    }
}

extension WardrobeScene.Prop {
    /// The expression that refers to the thing: "the red toy duck", "the plant".
    var reference: String {
        "the "
            + (colour.map { WardrobeThing(kind: kind, colour: $0).text(in: .english) }
                ?? kind.name(in: .english))
    }
}

// MARK: Boxes

extension WardrobeTasks.Reference {
    /// Returns the box around what the expression refers to.
    ///
    /// - Parameters:
    ///   - scenes: The scenes of the part that the reference is from.
    ///   - side: The width and height of the images in pixels.
    /// - Returns: `nil` if nothing of it is inside the image, which no generated reference has.
    public func box(in scenes: [WardrobeScene], side: Int) -> BoundingBox? {
        let boxes = scenes[scene].boxes(side: side)
        return switch target {
        case .person(let index): boxes.people[index]
        case .prop(let index): boxes.props[index]
        }
    }
}

extension WardrobeScene {
    /// The number of boxes among the proposals that are around nothing.
    private static let distractors = 3

    /// Returns boxes among which a model chooses: of everybody, of everything, and some of nothing.
    ///
    /// - Parameters:
    ///   - side: The width and height of the image in pixels.
    ///   - random: The source of the other boxes and of the order.
    func proposals(side: Int, _ random: inout SplitMix64) -> [BoundingBox] {
        let boxes = boxes(side: side)
        let real = boxes.people + boxes.props.compactMap { $0 }
        var proposals = real
        // As large as those of the scene, so that their sizes do not tell.
        while proposals.count < real.count + Self.distractors {
            let size = random.element(of: real)
            let x = random.uniform(in: 0...max(0, Double(side) - size.width))
            let y = random.uniform(in: 0...max(0, Double(side) - size.height))
            // In a full image hardly any place is free; a box may then overlap more.
            let mayOverlap = random.chance(0.05)
            guard let box = BoundingBox(x: x, y: y, width: size.width, height: size.height),
                mayOverlap || real.allSatisfy({ box.overlap(with: $0) < 0.4 })
            else { continue }
            proposals.append(box)
        }
        random.shuffle(&proposals)
        return proposals
    }
}

extension BoundingBox {
    /// Returns the intersection over the union.
    fileprivate func overlap(with other: BoundingBox) -> Double {
        let across = min(x + width, other.x + other.width) - max(x, other.x)
        let down = min(y + height, other.y + other.height) - max(y, other.y)
        guard across > 0, down > 0 else { return 0 }
        return across * down / (area + other.area - across * down)
    }
}
