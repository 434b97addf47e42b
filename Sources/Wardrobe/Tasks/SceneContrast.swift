import ImageText

/// Two statements of which each is true of one scene and false of another that hardly differs.
///
/// The scenes have the same colours, garments and things, so a list of what is there does not tell
/// which statement is true: colours, postures, hats or places are exchanged between people.
struct SceneContrast: Sendable {
    /// What differs between the two scenes.
    enum Kind: CaseIterable, Sendable {
        case outfit, tops, bottoms, garments, hats, bags, carried, postures, order
        case colourOfThing, kindOfThing
        case people, hatCount, bagCount, skirtCount
    }

    /// A scene of which the first statement is true, and one of which the second is.
    struct Scenes {
        var first, second: WardrobeScene
    }

    let kind: Kind
    let first, second: SceneStatement
    /// A question that the two scenes answer differently.
    let question: SceneQuestion
    /// How many people the scenes are made from.
    let people: ClosedRange<Int>

    private let palette: [WardrobeColour]
    private let facts: SceneFacts

    /// Draws what is stated.
    init(_ kind: Kind, _ random: inout SplitMix64) {
        self.kind = kind
        palette = SceneFacts.palette(&random)
        facts = SceneFacts(kind, palette, &random)
        (first, second, question) = facts.statements
        people = facts.people
    }

    /// Whether the scenes need a small thing.
    var needsThing: Bool { kind == .colourOfThing || kind == .kindOfThing }

    /// Makes the two scenes from another.
    ///
    /// - Parameters:
    ///   - base: A scene of ``people`` people, which gives places, sizes and backdrop.
    ///   - random: The source of random numbers.
    /// - Returns: `nil` if the statements would not be clear of these scenes.
    func scenes(from base: WardrobeScene, _ random: inout SplitMix64) -> Scenes? {
        var scene = base
        recolour(&scene, &random)
        guard let scenes = facts.applied(to: scene, &random),
            first.value(in: scenes.first) == true, first.value(in: scenes.second) == false,
            second.value(in: scenes.first) == false, second.value(in: scenes.second) == true,
            let answer = question.answer(in: scenes.first),
            let other = question.answer(in: scenes.second), answer != other,
            SceneExtents(scenes.first).showsEveryGarment,
            SceneExtents(scenes.second).showsEveryGarment
        else { return nil }
        return scenes
    }

    /// Gives everything one of a few colours, so that each is worn by several people.
    private func recolour(_ scene: inout WardrobeScene, _ random: inout SplitMix64) {
        for index in scene.people.indices {
            var person = scene.people[index]
            person.top = random.element(of: palette)
            person.bottom.colour = random.element(of: palette)
            if person.hat != nil { person.hat = random.element(of: palette) }
            if person.bag != nil { person.bag = random.element(of: palette) }
            scene.people[index] = person
        }
        if let place = scene.smallPlace { scene.props[place].colour = random.element(of: palette) }
    }
}
