import ImageText

/// Captions of scenes, whole and in part, in several phrasings.
enum WardrobeCaptions {
    /// Returns captions of a whole scene, of some parts, and of the small thing alone.
    ///
    /// A caption of one outfit fits several scenes of a batch, which objectives then treat as wrong
    /// pairs. A caption of the whole scene rarely does, and training needs enough of these.
    ///
    /// - Parameters:
    ///   - scene: the scene.
    ///   - language: the language of the captions.
    ///   - isBrief: whether to list outfits twice and the small thing three times, so that training
    ///     draws them more often.
    ///   - random: the source of random numbers, which selects contents and phrasing.
    static func captions(
        of scene: WardrobeScene, in language: WardrobeLanguage, isBrief: Bool = false,
        _ random: inout SplitMix64
    ) -> [String] {
        var captions = peopleCaptions(of: scene, in: language, &random)
        if let thing = scene.smallProp, let name = name(thing, language) {
            // Without an article, as in queries: an article would shift every word by one position.
            captions += Array(repeating: name, count: isBrief ? 3 : 1)
        }
        if isBrief { captions += scene.people.map { outfit($0, language) } }
        return captions
    }

    private static func peopleCaptions(
        of scene: WardrobeScene, in language: WardrobeLanguage, _ random: inout SplitMix64
    ) -> [String] {
        let people = scene.people
        guard people.count > 1 else {
            return [whole(scene, language), outfit(people[0], language)]
        }
        var captions = [
            whole(scene, language),
            people.count == 2
                ? sides(people[0], people[1], language)
                : whole(scene, language, joinedBy: beside(language)),
        ]
        // All outfits, so that every image that a caption fits is known to have it.
        captions += people.map { outfit($0, language) }
        let other = random.integer(below: 3)
        if let thing = scene.smallProp, other > 0 {
            let others = scene.props.filter { $0.colour == nil }.map { $0.kind.name(in: language) }
            let neighbour =
                others.isEmpty || random.chance(0.5)
                ? outfit(random.element(of: people), language) : random.element(of: others)
            captions.append(small(thing, beside: other == 1 ? neighbour : nil, language))
        } else if other == 0 {
            let left = random.integer(below: people.count - 1)
            captions.append(pair(people[left], people[left + 1], language, &random))
        } else {
            captions.append(person(random.element(of: people), language, &random))
        }
        return captions
    }

    /// Returns the query of `all`: up to three outfits from left to right, to limit the length, and
    /// other details if there is room.
    static func whole(
        _ scene: WardrobeScene, _ language: WardrobeLanguage, joinedBy separator: String? = nil
    ) -> String {
        var parts = scene.people.prefix(3).map { person in
            outfit(person, language) + (scene.people.count == 1 ? extras(of: person, language) : "")
        }
        if scene.people.count < 3, let thing = scene.smallProp, let name = name(thing, language) {
            parts.append(name)
        }
        return parts.joined(separator: separator ?? (language == .english ? ", " : "，"))
    }

    private static func beside(_ language: WardrobeLanguage) -> String {
        language == .english ? " next to " : "旁边"
    }

    /// Returns an outfit as a query for it reads.
    static func outfit(_ person: WardrobeScene.Person, _ language: WardrobeLanguage) -> String {
        outfit(person.top, person.bottom, language)
    }

    fileprivate static func outfit(
        _ top: WardrobeColour, _ bottom: WardrobeScene.Bottom, _ language: WardrobeLanguage
    ) -> String {
        let (over, below) = (name(ofTop: top, language), name(bottom, language))
        return language == .english ? "\(over) and \(below)" : over + below
    }

    // MARK: People

    private static func person(
        _ person: WardrobeScene.Person, _ language: WardrobeLanguage, _ random: inout SplitMix64
    ) -> String {
        let (top, bottom) = (name(ofTop: person.top, language), name(person.bottom, language))
        let extras = random.chance(0.75) ? self.extras(of: person, language) : ""
        let posture = random.chance(0.3) ? self.posture(person.posture, language) : ""
        let form = random.integer(below: 4)
        switch language {
        case .english:
            let below = person.bottom.kind == .skirt ? article(bottom) : bottom
            return switch form {
            case 0: "a person\(posture) in \(article(top)) and \(below)\(extras)"
            case 1: "someone\(posture) wearing \(below) and \(article(top))\(extras)"
            case 2: "\(top) and \(bottom)\(extras)"
            default: "\(bottom) with \(article(top))\(extras)"
            }
        case .chinese:
            return switch form {
            case 0: "\(posture)穿\(top)和\(bottom)的人\(extras)"
            case 1: "一个人\(posture)穿\(bottom)和\(top)\(extras)"
            case 2: "\(top)\(bottom)\(extras)"
            default: "\(bottom)配\(top)\(extras)"
            }
        }
    }

    private static func pair(
        _ left: WardrobeScene.Person, _ right: WardrobeScene.Person, _ language: WardrobeLanguage,
        _ random: inout SplitMix64
    ) -> String {
        if random.chance(0.5) { return sides(left, right, language) }
        let (first, second) = (outfit(left, language), outfit(right, language))
        return language == .english
            ? "\(second) next to \(first)" : "\(second)旁边是\(first)"
    }

    /// Returns a caption that names the sides of two neighbours.
    static func sides(
        _ left: WardrobeScene.Person, _ right: WardrobeScene.Person, _ language: WardrobeLanguage
    ) -> String {
        let (first, second) = (outfit(left, language), outfit(right, language))
        return language == .english
            ? "\(first) on the left, \(second) on the right" : "左边\(first)，右边\(second)"
    }

    private static func extras(
        of person: WardrobeScene.Person, _ language: WardrobeLanguage
    ) -> String {
        let names = [
            person.hat.map { name(ofHat: $0, language) },
            person.bag.map { name(ofBag: $0, language) },
        ].compactMap { $0 }
        return names.map { language == .english ? ", \(article($0))" : "，\($0)" }.joined()
    }

    // MARK: Names

    /// Returns a name with the indefinite article.
    private static func article(_ name: String) -> String {
        (name.hasPrefix("orange") ? "an " : "a ") + name
    }

    private static func name(ofTop colour: WardrobeColour, _ language: WardrobeLanguage) -> String {
        colour.name(in: language) + (language == .english ? " top" : "上衣")
    }

    private static func name(_ bottom: WardrobeScene.Bottom, _ language: WardrobeLanguage) -> String
    {
        let garment =
            switch (language, bottom.kind) {
            case (.english, .trousers): " trousers"
            case (.english, .skirt): " skirt"
            case (.chinese, .trousers): "裤子"
            case (.chinese, .skirt): "裙子"
            }
        return bottom.colour.name(in: language) + garment
    }

    private static func name(ofHat colour: WardrobeColour, _ language: WardrobeLanguage) -> String {
        colour.name(in: language) + (language == .english ? " hat" : "帽子")
    }

    private static func name(ofBag colour: WardrobeColour, _ language: WardrobeLanguage) -> String {
        colour.name(in: language) + (language == .english ? " bag" : "包")
    }

    private static func posture(
        _ posture: WardrobeScene.Posture, _ language: WardrobeLanguage
    ) -> String {
        if language == .english { return " \(posture.rawValue)" }
        return switch posture {
        case .standing: "站着"
        case .walking: "走着"
        case .waving: "挥手"
        case .sitting: "坐着"
        }
    }

    private static func name(
        _ prop: WardrobeScene.Prop, _ language: WardrobeLanguage
    ) -> String? {
        prop.colour.map { WardrobeThing(kind: prop.kind, colour: $0).text(in: language) }
    }

    private static func small(
        _ thing: WardrobeScene.Prop, beside other: String?, _ language: WardrobeLanguage
    ) -> String {
        let name = name(thing, language) ?? ""
        switch language {
        case .english: return article(name) + (other.map { ", \(article($0))" } ?? "")
        case .chinese: return name + (other.map { "，\($0)" } ?? "")
        }
    }
}

extension WardrobeScene.Prop.Kind {
    /// Returns the name of the thing.
    func name(in language: WardrobeLanguage) -> String {
        switch (language, self) {
        case (.english, .ball): "toy ball"
        case (.english, .cup): "toy cup"
        case (.english, .duck): "toy duck"
        case (.english, .car): "toy car"
        case (.english, .screen), (.english, .keyboard), (.english, .plant), (.english, .lamp):
            rawValue
        case (.chinese, .ball): "小球"
        case (.chinese, .cup): "小杯子"
        case (.chinese, .duck): "玩具鸭"
        case (.chinese, .car): "玩具车"
        case (.chinese, .screen): "屏幕"
        case (.chinese, .keyboard): "键盘"
        case (.chinese, .plant): "植物"
        case (.chinese, .lamp): "台灯"
        }
    }
}

extension WardrobeOutfit {
    /// Returns the query for the outfit: "black top and white trousers", 『黑色上衣白色裤子』.
    public func text(in language: WardrobeLanguage) -> String {
        WardrobeCaptions.outfit(top, .init(kind: .trousers, colour: trousers), language)
    }
}

extension WardrobeThing {
    /// Returns the query for the thing: "yellow toy duck", 『黄色玩具鸭』.
    public func text(in language: WardrobeLanguage) -> String {
        let (adjective, noun) = (colour.name(in: language), kind.name(in: language))
        return language == .english ? "\(adjective) \(noun)" : adjective + noun
    }
}
