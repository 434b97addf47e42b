import ImageText

/// Two pairs of images and two sentences: each sentence is true of one pair, each pair shows one.
///
/// Both pairs have the same shapes and colours, in other places or other combinations.
struct BoxesContrast: Sendable {
    /// Left and right image.
    typealias Images = (left: BoxesScene, right: BoxesScene)

    let first, second: BoxesStatement
    let firstImages, secondImages: Images

    typealias Kind = BoxesTask.Kind

    /// Draws images and sentences of a kind.
    init(_ kind: Kind, _ random: inout SplitMix64) {
        while true {
            let drawn =
                switch kind {
                case .more: Self.more(&random)
                case .onlyOne: Self.onlyOne(&random)
                default: Self.side(kind, &random)
                }
            if let drawn, drawn.isClear {
                self = drawn
                return
            }
        }
    }

    private init(
        _ first: BoxesStatement, _ firstImages: Images, _ second: BoxesStatement,
        _ secondImages: Images
    ) {
        (self.first, self.second) = (first, second)
        (self.firstImages, self.secondImages) = (firstImages, secondImages)
    }

    /// Whether each sentence is true of its own images alone.
    private var isClear: Bool {
        func holds(_ statement: BoxesStatement, _ images: Images) -> Bool {
            statement.holds(left: images.left, right: images.right)
        }
        return holds(first, firstImages) && !holds(first, secondImages)
            && holds(second, secondImages) && !holds(second, firstImages)
    }

    /// One image differs between the pairs.
    private static func side(_ kind: Kind, _ random: inout SplitMix64) -> BoxesContrast? {
        let colours = colours(&random)
        guard let (contents, scenes) = contents(kind, colours, &random) else { return nil }
        let other = BoxesScene(colours: colours, &random)
        let side: BoxesStatement.Side = random.chance(0.5) ? .left : .right
        func images(_ scene: BoxesScene) -> Images {
            side == .left ? (scene, other) : (other, scene)
        }
        return BoxesContrast(
            .side(side, contents.0), images(scenes.0), .side(side, contents.1), images(scenes.1))
    }

    /// The same two images in both orders.
    private static func more(_ random: inout SplitMix64) -> BoxesContrast? {
        let colours = colours(&random)
        let (one, other) = (
            BoxesScene(colours: colours, &random), BoxesScene(colours: colours, &random)
        )
        let counted: BoxesStatement.Counted =
            random.chance(0.5)
            ? .colour(random.element(of: colours))
            : .shape(random.element(of: BoxesScene.Item.Shape.allCases))
        // Which image has more is told by this one kind, not by the number of shapes.
        guard one.items.count == other.items.count else { return nil }
        return BoxesContrast(
            .more(.left, counted), (one, other), .more(.right, counted), (other, one))
    }

    /// One image stays, and the other changes whether one image or both show something, or none.
    private static func onlyOne(_ random: inout SplitMix64) -> BoxesContrast? {
        let colours = colours(&random)
        let kind = random.element(of: [Kind.has, .together, .above, .leftOf])
        guard let (contents, scenes) = contents(kind, colours, &random) else { return nil }
        let content = contents.0
        let fixed = BoxesScene(colours: colours, &random)
        let isFirst = random.chance(0.5)
        func images(_ scene: BoxesScene) -> Images {
            isFirst ? (fixed, scene) : (scene, fixed)
        }
        // As many images show it as not, whichever of the two changes.
        let shows = random.chance(0.5)
        guard content.holds(in: fixed) == shows else { return nil }
        return shows
            ? BoxesContrast(
                .images(1, content), images(scenes.1), .images(2, content), images(scenes.0))
            : BoxesContrast(
                .images(1, content), images(scenes.0), .images(0, content), images(scenes.1))
    }

    private static func colours(_ random: inout SplitMix64) -> [WardrobeColour] {
        var colours = BoxesScene.Item.colours
        random.shuffle(&colours)
        return Array(colours.prefix(2 + random.integer(below: 2)))
    }
}

extension BoxesContrast {
    private typealias Contents = (BoxesStatement.Content, BoxesStatement.Content)

    /// Draws two scenes of the same shapes and colours, and what is true of each alone.
    private static func contents(
        _ kind: Kind, _ colours: [WardrobeColour], _ random: inout SplitMix64
    ) -> (Contents, (BoxesScene, BoxesScene))? {
        let scene = BoxesScene(colours: colours, &random)
        let items = scene.items
        let one = random.element(of: items)
        let other = random.element(of: items)
        guard one != other else { return nil }
        switch kind {
        case .has:
            let changed = scene.recoloured(&random)
            let second = random.element(of: changed.items)
            return ((.has(one), .has(second)), (scene, changed))
        case .number:
            let changed = scene.recoloured(&random)
            let numbers = [scene, changed].map { $0.items.count { $0 == one } }
            guard numbers.allSatisfy((1...4).contains) else { return nil }
            return ((.number(numbers[0], one), .number(numbers[1], one)), (scene, changed))
        case .boxes:
            let changed = scene.rearranged(&random)
            let numbers = [scene, changed].map { $0.boxes.count { $0.contains(one) } }
            guard numbers.allSatisfy((1...4).contains) else { return nil }
            return ((.boxes(numbers[0], one), .boxes(numbers[1], one)), (scene, changed))
        case .together:
            let third = random.element(of: items)
            guard third != one else { return nil }
            return (
                (.together(one, other), .together(one, third)), (scene, scene.rearranged(&random))
            )
        case .above, .leftOf:
            // Otherwise the exchange would change how many there are of each.
            guard items.count(where: { $0 == one }) == items.count(where: { $0 == other }) else {
                return nil
            }
            let isAbove = kind == .above
            let contents: Contents =
                isAbove
                ? (.above(one, other), .above(other, one))
                : (.leftOf(one, other), .leftOf(other, one))
            return (contents, (scene, scene.exchanging(one, other)))
        case .more, .onlyOne: return nil
        }
    }
}

extension BoxesScene {
    /// Returns the scene with the colours of its shapes shuffled.
    func recoloured(_ random: inout SplitMix64) -> BoxesScene {
        var colours = items.map(\.colour)
        random.shuffle(&colours)
        var scene = self
        var next = 0
        for box in boxes.indices {
            for place in boxes[box].indices where boxes[box][place] != nil {
                scene.boxes[box][place]?.colour = colours[next]
                next += 1
            }
        }
        return scene
    }

    /// Returns the scene with its shapes shuffled among the places that have one.
    func rearranged(_ random: inout SplitMix64) -> BoxesScene {
        var items = items
        random.shuffle(&items)
        var scene = self
        for box in boxes.indices {
            for place in boxes[box].indices where boxes[box][place] != nil {
                scene.boxes[box][place] = items.removeLast()
            }
        }
        return scene
    }

    /// Returns the scene with two kinds of shapes in each other's places.
    func exchanging(_ one: Item, _ other: Item) -> BoxesScene {
        var scene = self
        for box in boxes.indices {
            for place in boxes[box].indices {
                if boxes[box][place] == one { scene.boxes[box][place] = other }
                if boxes[box][place] == other { scene.boxes[box][place] = one }
            }
        }
        return scene
    }
}
