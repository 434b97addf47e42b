/// A scene of the Wardrobe benchmark: people in clothes, and things around them.
///
/// Lengths are shares of the image's side; `x` grows to the right and `y` downwards, as in SVG.
public struct WardrobeScene: Sendable, Hashable, Codable {
    /// A person.
    public struct Person: Sendable, Hashable, Codable {
        /// Colour of what is worn above the waist.
        public var top: WardrobeColour
        /// What is worn below the waist.
        public var bottom: Bottom
        /// Colour of the hat; nil for none.
        public var hat: WardrobeColour?
        /// Colour of the bag; nil for none.
        public var bag: WardrobeColour?
        /// How the person stands.
        public var posture: Posture
        /// The middle of the feet.
        public var x, y: Double
        /// From head to foot, standing.
        public var height: Double
        /// Which skin and hair, 0 to 5: never described.
        public var looks: Int

        /// Whether top and bottom have these colours, and the bottom is trousers.
        public func wears(_ outfit: WardrobeOutfit) -> Bool {
            top == outfit.top && bottom.kind == .trousers && bottom.colour == outfit.trousers
        }
    }

    /// A garment below the waist.
    public struct Bottom: Sendable, Hashable, Codable {
        /// What it is.
        public var kind: Kind
        /// Its colour.
        public var colour: WardrobeColour

        /// A garment.
        public init(kind: Kind, colour: WardrobeColour) {
            self.kind = kind
            self.colour = colour
        }

        /// What there is.
        public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
            case trousers, skirt
        }
    }

    /// How a person stands.
    public enum Posture: String, Sendable, Hashable, Codable, CaseIterable {
        case standing, walking, waving, sitting
    }

    /// A thing of some size.
    public struct Prop: Sendable, Hashable, Codable {
        /// What it is.
        public var kind: Kind
        /// Its colour, for small things; large ones have none that is described.
        public var colour: WardrobeColour?
        /// The middle of its foot.
        public var x, y: Double
        /// Its larger side.
        public var size: Double

        /// What there is: four small things, and large ones that they drown among.
        public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
            case ball, cup, duck, car
            case screen, keyboard, plant, lamp

            /// The small things, which come in colours.
            public static let small: [Kind] = [.ball, .cup, .duck, .car]
            /// The large things.
            public static let large: [Kind] = [.screen, .keyboard, .plant, .lamp]
        }
    }

    /// What is behind everything; never described.
    public struct Backdrop: Sendable, Hashable, Codable {
        /// What it shows.
        public var kind: Kind
        /// Its tint, 0 to 5.
        public var tint: Int
        /// Light from -1, dark, to 1, bright.
        public var light: Double
        /// Warmth of the light from -1, blue, to 1, yellow.
        public var warmth: Double

        /// What there is.
        public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
            case room, street, park, studio
        }
    }

    /// The people, from left to right; one to four.
    public var people: [Person]
    /// The things.
    public var props: [Prop]
    /// What is behind them.
    public var backdrop: Backdrop

    /// The small thing, if there is one; a scene has at most one.
    public var smallProp: Prop? { smallPlace.map { props[$0] } }

    /// Where in ``props`` the small thing is.
    var smallPlace: Int? { props.firstIndex { Prop.Kind.small.contains($0.kind) } }

    /// Whether somebody wears these colours.
    public func shows(_ outfit: WardrobeOutfit) -> Bool {
        people.contains { $0.wears(outfit) }
    }

    /// Whether this small thing is there.
    public func shows(_ thing: WardrobeThing) -> Bool {
        props.contains { $0.kind == thing.kind && $0.colour == thing.colour }
    }
}

/// A top over trousers: what `rare` asks for.
public struct WardrobeOutfit: Sendable, Hashable, Codable {
    /// Colour of the top.
    public var top: WardrobeColour
    /// Colour of the trousers.
    public var trousers: WardrobeColour

    /// A top over trousers.
    public init(top: WardrobeColour, trousers: WardrobeColour) {
        self.top = top
        self.trousers = trousers
    }

    /// The same colours the other way round.
    public var mirror: WardrobeOutfit { WardrobeOutfit(top: trousers, trousers: top) }
}

/// A small thing in a colour: what `small` asks for.
public struct WardrobeThing: Sendable, Hashable, Codable {
    /// What it is.
    public var kind: WardrobeScene.Prop.Kind
    /// Its colour.
    public var colour: WardrobeColour

    /// A small thing.
    public init(kind: WardrobeScene.Prop.Kind, colour: WardrobeColour) {
        self.kind = kind
        self.colour = colour
    }
}
