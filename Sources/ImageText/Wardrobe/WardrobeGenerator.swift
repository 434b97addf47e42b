/// Draws scenes: equal numbers give equal scenes on every platform.
public struct WardrobeGenerator: Sendable {
    /// What scenes a generator makes.
    public struct Settings: Sendable, Hashable, Codable {
        /// People in a scene, from 1 to 4.
        public var people: ClosedRange<Int>
        /// Share of scenes with a small thing.
        public var smallShare: Double
        /// Share of outfits whose colours come in the rare order.
        public var rareShare: Double

        /// Settings; by default one to four people, a small thing in half of the scenes, and every
        /// tenth outfit the rare way round.
        public init(
            people: ClosedRange<Int> = 1...4, smallShare: Double = 0.5,
            rareShare: Double = OutfitFrequencies.rareShare
        ) {
            precondition(people.lowerBound >= 1 && people.upperBound <= 4, "one to four people")
            precondition((0...0.9).contains(rareShare), "a rare share of 0 to 0.9")
            self.people = people
            self.smallShare = smallShare
            self.rareShare = rareShare
        }

        /// Single people in any colours equally often: the lesson by which a model learns what
        /// colours and garments are called.
        public static let single = Settings(
            people: 1...1, smallShare: 0.8, rareShare: (1 - OutfitFrequencies.plainShare) / 2)
    }

    /// What has to be in a scene.
    public enum Requirement: Sendable, Hashable {
        /// Somebody in these colours, and nobody in their mirror.
        case outfit(WardrobeOutfit)
        /// This small thing.
        case thing(WardrobeThing)
    }

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
        var random = SplitMix64(seed: seed, stream: index)
        let choices = settings.people.upperBound - settings.people.lowerBound + 1
        let count = settings.people.lowerBound + random.integer(below: choices)
        var people = people(count, &random)
        var small =
            random.chance(settings.smallShare)
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
        return WardrobeScene(
            people: people, props: Self.props(small, &random),
            backdrop: WardrobeScene.Backdrop(
                kind: random.element(of: WardrobeScene.Backdrop.Kind.allCases),
                tint: random.integer(below: 6), light: random.uniform(in: -1...1),
                warmth: random.uniform(in: -1...1)))
    }

    private func people(
        _ count: Int, _ random: inout SplitMix64
    ) -> [WardrobeScene.Person] {
        let slot = 1 / Double(count)
        // Four people have to be smaller to be seen, but may overlap.
        let tallest = count < 3 ? 0.82 : 0.76 - 0.06 * Double(count - 3)
        return (0..<count).map { index in
            let outfit = OutfitFrequencies.draw(rareShare: settings.rareShare, &random)
            let isSkirt = random.chance(0.25)
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

    private static func props(
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
                    y: random.uniform(in: 0.94...0.985), size: random.uniform(in: 0.13...0.17)))
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
