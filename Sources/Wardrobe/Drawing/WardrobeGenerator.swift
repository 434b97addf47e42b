import ImageText

/// A generator of scenes; equal seeds and settings give equal scenes on every platform.
public struct WardrobeGenerator: Sendable {
    /// The settings of a generator.
    public struct Settings: Sendable, Hashable, Codable {
        /// The number of people in a scene, from 1 to 4.
        public var people: ClosedRange<Int>
        /// The share of scenes with a small thing.
        public var smallShare: Double
        /// The width of the small thing, as a share of the image's width.
        public var smallSize: ClosedRange<Double>
        /// The share of outfits in the rare order.
        public var rareShare: Double
        /// The number of consecutive scenes that form a shoot.
        ///
        /// A shoot has the same people in the same place, in other clothes or beside another small
        /// thing.
        public var takes: Int
        /// Whether every scene has a small thing and takes differ only in its kind or colour.
        public var variesThings: Bool

        /// Creates settings.
        ///
        /// By default scenes have one to four people, half of them have a small thing, every tenth
        /// outfit is in the rare order, and every scene is a shoot of its own.
        public init(
            people: ClosedRange<Int> = 1...4, smallShare: Double = 0.5,
            smallSize: ClosedRange<Double> = 0.13...0.17,
            rareShare: Double = OutfitFrequencies.rareShare, takes: Int = 1,
            variesThings: Bool = false
        ) {
            precondition(
                people.lowerBound >= 1 && people.upperBound <= 4, "people must be within 1...4")
            precondition(
                smallSize.lowerBound > 0 && smallSize.upperBound <= 0.5,
                "smallSize must be above 0 and at most 0.5")
            precondition((0...0.9).contains(rareShare), "rareShare must be within 0...0.9")
            precondition((1...16).contains(takes), "takes must be within 1...16")
            self.people = people
            self.smallShare = smallShare
            self.smallSize = smallSize
            self.rareShare = rareShare
            self.takes = takes
            self.variesThings = variesThings
        }

        /// Settings for a first lesson, which teaches the names of colours, garments and things:
        /// single people in all colours equally often, and small things at close range.
        public static let single = Settings(
            people: 1...1, smallShare: 0.8, smallSize: 0.24...0.32,
            rareShare: (1 - OutfitFrequencies.plainShare) / 2)
    }

    /// A requirement for the contents of a scene.
    public enum Requirement: Sendable, Hashable {
        /// Somebody wears these colours, and nobody their mirror.
        case outfit(WardrobeOutfit)
        /// The scene has this small thing.
        case thing(WardrobeThing)
    }

    private static let skirtShare = 0.25

    /// The seed, which distinguishes the scenes of generators with equal settings.
    public let seed: UInt64
    /// The settings.
    public let settings: Settings

    /// Creates a generator.
    public init(seed: UInt64, settings: Settings = Settings()) {
        self.seed = seed
        self.settings = settings
    }

    /// Returns scene number `index`.
    ///
    /// - Parameters:
    ///   - index: the number of the scene, from 0.
    ///   - requirement: a requirement for its contents; nil, the default, for none.
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
                // With the mirror beside the outfit, the scene would be right and wrong at once.
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

    /// Returns a later take of a shoot; all takes differ.
    ///
    /// Takes differ in one respect at a time, so that captions depend on it.
    private func take(
        _ number: Int, of first: WardrobeScene, _ random: inout SplitMix64
    ) -> WardrobeScene {
        var takes = [first]
        while takes.count <= number {
            // A single step from the first scene does not reach enough different things.
            let scene =
                settings.variesThings
                ? anotherThing(in: takes[takes.count - 1], &random) : changed(first, &random)
            // Captions rarely mention hats and bags, so a change of these alone does not count.
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

    /// Redistributes the colours worn, exchanges trousers and a skirt, or replaces the small thing.
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

    /// Returns the scene with the kind or colour of its small thing drawn again.
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
        // Four people must be smaller to be visible, but may overlap.
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
    /// Returns one of the elements, each with equal probability.
    mutating func element<Element>(of elements: [Element]) -> Element {
        elements[integer(below: elements.count)]
    }
}
