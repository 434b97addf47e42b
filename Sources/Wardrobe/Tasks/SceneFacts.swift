import ImageText

/// What is stated of the two scenes of a ``SceneContrast``, and how it is made true of them.
struct SceneFacts: Sendable {
    let kind: SceneContrast.Kind
    /// Two colours, postures, things or numbers that the two scenes exchange.
    private let colours: (WardrobeColour, WardrobeColour)
    private let postures: (WardrobeScene.Posture, WardrobeScene.Posture)
    private let things: (WardrobeScene.Prop.Kind, WardrobeScene.Prop.Kind)
    private let numbers: (Int, Int)
    /// What names the person that the statements are about.
    private let subject: PersonTrait
    private let palette: [WardrobeColour]

    /// Draws three or four colours.
    static func palette(_ random: inout SplitMix64) -> [WardrobeColour] {
        var colours = WardrobeColour.allCases
        random.shuffle(&colours)
        return Array(colours.prefix(3 + random.integer(below: 2)))
    }

    init(
        _ kind: SceneContrast.Kind, _ palette: [WardrobeColour], _ random: inout SplitMix64
    ) {
        self.kind = kind
        self.palette = palette
        func two<Element>(_ all: [Element], _ random: inout SplitMix64) -> (Element, Element) {
            var all = all
            random.shuffle(&all)
            return (all[0], all[1])
        }
        colours = two(palette, &random)
        postures = two(WardrobeScene.Posture.allCases, &random)
        things = two(WardrobeScene.Prop.Kind.small, &random)
        numbers = two(Array(kind == .people ? 1...4 : 0...3), &random)
        subject = Self.subject(of: kind, palette, &random)
    }

    /// Draws what names the person, other than what is stated.
    private static func subject(
        of kind: SceneContrast.Kind, _ palette: [WardrobeColour], _ random: inout SplitMix64
    ) -> PersonTrait {
        let bottom = WardrobeScene.Bottom(
            kind: random.chance(0.25) ? .skirt : .trousers, colour: random.element(of: palette))
        var traits: [PersonTrait] = [.left, .right]
        if kind != .tops { traits += [.top(random.element(of: palette))] }
        if kind != .bottoms, kind != .garments { traits += [.bottom(bottom)] }
        if kind != .postures {
            traits += [.posture(random.element(of: WardrobeScene.Posture.allCases))]
        }
        return random.element(of: traits)
    }

    /// How many people the scenes are made from.
    var people: ClosedRange<Int> {
        let most = max(numbers.0, numbers.1)
        return switch kind {
        case .outfit, .kindOfThing, .colourOfThing: 1...4
        case .people: most...most
        case .hatCount, .bagCount, .skirtCount: max(most, 1)...4
        default: 2...4
        }
    }

    /// The statements of both scenes, and a question that distinguishes them.
    var statements: (SceneStatement, SceneStatement, SceneQuestion) {
        let who = PersonDescription(subject)
        func about(
            _ first: PersonTrait, _ second: PersonTrait, _ question: SceneQuestion
        ) -> (SceneStatement, SceneStatement, SceneQuestion) {
            (.person(who, first), .person(who, second), question)
        }
        func counts(
            _ counted: SceneStatement.Counted
        ) -> (SceneStatement, SceneStatement, SceneQuestion) {
            (.number(counted, numbers.0), .number(counted, numbers.1), .number(counted))
        }
        let (one, other) = colours
        switch kind {
        case .outfit:
            let first = SceneStatement.someone(
                top: one, bottom: .init(kind: .trousers, colour: other))
            let second = SceneStatement.someone(
                top: other, bottom: .init(kind: .trousers, colour: one))
            return (first, second, .whether(first))
        case .tops: return about(.top(one), .top(other), .colour(.top, who))
        case .bottoms:
            return about(
                .bottom(.init(kind: .trousers, colour: one)),
                .bottom(.init(kind: .trousers, colour: other)), .colour(.bottom, who))
        case .garments: return about(.garment(.trousers), .garment(.skirt), .garment(who))
        case .hats: return about(.hat(one), .hat(other), .colour(.hat, who))
        case .bags: return about(.bag(one), .bag(other), .colour(.bag, who))
        case .carried: return about(.carries(true), .carries(false), .carried(who))
        case .postures:
            return about(.posture(postures.0), .posture(postures.1), .doing(who))
        case .order:
            let (left, right) = (PersonDescription(.top(one)), PersonDescription(.top(other)))
            let first = SceneStatement.order(left, right)
            return (first, .order(right, left), .whether(first))
        case .colourOfThing:
            return (
                .thing(.init(kind: things.0, colour: one)),
                .thing(.init(kind: things.0, colour: other)), .colourOfThing(things.0)
            )
        case .kindOfThing:
            return (
                .thing(.init(kind: things.0, colour: one)),
                .thing(.init(kind: things.1, colour: one)), .kindOfThing
            )
        case .people: return counts(.people)
        case .hatCount: return counts(.hats)
        case .bagCount: return counts(.bags)
        case .skirtCount: return counts(.skirts)
        }
    }
}

extension SceneFacts {
    /// Makes the facts true of a scene in two ways; whether they are clear, the caller checks.
    ///
    /// - Returns: `nil` if the scene lacks what is needed.
    func applied(
        to scene: WardrobeScene, _ random: inout SplitMix64
    ) -> SceneContrast.Scenes? {
        var order = Array(scene.people.indices)
        random.shuffle(&order)
        switch subject {
        case .left: order.swapAt(0, order.firstIndex(of: 0) ?? 0)
        case .right: order.swapAt(0, order.firstIndex(of: scene.people.count - 1) ?? 0)
        default: break
        }
        var base = scene
        if needsSubject { impose(subject, on: order[0], &base) }
        var scenes = SceneContrast.Scenes(first: base, second: base)
        if let counted {
            for index in base.people.indices {
                // Everybody has one, of which some are taken away.
                let (hat, bag) = (random.element(of: palette), random.element(of: palette))
                if counted == .hats { impose(.hat(hat), on: index, &base) }
                if counted == .bags { impose(.bag(bag), on: index, &base) }
            }
            return SceneContrast.Scenes(
                first: reduced(base, counted, to: order.prefix(numbers.0)),
                second: reduced(base, counted, to: order.prefix(numbers.1)))
        }
        guard let pair = traits(in: base) else { return nil }
        switch kind {
        case .outfit:
            impose(pair.0, on: order[0], &scenes.first)
            impose(pair.1, on: order[0], &scenes.second)
            let (one, other) = colours
            impose(.bottom(.init(kind: .trousers, colour: other)), on: order[0], &scenes.first)
            impose(.bottom(.init(kind: .trousers, colour: one)), on: order[0], &scenes.second)
        case .colourOfThing, .kindOfThing:
            guard let place = base.smallPlace else { return nil }
            let (one, other) = colours
            scenes.first.props[place].kind = things.0
            scenes.second.props[place].kind = kind == .kindOfThing ? things.1 : things.0
            scenes.first.props[place].colour = one
            scenes.second.props[place].colour = kind == .kindOfThing ? one : other
            if kind == .colourOfThing {
                impose(.top(other), on: order[0], &scenes.first)
                impose(.top(one), on: order[0], &scenes.second)
            }
        default:
            guard order.count > 1 else { return nil }
            for (index, trait) in zip(order, [pair.0, pair.1]) {
                impose(trait, on: index, &scenes.first)
            }
            for (index, trait) in zip(order, [pair.1, pair.0]) {
                impose(trait, on: index, &scenes.second)
            }
            if kind == .order {
                // The same two people in exchanged places, and not in exchanged clothes.
                scenes.second = exchanged(order[0], order[1], in: scenes.first)
                if order[0] > order[1] { swap(&scenes.first, &scenes.second) }
            }
        }
        return scenes
    }

    /// Whether the statements name a person by ``subject``.
    private var needsSubject: Bool {
        switch kind {
        case .tops, .bottoms, .garments, .hats, .bags, .carried, .postures: true
        default: false
        }
    }

    private var counted: SceneStatement.Counted? {
        switch kind {
        case .people: .people
        case .hatCount: .hats
        case .bagCount: .bags
        case .skirtCount: .skirts
        default: nil
        }
    }

    /// The traits that two people exchange; for an outfit those of one person.
    private func traits(in scene: WardrobeScene) -> (PersonTrait, PersonTrait)? {
        let (one, other) = colours
        return switch kind {
        case .outfit, .tops, .order, .colourOfThing, .kindOfThing: (.top(one), .top(other))
        case .bottoms:
            (
                .bottom(.init(kind: .trousers, colour: one)),
                .bottom(.init(kind: .trousers, colour: other))
            )
        case .garments: (.garment(.trousers), .garment(.skirt))
        case .hats: (.hat(one), .hat(other))
        case .bags: (.bag(one), .bag(other))
        case .carried: (.carries(true), .carries(false))
        case .postures: (.posture(postures.0), .posture(postures.1))
        default: nil
        }
    }

    /// Gives a person a trait; places are not changed.
    private func impose(_ trait: PersonTrait, on index: Int, _ scene: inout WardrobeScene) {
        var person = scene.people[index]
        switch trait {
        case .top(let colour): person.top = colour
        case .bottom(let bottom): person.bottom = bottom
        case .garment(let kind): person.bottom.kind = kind
        case .hat(let colour): person.hat = colour
        case .bag(let colour): person.bag = colour
        case .carries(let carries): person.bag = carries ? person.bag ?? colours.0 : nil
        case .posture(let posture): person.posture = posture
        case .left, .right: break
        }
        scene.people[index] = person
    }

    /// Returns the scene with two people in each other's places.
    private func exchanged(_ one: Int, _ other: Int, in scene: WardrobeScene) -> WardrobeScene {
        var scene = scene
        let (here, there) = (scene.people[one], scene.people[other])
        (scene.people[one].x, scene.people[one].y) = (there.x, there.y)
        (scene.people[other].x, scene.people[other].y) = (here.x, here.y)
        scene.people.swapAt(one, other)
        return scene
    }

    /// Returns the scene in which only the chosen are there, or have a hat, a bag or a skirt.
    private func reduced(
        _ scene: WardrobeScene, _ counted: SceneStatement.Counted, to chosen: ArraySlice<Int>
    ) -> WardrobeScene {
        var scene = scene
        for index in scene.people.indices {
            let has = chosen.contains(index)
            switch counted {
            case .people: break
            case .hats: if !has { scene.people[index].hat = nil }
            case .bags: if !has { scene.people[index].bag = nil }
            case .skirts: scene.people[index].bottom.kind = has ? .skirt : .trousers
            }
        }
        if counted == .people {
            scene.people = scene.people.indices.filter(chosen.contains).map { scene.people[$0] }
        }
        return scene
    }
}
