/// A sentence that is true or false of two images with boxes.
enum BoxesStatement: Sendable, Hashable {
    /// One image shows it.
    case side(Side, Content)
    /// So many of the two images show it: none, exactly one, or both.
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
            case .shape(let shape): BoxesStatement.plural(shape)
            }
        }
    }

    /// What is where in one image.
    enum Content: Sendable, Hashable {
        /// There is such a shape.
        case has(BoxesScene.Item)
        /// Exactly so many boxes have such a shape.
        case boxes(Int, BoxesScene.Item)
        /// There are exactly so many of such shapes.
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
            case .above(let upper, let lower):
                scene.boxes.contains { $0[0...1].contains(upper) && $0[2...3].contains(lower) }
            case .leftOf(let left, let right):
                scene.boxes.contains { box in
                    [box[0], box[2]].contains(left) && [box[1], box[3]].contains(right)
                }
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
        case .side(let side, let content): content.text(place: "the \(side.rawValue) image")
        case .images(let number, let content):
            content.text(place: nil)
                + [" in neither image", " in only one image", " in both images"][number]
        case .more(let side, let counted):
            "the \(side.rawValue) image has more \(counted.text) than the \(side.other.rawValue)"
        }
    }

    fileprivate static func plural(_ shape: BoxesScene.Item.Shape) -> String {
        shape.rawValue + (shape == .cross ? "es" : "s")
    }
}

extension BoxesStatement.Content {
    /// Returns the sentence about an image, or without one.
    fileprivate func text(place: String?) -> String {
        let inside = place.map { " in \($0)" } ?? ""
        return switch self {
        case .has(let item):
            place.map { "\($0) has \(item.text)" } ?? "there is \(item.text)"
        case .boxes(let number, let item):
            number == 1
                ? "exactly one box\(inside) has \(item.text)"
                : "exactly \(SceneText.numbers[number]) boxes\(inside) have \(item.text)"
        case .number(let number, let item):
            (place.map { "\($0) has " } ?? "there are ") + "exactly "
                + Self.counted(number, item)
        case .together(let one, let other):
            "a box\(inside) has \(one.text) and \(other.text)"
        case .above(let upper, let lower):
            "a box\(inside) has \(upper.text) above \(lower.text)"
        case .leftOf(let left, let right):
            "a box\(inside) has \(left.text) left of \(right.text)"
        }
    }

    private static func counted(_ number: Int, _ item: BoxesScene.Item) -> String {
        "\(SceneText.numbers[number]) \(item.colour.rawValue) "
            + (number == 1 ? item.shape.rawValue : BoxesStatement.plural(item.shape))
    }
}
