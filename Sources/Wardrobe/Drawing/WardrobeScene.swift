/// A scene of the Wardrobe benchmark: people in clothes, and things around them.
///
/// Lengths are shares of the image's side; `x` increases to the right and `y` downwards, as in SVG.
public struct WardrobeScene: Sendable, Hashable, Codable {
    /// A person.
    public struct Person: Sendable, Hashable, Codable {
        /// The colour of the garment above the waist.
        public var top: WardrobeColour
        /// The garment below the waist.
        public var bottom: Bottom
        /// The colour of the hat; nil for none.
        public var hat: WardrobeColour?
        /// The colour of the bag; nil for none.
        public var bag: WardrobeColour?
        /// The person's posture.
        public var posture: Posture
        /// The middle of the feet.
        public var x, y: Double
        /// The height from head to foot when standing.
        public var height: Double
        /// The index of skin and hair, from 0 to 5; captions never mention it.
        public var looks: Int

        /// Returns whether the top and a pair of trousers have the outfit's colours.
        public func wears(_ outfit: WardrobeOutfit) -> Bool {
            top == outfit.top && bottom.kind == .trousers && bottom.colour == outfit.trousers
        }
    }

    /// A garment below the waist.
    public struct Bottom: Sendable, Hashable, Codable {
        /// The kind of garment.
        public var kind: Kind
        /// The colour.
        public var colour: WardrobeColour

        /// Creates a garment.
        public init(kind: Kind, colour: WardrobeColour) {
            self.kind = kind
            self.colour = colour
        }

        /// A kind of garment.
        public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
            case trousers, skirt
        }
    }

    /// A person's posture.
    public enum Posture: String, Sendable, Hashable, Codable, CaseIterable {
        case standing, walking, waving, sitting
    }

    /// A thing.
    public struct Prop: Sendable, Hashable, Codable {
        /// The kind of thing.
        public var kind: Kind
        /// The colour of a small thing; nil for a large one, whose colour captions never mention.
        public var colour: WardrobeColour?
        /// The middle of the thing's foot.
        public var x, y: Double
        /// The length of the larger side.
        public var size: Double

        /// A kind of thing: four small ones, and four large ones that distract from them.
        public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
            case ball, cup, duck, car
            case screen, keyboard, plant, lamp

            /// The small things, which have colours.
            public static let small: [Kind] = [.ball, .cup, .duck, .car]
            /// The large things.
            public static let large: [Kind] = [.screen, .keyboard, .plant, .lamp]
        }
    }

    /// The background; captions never mention it.
    public struct Backdrop: Sendable, Hashable, Codable {
        /// The kind of background.
        public var kind: Kind
        /// The index of the tint, from 0 to 5.
        public var tint: Int
        /// The brightness of the light, from -1, dark, to 1, bright.
        public var light: Double
        /// The warmth of the light, from -1, blue, to 1, yellow.
        public var warmth: Double

        /// A kind of background.
        public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
            case room, street, park, studio
        }
    }

    /// The people, from left to right; one to four.
    public var people: [Person]
    /// The things.
    public var props: [Prop]
    /// The background.
    public var backdrop: Backdrop

    /// The small thing, of which a scene has at most one; nil if it has none.
    public var smallProp: Prop? { smallPlace.map { props[$0] } }

    /// The index of the small thing in ``props``; nil if the scene has none.
    var smallPlace: Int? { props.firstIndex { Prop.Kind.small.contains($0.kind) } }

    /// Returns whether somebody wears an outfit.
    public func shows(_ outfit: WardrobeOutfit) -> Bool {
        people.contains { $0.wears(outfit) }
    }

    /// Returns whether the scene has a small thing.
    public func shows(_ thing: WardrobeThing) -> Bool {
        props.contains { $0.kind == thing.kind && $0.colour == thing.colour }
    }
}

/// A top over trousers, the query of the test `rare`.
public struct WardrobeOutfit: Sendable, Hashable, Codable {
    /// The colour of the top.
    public var top: WardrobeColour
    /// The colour of the trousers.
    public var trousers: WardrobeColour

    /// Creates an outfit.
    public init(top: WardrobeColour, trousers: WardrobeColour) {
        self.top = top
        self.trousers = trousers
    }

    /// The outfit with the two colours exchanged.
    public var mirror: WardrobeOutfit { WardrobeOutfit(top: trousers, trousers: top) }
}

/// A small thing in a colour, the query of the test `small`.
public struct WardrobeThing: Sendable, Hashable, Codable {
    /// The kind of thing.
    public var kind: WardrobeScene.Prop.Kind
    /// The colour.
    public var colour: WardrobeColour

    /// Creates a thing.
    public init(kind: WardrobeScene.Prop.Kind, colour: WardrobeColour) {
        self.kind = kind
        self.colour = colour
    }
}
