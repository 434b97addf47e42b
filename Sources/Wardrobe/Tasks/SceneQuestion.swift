/// A question about a scene, and how its answer is found.
enum SceneQuestion: Sendable, Hashable {
    /// Yes or no.
    case whether(SceneStatement)
    case colour(Part, PersonDescription)
    case colourOfThing(WardrobeScene.Prop.Kind)
    case kindOfThing
    case doing(PersonDescription)
    case garment(PersonDescription)
    case carried(PersonDescription)
    case number(SceneStatement.Counted)

    /// What of a person has a colour.
    enum Part: String, Sendable, Hashable, CaseIterable {
        case top, bottom, hat, bag
    }

    /// The name of the kind, by which results can be grouped.
    var kind: String {
        switch self {
        case .whether: "yes or no"
        case .colour(let part, _):
            "colour of the \(part == .bottom ? "lower garment" : part.rawValue)"
        case .colourOfThing: "colour of the toy"
        case .kindOfThing: "which toy"
        case .doing: "posture"
        case .garment: "garment"
        case .carried: "carried"
        case .number(let counted): "number of \(counted.rawValue)"
        }
    }

    /// The question; `nil` if it presupposes what the scene lacks.
    func text(in scene: WardrobeScene) -> String? {
        switch self {
        case .whether(let statement): return statement.question
        case .colour(.bottom, let description):
            guard let person = description.person(in: scene) else { return nil }
            return scene.people[person].bottom.kind == .skirt
                ? "what colour is the skirt of \(description.text)?"
                : "what colour are the trousers of \(description.text)?"
        case .colour(let part, let description):
            return "what colour is the \(part.rawValue) of \(description.text)?"
        case .colourOfThing(let kind):
            return "what colour is the \(kind.name(in: .english))?"
        case .kindOfThing: return "which toy is there?"
        case .doing(let description): return "what is \(description.text) doing?"
        case .garment(let description):
            return "is \(description.text) wearing trousers or a skirt?"
        case .carried(let description): return "what does \(description.text) carry?"
        case .number(let counted): return "how many \(counted.rawValue) are there?"
        }
    }

    /// The answer; `nil` if the scene has none.
    func answer(in scene: WardrobeScene) -> String? {
        func person(_ description: PersonDescription) -> WardrobeScene.Person? {
            description.person(in: scene).map { scene.people[$0] }
        }
        switch self {
        case .whether(let statement):
            return statement.value(in: scene).map { $0 ? "yes" : "no" }
        case .colour(let part, let description):
            return person(description).flatMap { person in
                switch part {
                case .top: person.top
                case .bottom: person.bottom.colour
                case .hat: person.hat
                case .bag: person.bag
                }
            }?.rawValue
        case .colourOfThing(let kind):
            return scene.smallProp.flatMap { $0.kind == kind ? $0.colour : nil }?.rawValue
        case .kindOfThing: return scene.smallProp?.kind.rawValue
        case .doing(let description): return person(description)?.posture.rawValue
        case .garment(let description): return person(description)?.bottom.kind.rawValue
        case .carried(let description):
            return person(description).map { $0.bag == nil ? "nothing" : "bag" }
        case .number(let counted): return SceneText.answer(counted.number(in: scene))
        }
    }

    /// All answers that any question has.
    static let answers: [String] =
        ["yes", "no"] + WardrobeColour.allCases.map(\.rawValue)
        + WardrobeScene.Prop.Kind.small.map(\.rawValue)
        + WardrobeScene.Posture.allCases.map(\.rawValue)
        + WardrobeScene.Bottom.Kind.allCases.map(\.rawValue) + ["bag", "nothing"]
        + (0...4).map(SceneText.answer)
}
