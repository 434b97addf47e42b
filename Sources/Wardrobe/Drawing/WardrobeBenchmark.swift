/// What a model is asked about scenes it has not seen: four tests, in every language.
///
/// | test | asks | measure |
/// |---|---|---|
/// | `swap` | which of two captions is true, the other with two colours exchanged | accuracy; chance is 1/2 |
/// | `rare` | for a rare outfit, in a gallery full of its common mirror | precision at 1 and 10, share of mirrors in the top 10 |
/// | `small` | for a small thing among large ones | precision at 1 and 10 |
/// | `all` | for the scene that a whole caption describes | recall at 1, 5 and 10 |
///
/// Equal seeds and sizes give equal scenes and texts on every platform.
public struct WardrobeBenchmark: Sendable {
    /// A true caption and one with two colours exchanged.
    public struct Swap: Sendable, Hashable {
        /// The scene that both are about.
        public var scene: Int
        /// What is exchanged.
        public var kind: Kind
        /// The caption that is true, by language.
        public var right: [WardrobeLanguage: String]
        /// The caption that is not, by language.
        public var wrong: [WardrobeLanguage: String]

        /// What is exchanged.
        public enum Kind: String, Sendable, Hashable, CaseIterable {
            /// Top and trousers of somebody in a common outfit: the caption's mirror is rare.
            case common
            /// Top and trousers of somebody in a rare outfit.
            case rare
            /// The tops of two neighbours.
            case neighbours
        }
    }

    /// A query with what it should find.
    public struct Query: Sendable, Hashable {
        /// The query, by language.
        public var text: [WardrobeLanguage: String]
        /// The scenes that fit.
        public var right: [Int]
        /// The scenes that show the exact mirror of what was asked for, and not what was.
        public var mirrored: [Int]
    }

    /// Queries and the scenes they search.
    public struct Gallery: Sendable {
        /// The scenes.
        public var scenes: [WardrobeScene]
        /// What is asked for.
        public var queries: [Query]
    }

    /// How large the tests are.
    public struct Sizes: Sendable, Hashable, Codable {
        /// Pairs of captions in `swap`.
        public var swaps = 600
        /// Outfits asked for in `rare`.
        public var outfits = 12
        /// Scenes made for each of them, and for each of their mirrors.
        public var rightScenes = 10, mirroredScenes = 30
        /// Things asked for in `small`: every kind in this many colours.
        public var colours = 4
        /// Scenes with each of them, and scenes with whatever comes.
        public var thingScenes = 10, otherScenes = 160
        /// Scenes and captions of `all`.
        public var captions = 200

        /// The sizes that published figures are for.
        public init() {}
    }

    /// Captions with two colours exchanged, and the scenes they are about.
    public let swapScenes: [WardrobeScene]
    /// What `swap` asks.
    public let swaps: [Swap]
    /// What `rare` searches.
    public let rare: Gallery
    /// What `small` searches.
    public let small: Gallery
    /// What `all` searches.
    public let all: Gallery

    /// Draws the tests.
    ///
    /// - Parameter seed: must not be one that training scenes were drawn with.
    public init(seed: UInt64, sizes: Sizes = Sizes()) {
        (swapScenes, swaps) = Self.swaps(WardrobeGenerator(seed: seed &+ 1), sizes)
        rare = Self.rare(WardrobeGenerator(seed: seed &+ 2), sizes)
        small = Self.small(WardrobeGenerator(seed: seed &+ 3), sizes)
        let generator = WardrobeGenerator(
            seed: seed &+ 4, settings: .init(people: 2...4, smallShare: 0.5))
        let scenes = (0..<sizes.captions).map { generator.scene($0) }
        all = Gallery(
            scenes: scenes,
            queries: scenes.map { scene in
                let text = Self.texts { WardrobeCaptions.whole(scene, $0) }
                // Two scenes may by chance be described alike.
                let right = scenes.indices.filter {
                    WardrobeCaptions.whole(scenes[$0], .english) == text[.english]
                }
                return Query(text: text, right: right, mirrored: [])
            })
    }

    /// A gallery for one outfit: how the system is shown to people.
    ///
    /// - Parameters:
    ///   - outfit: what will be asked for.
    ///   - right: scenes made to show it.
    ///   - mirrored: scenes made to show its mirror.
    ///   - others: scenes with whatever comes.
    public static func gallery(
        for outfit: WardrobeOutfit, right: Int, mirrored: Int, others: Int, seed: UInt64
    ) -> Gallery {
        let generator = WardrobeGenerator(seed: seed)
        let requirements: [WardrobeGenerator.Requirement?] =
            Array(repeating: .outfit(outfit), count: right)
            + Array(repeating: .outfit(outfit.mirror), count: mirrored)
            + Array(repeating: nil, count: others)
        let scenes = requirements.enumerated().map { generator.scene($0, with: $1) }
        return Gallery(scenes: scenes, queries: [query(outfit, scenes)])
    }

    /// What a query for an outfit should find.
    public static func query(_ outfit: WardrobeOutfit, _ scenes: [WardrobeScene]) -> Query {
        let right = scenes.indices.filter { scenes[$0].shows(outfit) }
        let mirrored = scenes.indices.filter {
            scenes[$0].shows(outfit.mirror) && !scenes[$0].shows(outfit)
        }
        return Query(text: texts { outfit.text(in: $0) }, right: right, mirrored: mirrored)
    }

    /// What a query for a thing should find.
    public static func query(_ thing: WardrobeThing, _ scenes: [WardrobeScene]) -> Query {
        Query(
            text: texts { thing.text(in: $0) },
            right: scenes.indices.filter { scenes[$0].shows(thing) }, mirrored: [])
    }

    private static func texts(
        _ text: (WardrobeLanguage) -> String
    ) -> [WardrobeLanguage: String] {
        Dictionary(uniqueKeysWithValues: WardrobeLanguage.allCases.map { ($0, text($0)) })
    }

    // MARK: The tests

    private static func rare(_ generator: WardrobeGenerator, _ sizes: Sizes) -> Gallery {
        var scenes: [WardrobeScene] = []
        let outfits = OutfitFrequencies.rare.prefix(sizes.outfits)
        for outfit in outfits {
            for number in 0..<sizes.rightScenes + sizes.mirroredScenes {
                let shown = number < sizes.rightScenes ? outfit : outfit.mirror
                scenes.append(generator.scene(scenes.count, with: .outfit(shown)))
            }
        }
        return Gallery(scenes: scenes, queries: outfits.map { query($0, scenes) })
    }

    private static func small(_ generator: WardrobeGenerator, _ sizes: Sizes) -> Gallery {
        let things = WardrobeScene.Prop.Kind.small.enumerated().flatMap { place, kind in
            (0..<sizes.colours).map { number in
                // Each kind in other colours, so that all of them are asked for.
                let colours = WardrobeColour.allCases
                return WardrobeThing(
                    kind: kind,
                    colour: colours[(place * 2 + number * 2 + place / 2) % colours.count])
            }
        }
        var scenes: [WardrobeScene] = []
        for thing in things {
            for _ in 0..<sizes.thingScenes {
                scenes.append(generator.scene(scenes.count, with: .thing(thing)))
            }
        }
        for _ in 0..<sizes.otherScenes { scenes.append(generator.scene(scenes.count)) }
        return Gallery(scenes: scenes, queries: things.map { query($0, scenes) })
    }

    private static func swaps(
        _ generator: WardrobeGenerator, _ sizes: Sizes
    ) -> ([WardrobeScene], [Swap]) {
        var scenes: [WardrobeScene] = []
        var swaps: [Swap] = []
        var index = 0
        while swaps.count < sizes.swaps {
            let kind = Swap.Kind.allCases[swaps.count % Swap.Kind.allCases.count]
            let outfits = kind == .rare ? OutfitFrequencies.rare : OutfitFrequencies.common
            let outfit = outfits[(swaps.count / Swap.Kind.allCases.count) % outfits.count]
            let scene = generator.scene(index, with: kind == .neighbours ? nil : .outfit(outfit))
            index += 1
            if kind != .neighbours {
                swaps.append(
                    Swap(
                        scene: scenes.count, kind: kind, right: texts { outfit.text(in: $0) },
                        wrong: texts { outfit.mirror.text(in: $0) }))
                scenes.append(scene)
            } else if let (right, wrong) = neighbours(scene) {
                swaps.append(
                    Swap(scene: scenes.count, kind: kind, right: right, wrong: wrong))
                scenes.append(scene)
            }
        }
        return (scenes, swaps)
    }

    /// Two neighbours as they are, and with their tops exchanged.
    private static func neighbours(
        _ scene: WardrobeScene
    ) -> ([WardrobeLanguage: String], [WardrobeLanguage: String])? {
        guard scene.people.count > 1 else { return nil }
        let (left, right) = (scene.people[0], scene.people[1])
        guard left.top != right.top, left.bottom != right.bottom else { return nil }
        var (swappedLeft, swappedRight) = (left, right)
        (swappedLeft.top, swappedRight.top) = (right.top, left.top)
        // With more people the exchanged outfits may be there as well.
        let worn = Set(
            scene.people.map {
                [$0.top.rawValue, $0.bottom.colour.rawValue, $0.bottom.kind.rawValue]
            })
        let exchanged = [swappedLeft, swappedRight].map {
            [$0.top.rawValue, $0.bottom.colour.rawValue, $0.bottom.kind.rawValue]
        }
        guard exchanged.contains(where: { !worn.contains($0) }) else { return nil }
        return (
            texts { WardrobeCaptions.sides(left, right, $0) },
            texts { WardrobeCaptions.sides(swappedLeft, swappedRight, $0) }
        )
    }
}
