/// A benchmark of four tests on unseen scenes, in every language.
///
/// | test | task | measure |
/// |---|---|---|
/// | `swap` | choose the true caption; in the other two colours are exchanged | accuracy; chance is 1/2 |
/// | `rare` | find a rare outfit in a gallery full of its common mirror | precision at 1 and 10, share of mirrors in the top 10 |
/// | `small` | find a small thing among large ones | precision at 1 and 10 |
/// | `all` | find the scene that a whole caption describes | recall at 1, 5 and 10 |
///
/// Equal seeds and sizes give equal scenes and texts on every platform.
public struct WardrobeBenchmark: Sendable {
    /// A true caption, and a false one with two colours exchanged.
    public struct Swap: Sendable, Hashable {
        /// The index of the scene.
        public var scene: Int
        /// The kind of exchange.
        public var kind: Kind
        /// The true caption, by language.
        public var right: [WardrobeLanguage: String]
        /// The false caption, by language.
        public var wrong: [WardrobeLanguage: String]

        /// A kind of exchange.
        public enum Kind: String, Sendable, Hashable, CaseIterable {
            /// Top and trousers of a common outfit, so that the false caption is rare.
            case common
            /// Top and trousers of a rare outfit.
            case rare
            /// The tops of two neighbours.
            case neighbours
        }
    }

    /// A query and the scenes that it should find.
    public struct Query: Sendable, Hashable {
        /// The query, by language.
        public var text: [WardrobeLanguage: String]
        /// The indices of the scenes that fit.
        public var right: [Int]
        /// The indices of the scenes that show the exact mirror of the query, but not the query.
        public var mirrored: [Int]
    }

    /// Scenes and the queries that search them.
    public struct Gallery: Sendable {
        /// The scenes.
        public var scenes: [WardrobeScene]
        /// The queries.
        public var queries: [Query]
    }

    /// The sizes of the tests.
    public struct Sizes: Sendable, Hashable, Codable {
        /// The number of pairs of captions in `swap`; 600 by default.
        public var swaps = 600
        /// The number of outfits in `rare`; 12 by default.
        public var outfits = 12
        /// The number of scenes per outfit, and per mirror of an outfit; 10 and 30 by default.
        public var rightScenes = 10, mirroredScenes = 30
        /// The number of colours of each kind of thing in `small`; 4 by default.
        public var colours = 4
        /// The number of scenes per thing, and of other scenes; 10 and 160 by default.
        public var thingScenes = 10, otherScenes = 160
        /// The number of scenes and captions in `all`; 200 by default.
        public var captions = 200

        /// Creates the sizes of the published figures.
        public init() {}
    }

    /// The scenes of `swap`.
    public let swapScenes: [WardrobeScene]
    /// The captions of `swap`.
    public let swaps: [Swap]
    /// The gallery of `rare`.
    public let rare: Gallery
    /// The gallery of `small`.
    public let small: Gallery
    /// The gallery of `all`.
    public let all: Gallery

    /// Draws the tests.
    ///
    /// - Parameters:
    ///   - seed: a seed with which no training scenes were drawn.
    ///   - sizes: the sizes of the tests; those of the published figures by default.
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
                // Two scenes may by chance have the same description.
                let right = scenes.indices.filter {
                    WardrobeCaptions.whole(scenes[$0], .english) == text[.english]
                }
                return Query(text: text, right: right, mirrored: [])
            })
    }

    /// Returns a gallery for one outfit, for demonstrations.
    ///
    /// - Parameters:
    ///   - outfit: the outfit of the query.
    ///   - right: the number of scenes that show it.
    ///   - mirrored: the number of scenes that show its mirror.
    ///   - others: the number of arbitrary scenes.
    ///   - seed: the seed of the scenes.
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

    /// Returns the query for an outfit in some scenes.
    public static func query(_ outfit: WardrobeOutfit, _ scenes: [WardrobeScene]) -> Query {
        let right = scenes.indices.filter { scenes[$0].shows(outfit) }
        let mirrored = scenes.indices.filter {
            scenes[$0].shows(outfit.mirror) && !scenes[$0].shows(outfit)
        }
        return Query(text: texts { outfit.text(in: $0) }, right: right, mirrored: mirrored)
    }

    /// Returns the query for a thing in some scenes.
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
                // Each kind has other colours, so that the queries cover all of them.
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

    /// Returns the captions of two neighbours, and those with their tops exchanged; nil if the
    /// scene does not allow a false caption.
    private static func neighbours(
        _ scene: WardrobeScene
    ) -> ([WardrobeLanguage: String], [WardrobeLanguage: String])? {
        guard scene.people.count > 1 else { return nil }
        let (left, right) = (scene.people[0], scene.people[1])
        guard left.top != right.top, left.bottom != right.bottom else { return nil }
        var (swappedLeft, swappedRight) = (left, right)
        (swappedLeft.top, swappedRight.top) = (right.top, left.top)
        // In a group, somebody else may already wear the exchanged outfits.
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
