/// A sentence that is true or false of a scene.
enum SceneStatement: Sendable, Hashable {
    /// Somebody wears a top over trousers or a skirt.
    case someone(top: WardrobeColour, bottom: WardrobeScene.Bottom)
    /// One described person has a trait.
    case person(PersonDescription, PersonTrait)
    /// One described person is to the left of another.
    case order(PersonDescription, PersonDescription)
    /// The small thing is this one.
    case thing(WardrobeThing)
    /// There is exactly this number.
    case number(Counted, Int)

    /// What can be counted in a scene.
    enum Counted: String, Sendable, Hashable, CaseIterable {
        case people, hats, bags, skirts

        /// Returns the number in a scene.
        func number(in scene: WardrobeScene) -> Int {
            switch self {
            case .people: scene.people.count
            case .hats: scene.people.count { $0.hat != nil }
            case .bags: scene.people.count { $0.bag != nil }
            case .skirts: scene.people.count { $0.bottom.kind == .skirt }
            }
        }

        /// Returns the number with the noun: "two hats".
        func text(_ number: Int) -> String {
            let singular = self == .people ? "person" : String(rawValue.dropLast())
            return SceneText.numbers[number] + " " + (number == 1 ? singular : rawValue)
        }
    }

    /// Returns whether the statement is true; `nil` if one of its descriptions does not fit exactly
    /// one person.
    func value(in scene: WardrobeScene) -> Bool? {
        switch self {
        case .someone(let top, let bottom):
            return scene.people.contains { $0.top == top && $0.bottom == bottom }
        case .person(let description, let trait):
            return description.person(in: scene).map { trait.holds(of: $0, in: scene) }
        case .order(let left, let right):
            guard let left = left.person(in: scene), let right = right.person(in: scene),
                left != right
            else { return nil }
            return left < right
        case .thing(let thing): return scene.shows(thing)
        case .number(let counted, let number): return counted.number(in: scene) == number
        }
    }

    /// Whether it says that there is none.
    var isNegative: Bool {
        switch self {
        case .number(_, 0), .person(_, .carries(false)): true
        default: false
        }
    }

    /// The sentence, without a full stop.
    var text: String {
        switch self {
        case .someone(let top, let bottom):
            "someone is wearing \(Self.outfit(top, bottom))"
        case .person(let description, let trait): "\(description.text) \(trait.predicate)"
        case .order(let left, let right): "\(left.text) is left of \(right.text)"
        case .thing(let thing): "there is \(SceneText.article(thing.text(in: .english)))"
        case .number(let counted, let number):
            "there \(number == 1 ? "is" : "are") \(counted.text(number))"
        }
    }

    /// The question whether the statement is true.
    var question: String {
        switch self {
        case .someone(let top, let bottom): "is someone wearing \(Self.outfit(top, bottom))?"
        case .person(let description, let trait): trait.question(of: description.text)
        case .order(let left, let right): "is \(left.text) left of \(right.text)?"
        case .thing(let thing): "is there \(SceneText.article(thing.text(in: .english)))?"
        case .number(let counted, let number):
            "\(number == 1 ? "is" : "are") there \(counted.text(number))?"
        }
    }

    private static func outfit(_ top: WardrobeColour, _ bottom: WardrobeScene.Bottom) -> String {
        [PersonTrait.top(top), .bottom(bottom)].compactMap(\.worn).joined(separator: " and ")
    }
}
