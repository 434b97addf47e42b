/// What a sentence says about one person.
enum PersonTrait: Sendable, Hashable {
    case top(WardrobeColour)
    case bottom(WardrobeScene.Bottom)
    /// Trousers or a skirt, in any colour.
    case garment(WardrobeScene.Bottom.Kind)
    case hat(WardrobeColour)
    case bag(WardrobeColour)
    /// Whether there is a bag at all.
    case carries(Bool)
    case posture(WardrobeScene.Posture)
    /// The first or the last of at least two people, from left to right.
    case left, right

    /// Returns whether a person has the trait.
    func holds(of index: Int, in scene: WardrobeScene) -> Bool {
        let person = scene.people[index]
        return switch self {
        case .top(let colour): person.top == colour
        case .bottom(let bottom): person.bottom == bottom
        case .garment(let kind): person.bottom.kind == kind
        case .hat(let colour): person.hat == colour
        case .bag(let colour): person.bag == colour
        case .carries(let carries): (person.bag != nil) == carries
        case .posture(let posture): person.posture == posture
        case .left: scene.people.count > 1 && index == 0
        case .right: scene.people.count > 1 && index == scene.people.count - 1
        }
    }

    /// What follows "the person" in a sentence: "is wearing a red top".
    var predicate: String {
        let (verb, rest) = verbAndRest
        return "\(verb) \(rest)"
    }

    /// Returns the question whether somebody has the trait: "is he wearing a red top?".
    func question(of subject: String) -> String {
        let (verb, rest) = verbAndRest
        return verb == "has" ? "does \(subject) have \(rest)?" : "\(verb) \(subject) \(rest)?"
    }

    private var verbAndRest: (verb: String, rest: String) {
        switch self {
        case .top, .bottom, .garment: ("is", "wearing \(worn ?? "")")
        case .hat: ("is", "wearing \(carried ?? "")")
        case .bag: ("has", carried ?? "")
        case .carries(let carries): ("has", carries ? "a bag" : "no bag")
        case .posture(let posture): ("is", posture.rawValue)
        case .left: ("is", "on the left")
        case .right: ("is", "on the right")
        }
    }

    /// The garment with its article, which follows "in"; `nil` for other traits.
    var worn: String? {
        switch self {
        case .top(let colour): SceneText.article(colour.rawValue) + " top"
        case .bottom(let bottom):
            bottom.kind == .skirt
                ? SceneText.article(bottom.colour.rawValue) + " skirt"
                : bottom.colour.rawValue + " trousers"
        case .garment(let kind): kind == .skirt ? "a skirt" : "trousers"
        default: nil
        }
    }

    /// The hat or bag with its article, which follows "with"; `nil` for other traits.
    var carried: String? {
        switch self {
        case .hat(let colour): SceneText.article(colour.rawValue) + " hat"
        case .bag(let colour): SceneText.article(colour.rawValue) + " bag"
        default: nil
        }
    }
}

/// Words that several kinds of sentences share.
enum SceneText {
    /// Returns a name with its indefinite article.
    static func article(_ name: String) -> String {
        (name.hasPrefix("o") ? "an " : "a ") + name
    }

    /// The names of numbers, from none to four.
    static let numbers = ["no", "one", "two", "three", "four"]

    /// Returns a number as an answer: "none", "one" and so on.
    static func answer(_ number: Int) -> String { number == 0 ? "none" : numbers[number] }
}

/// A noun phrase for one person: "the sitting person in a red top and blue trousers".
struct PersonDescription: Sendable, Hashable {
    let traits: [PersonTrait]

    init(_ traits: PersonTrait...) { self.traits = traits }
    init(_ traits: [PersonTrait]) { self.traits = traits }

    /// Returns the index of the only person who has all traits; `nil` if there is none, or several.
    func person(in scene: WardrobeScene) -> Int? {
        let fitting = scene.people.indices.filter { index in
            traits.allSatisfy { $0.holds(of: index, in: scene) }
        }
        return fitting.count == 1 ? fitting[0] : nil
    }

    /// The phrase; all of its words are in the captions, too.
    var text: String {
        var words = ["the"]
        for case .posture(let posture) in traits { words.append(posture.rawValue) }
        words.append("person")
        let worn = traits.compactMap(\.worn)
        if !worn.isEmpty { words.append("in " + worn.joined(separator: " and ")) }
        let carried = traits.compactMap(\.carried)
        if !carried.isEmpty { words.append("with " + carried.joined(separator: " and ")) }
        for case .left in traits { words.append("on the left") }
        for case .right in traits { words.append("on the right") }
        return words.joined(separator: " ")
    }
}
