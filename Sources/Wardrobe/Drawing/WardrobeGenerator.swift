import ImageText

/// Draws scenes: equal numbers give equal scenes on every platform.
public struct WardrobeGenerator: Sendable {
    /// What scenes a generator makes.
    public struct Settings: Sendable, Hashable, Codable {
        /// People in a scene, from 1 to 4.
        public var people: ClosedRange<Int>
        /// Share of scenes with a small thing.
        public var smallShare: Double
        /// Width of the small thing, as a share of the image's.
        public var smallSize: ClosedRange<Double>
        /// Share of outfits whose colours come in the rare order.
        public var rareShare: Double
        /// Scenes of one shoot, one after another: the same people in the same place, dressed again
        /// or beside another small thing.
        public var takes: Int
        /// Whether every scene has a small thing and takes differ in it alone, in kind or colour.
        public var variesThings: Bool

        /// Settings; by default one to four people, a small thing in half of the scenes, every tenth
        /// outfit the rare way round, and every scene by itself.
        public init(
            people: ClosedRange<Int> = 1...4, smallShare: Double = 0.5,
            smallSize: ClosedRange<Double> = 0.13...0.17,
            rareShare: Double = OutfitFrequencies.rareShare, takes: Int = 1,
            variesThings: Bool = false
        ) {
            precondition(people.lowerBound >= 1 && people.upperBound <= 4, "one to four people")
            precondition(smallSize.lowerBound > 0 && smallSize.upperBound <= 0.5, "a small thing")
            precondition((0...0.9).contains(rareShare), "a rare share of 0 to 0.9")
            precondition((1...16).contains(takes), "1 to 16 takes")
            self.people = people
            self.smallShare = smallShare
            self.smallSize = smallSize
            self.rareShare = rareShare
            self.takes = takes
            self.variesThings = variesThings
        }

        /// Single people in any colours equally often, small things seen from near: the lesson by
        /// which a model learns what colours, garments and things are called.
        public static let single = Settings(
            people: 1...1, smallShare: 0.8, smallSize: 0.24...0.32,
            rareShare: (1 - OutfitFrequencies.plainShare) / 2)
    }

    /// What has to be in a scene.
    public enum Requirement: Sendable, Hashable {
        /// Somebody in these colours, and nobody in their mirror.
        case outfit(WardrobeOutfit)
        /// This small thing.
        case thing(WardrobeThing)
    }

    private static let skirtShare = 0.25

    /// What makes one generator's scenes differ from another's.
    public let seed: UInt64
    /// What scenes it makes.
    public let settings: Settings

    /// A generator.
    public init(seed: UInt64, settings: Settings = Settings()) {
        self.seed = seed
        self.settings = settings
    }

    /// Scene number `index`.
    ///
    /// - Parameter requirement: what has to be in it; anything by default.
    public func scene(_ index: Int, with requirement: Requirement? = nil) -> WardrobeScene {
        var random = SplitMix64(seed: seed, stream: index / settings.takes)
        let count = random.element(
            of: settings.people.flatMap { Array(repeating: $0, count: $0 < 3 ? 3 : 1) })
        var people = people(count, &random)
        var small =
            random.chance(settings.variesThings ? 1 : settings.smallShare)
            ? WardrobeThing(
                kind: random.element(of: WardrobeScene.Prop.Kind.small),
                colour: random.element(of: WardrobeColour.allCases)) : nil
        switch requirement {
        case .outfit(let outfit):
            let chosen = random.integer(below: count)
            for index in people.indices {
                // A mirror beside the outfit would make the scene right and wrong at once.
                while people[index].wears(outfit.mirror) {
                    let other = OutfitFrequencies.draw(rareShare: settings.rareShare, &random)
                    people[index].top = other.top
                    people[index].bottom.colour = other.trousers
                }
            }
            people[chosen].top = outfit.top
            people[chosen].bottom = .init(kind: .trousers, colour: outfit.trousers)
        case .thing(let thing): small = thing
        case nil: break
        }
        let scene = WardrobeScene(
            people: people, props: props(small, &random),
            backdrop: WardrobeScene.Backdrop(
                kind: random.element(of: WardrobeScene.Backdrop.Kind.allCases),
                tint: random.integer(below: 6), light: random.uniform(in: -1...1),
                warmth: random.uniform(in: -1...1)))
        return take(index % settings.takes, of: scene, &random)
    }

    /// A later take of a shoot; no two are alike.
    ///
    /// What changes is one thing at a time, so that it has to be looked at.
    private func take(
        _ number: Int, of first: WardrobeScene, _ random: inout SplitMix64
    ) -> WardrobeScene {
        var takes = [first]
        while takes.count <= number {
            // One step from the first there are fewer things than there may be takes.
            let scene =
                settings.variesThings
                ? anotherThing(in: takes[takes.count - 1], &random) : changed(first, &random)
            // Other hats and bags alone would hardly ever be told of.
            let isNew = !takes.contains { take in
                take.props == scene.props
                    && zip(take.people, scene.people).allSatisfy {
                        $0.top == $1.top && $0.bottom == $1.bottom
                    }
            }
            if isNew { takes.append(scene) }
        }
        return takes[number]
    }

    /// The colours worn are dealt out again, or somebody changes trousers for a skirt, or another
    /// small thing lies in the place of the first.
    private func changed(
        _ first: WardrobeScene, _ random: inout SplitMix64
    ) -> WardrobeScene {
        var scene = first
        let change = random.integer(below: 4)
        if change == 0, let place = scene.smallPlace {
            scene.props[place].kind = random.element(of: WardrobeScene.Prop.Kind.small)
            scene.props[place].colour = random.element(of: WardrobeColour.allCases)
        } else if change == 1 {
            let index = random.integer(below: scene.people.count)
            let kind = scene.people[index].bottom.kind
            scene.people[index].bottom.kind = kind == .skirt ? .trousers : .skirt
        } else {
            redress(&scene.people, &random)
        }
        return scene
    }

    /// The same with the small thing of another kind or in another colour, if the draw is not its own.
    private func anotherThing(
        in scene: WardrobeScene, _ random: inout SplitMix64
    ) -> WardrobeScene {
        var scene = scene
        guard let place = scene.smallPlace else { return scene }
        if random.chance(0.5) {
            scene.props[place].kind = random.element(of: WardrobeScene.Prop.Kind.small)
        } else {
            scene.props[place].colour = random.element(of: WardrobeColour.allCases)
        }
        return scene
    }

    private func redress(_ people: inout [WardrobeScene.Person], _ random: inout SplitMix64) {
        var colours = people.flatMap { [$0.top, $0.bottom.colour] }
        if random.chance(people.count == 1 ? 0.75 : 0.25) {
            colours[random.integer(below: colours.count)] = random.element(
                of: WardrobeColour.allCases)
        }
        random.shuffle(&colours)
        for index in people.indices {
            var outfit = WardrobeOutfit(top: colours[2 * index], trousers: colours[2 * index + 1])
            let isRare = OutfitFrequencies.drawsRare(settings.rareShare, &random)
            if OutfitFrequencies.isRare(outfit) != isRare { outfit = outfit.mirror }
            people[index].top = outfit.top
            people[index].bottom.colour = outfit.trousers
            if people[index].hat != nil {
                people[index].hat = random.element(of: WardrobeColour.allCases)
            }
            if people[index].bag != nil {
                people[index].bag = random.element(of: WardrobeColour.allCases)
            }
        }
    }

    private func people(
        _ count: Int, _ random: inout SplitMix64
    ) -> [WardrobeScene.Person] {
        let slot = 1 / Double(count)
        // Four people have to be smaller to be seen, but may overlap.
        let tallest = count < 3 ? 0.82 : 0.76 - 0.06 * Double(count - 3)
        return (0..<count).map { index in
            let outfit = OutfitFrequencies.draw(rareShare: settings.rareShare, &random)
            let isSkirt = random.chance(Self.skirtShare)
            let jitter = random.uniform(in: -0.18...0.18) * slot
            return WardrobeScene.Person(
                top: outfit.top,
                bottom: .init(kind: isSkirt ? .skirt : .trousers, colour: outfit.trousers),
                hat: random.chance(0.45) ? random.element(of: WardrobeColour.allCases) : nil,
                bag: random.chance(0.35) ? random.element(of: WardrobeColour.allCases) : nil,
                posture: random.element(of: WardrobeScene.Posture.allCases),
                x: min(max((Double(index) + 0.5) * slot + jitter, 0.12), 0.88),
                y: random.uniform(in: 0.86...0.95),
                height: tallest * random.uniform(in: 0.78...1), looks: random.integer(below: 6))
        }
    }

    private func props(
        _ small: WardrobeThing?, _ random: inout SplitMix64
    ) -> [WardrobeScene.Prop] {
        var props: [WardrobeScene.Prop] = []
        for kind in WardrobeScene.Prop.Kind.large where random.chance(0.3) {
            let size =
                switch kind {
                case .screen: random.uniform(in: 0.24...0.34)
                case .keyboard: random.uniform(in: 0.22...0.3)
                case .plant: random.uniform(in: 0.3...0.45)
                default: random.uniform(in: 0.4...0.6)
                }
            props.append(
                .init(
                    kind: kind, colour: nil, x: random.uniform(in: 0.14...0.86),
                    y: kind == .keyboard
                        ? random.uniform(in: 0.93...0.98) : random.uniform(in: 0.78...0.86),
                    size: size))
        }
        if let small {
            props.append(
                .init(
                    kind: small.kind, colour: small.colour, x: random.uniform(in: 0.08...0.92),
                    y: random.uniform(in: 0.94...0.985),
                    size: random.uniform(in: settings.smallSize)
                ))
        }
        return props
    }
}

extension SplitMix64 {
    /// One of some elements, each equally likely.
    mutating func element<Element>(of elements: [Element]) -> Element {
        elements[integer(below: elements.count)]
    }
}
