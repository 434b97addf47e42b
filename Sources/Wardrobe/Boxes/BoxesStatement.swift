/// A sentence that is true or false of two images with boxes.
enum BoxesStatement: Sendable, Hashable {
    /// One image shows it.
    case side(Side, Content)
    /// The number of the two images that show it: 0, 1 or 2.
    case images(Int, Content)
    /// The image on a side has more of something.
    case more(Side, Counted)

    enum Side: String, Sendable, Hashable {
        case left, right

        var other: Side { self == .left ? .right : .left }
    }

    /// What is counted: shapes of one colour, or of one shape.
    enum Counted: Sendable, Hashable {
        case colour(WardrobeColour)
        case shape(BoxesScene.Item.Shape)

        func number(in scene: BoxesScene) -> Int {
            scene.items.count { item in
                switch self {
                case .colour(let colour): item.colour == colour
                case .shape(let shape): item.shape == shape
                }
            }
        }

        var text: String {
            switch self {
            case .colour(let colour): "\(colour.rawValue) shapes"
            case .shape(let shape): "\(shape.rawValue)s"
            }
        }
    }

    /// What is where in one image.
    enum Content: Sendable, Hashable {
        /// There is such a shape.
        case has(BoxesScene.Item)
        /// The number of boxes with such a shape.
        case boxes(Int, BoxesScene.Item)
        /// The number of such shapes.
        case number(Int, BoxesScene.Item)
        /// One box has both shapes.
        case together(BoxesScene.Item, BoxesScene.Item)
        /// In one box, a shape is in the upper row and another in the lower.
        case above(BoxesScene.Item, BoxesScene.Item)
        /// In one box, a shape is in the left column and another in the right.
        case leftOf(BoxesScene.Item, BoxesScene.Item)

        func holds(in scene: BoxesScene) -> Bool {
            switch self {
            case .has(let item): scene.items.contains(item)
            case .boxes(let number, let item):
                scene.boxes.count { $0.contains(item) } == number
            case .number(let number, let item): scene.items.count { $0 == item } == number
            case .together(let one, let other):
                scene.boxes.contains { $0.contains(one) && $0.contains(other) }
            case .above(let one, let other):
                Self.holds(scene, one, at: BoxesScene.upper, other, at: BoxesScene.lower)
            case .leftOf(let one, let other):
                Self.holds(scene, one, at: BoxesScene.left, other, at: BoxesScene.right)
            }
        }

        /// Returns whether a box has a shape at some of its places, and another at others.
        private static func holds(
            _ scene: BoxesScene, _ one: BoxesScene.Item, at places: [Int],
            _ other: BoxesScene.Item, at otherPlaces: [Int]
        ) -> Bool {
            scene.boxes.contains { box in
                places.contains { box[$0] == one } && otherPlaces.contains { box[$0] == other }
            }
        }
    }

    func holds(left: BoxesScene, right: BoxesScene) -> Bool {
        switch self {
        case .side(let side, let content): content.holds(in: side == .left ? left : right)
        case .images(let number, let content):
            [left, right].count { content.holds(in: $0) } == number
        case .more(.left, let counted): counted.number(in: left) > counted.number(in: right)
        case .more(.right, let counted): counted.number(in: right) > counted.number(in: left)
        }
    }

    /// The sentence, without a full stop.
    var text: String {
        switch self {
        case .side(let side, let content): content.text(on: side)
        case .images(let number, let content):
            "\(content.text) \(["in neither", "in only one", "in both"][number])"
        case .more(let side, let counted):
            "the \(side.rawValue) image has more \(counted.text) than the \(side.other.rawValue)"
        }
    }
}

extension BoxesStatement.Content {
    /// The sentence without a side.
    var text: String {
        switch self {
        case .has(let item): "there is \(item.text)"
        case .boxes(1, let item): "exactly one box has \(item.text)"
        case .boxes(let number, let item):
            "exactly \(SceneText.numbers[number]) boxes have \(item.text)"
        case .number(let number, let item):
            "there \(number == 1 ? "is" : "are") \(Self.exactly(number, item))"
        case .together(let one, let other): "a box has \(one.text) and \(other.text)"
        case .above(let upper, let lower): "a box has \(upper.text) above \(lower.text)"
        case .leftOf(let left, let right): "a box has \(left.text) left of \(right.text)"
        }
    }

    fileprivate func text(on side: BoxesStatement.Side) -> String {
        switch self {
        case .has(let item): "the \(side.rawValue) image has \(item.text)"
        case .number(let number, let item):
            "the \(side.rawValue) image has \(Self.exactly(number, item))"
        default: "on the \(side.rawValue) \(text)"
        }
    }

    private static func exactly(_ number: Int, _ item: BoxesScene.Item) -> String {
        "exactly \(SceneText.numbers[number]) \(item.colour.rawValue) \(item.shape.rawValue)"
            + (number == 1 ? "" : "s")
    }
}
