import Wardrobe

/// Reads sentences about a scene word by word, and finds out whether they are true.
///
/// It shares no code with what writes them: it knows the sentences alone, as a person would.
struct SceneReader {
    let scene: WardrobeScene

    private static let numbers: [Substring: Int] = [
        "no": 0, "one": 1, "two": 2, "three": 3, "four": 4,
    ]

    /// Returns whether a sentence is true; nil if it is not understood, or speaks of somebody who
    /// is not there or of whom there are several.
    func truth(_ sentence: some StringProtocol) -> Bool? {
        let text = String(sentence)
        if let found = text.wholeMatch(of: /someone is wearing (.+) and (.+)/) {
            return scene.people.contains { person in
                has(person, found.1) == true && has(person, found.2) == true
            }
        }
        if let found = text.wholeMatch(of: /there (?:is|are) (no|one|two|three|four) (\w+)/) {
            return count(of: found.2).map { $0 == Self.numbers[found.1] }
        }
        if let found = text.wholeMatch(of: /there is an? (\w+) toy (\w+)/) {
            return scene.props.contains {
                $0.kind.rawValue == found.2 && $0.colour?.rawValue == String(found.1)
            }
        }
        if let found = text.wholeMatch(of: /(the .+) is left of (the .+)/) {
            guard let one = person(found.1), let other = person(found.2) else { return nil }
            return scene.people[one].x < scene.people[other].x
        }
        if let found = text.wholeMatch(of: /(the .+) (?:is wearing|is|has) ((?:an? |no )?.+)/) {
            guard let subject = person(found.1) else { return nil }
            return has(scene.people[subject], found.2)
        }
        return nil
    }

    /// Returns the index of the one person that a phrase describes.
    func person(_ phrase: some StringProtocol) -> Int? {
        let fitting = people(phrase)
        return fitting.count == 1 ? fitting[0] : nil
    }

    /// Returns the indices of everybody whom a phrase describes.
    func people(_ phrase: some StringProtocol) -> [Int] {
        let form =
            /the (?:(\w+) )?person(?: in (.+?))?(?: with (.+?))?(?: on the (left|right))?/
        guard let found = String(phrase).wholeMatch(of: form) else { return [] }
        let things = [found.2, found.3].compactMap { $0 }.flatMap { list in
            list.split(separator: " and ")
        }
        let xs = scene.people.map(\.x)
        return scene.people.indices.filter { index in
            let person = scene.people[index]
            if let posture = found.1, person.posture.rawValue != posture { return false }
            switch found.4 {
            case "left": if person.x != xs.min() || xs.count < 2 { return false }
            case "right": if person.x != xs.max() || xs.count < 2 { return false }
            default: break
            }
            return things.allSatisfy { has(person, $0) == true }
        }
    }

    /// Returns whether a person has or does something: "a red top", "trousers", "sitting", "no bag".
    private func has(_ person: WardrobeScene.Person, _ phrase: Substring) -> Bool? {
        var words = phrase.split(separator: " ")
        if words.first == "no" { return words == ["no", "bag"] ? person.bag == nil : nil }
        if ["a", "an"].contains(words.first) { words.removeFirst() }
        let colour = words.count == 2 ? WardrobeColour(rawValue: String(words[0])) : nil
        guard let noun = words.last, words.count == (colour == nil ? 1 : 2) else { return nil }
        func fits(_ worn: WardrobeColour?) -> Bool { worn != nil && (colour ?? worn) == worn }
        switch noun {
        case "top": return fits(person.top)
        case "trousers", "skirt":
            return person.bottom.kind.rawValue == noun && fits(person.bottom.colour)
        case "hat": return fits(person.hat)
        case "bag": return fits(person.bag)
        default:
            return WardrobeScene.Posture(rawValue: String(noun)).map { $0 == person.posture }
        }
    }

    private func count(of noun: Substring) -> Int? {
        switch noun {
        case "person", "people": scene.people.count
        case "hat", "hats": scene.people.count { $0.hat != nil }
        case "bag", "bags": scene.people.count { $0.bag != nil }
        case "skirt", "skirts": scene.people.count { $0.bottom.kind == .skirt }
        default: nil
        }
    }
}

// MARK: Questions

extension SceneReader {
    /// Returns the answer to a question; nil if it is not understood or has none.
    func answer(_ question: String) -> String? {
        if let found = question.wholeMatch(of: /how many (\w+) are there\?/) {
            return count(of: found.1).map { ["none", "one", "two", "three", "four"][$0] }
        }
        if let found = question.wholeMatch(of: /what colour (?:is|are) the (\w+) of (the .+)\?/) {
            guard let index = person(found.2) else { return nil }
            let person = scene.people[index]
            switch found.1 {
            case "top": return person.top.rawValue
            case "hat": return person.hat?.rawValue
            case "bag": return person.bag?.rawValue
            default:
                return person.bottom.kind.rawValue == found.1 ? person.bottom.colour.rawValue : nil
            }
        }
        if let found = question.wholeMatch(of: /what colour is the toy (\w+)\?/) {
            return scene.props.first { $0.kind.rawValue == found.1 }?.colour?.rawValue
        }
        if question == "which toy is there?" {
            return scene.props.first { $0.colour != nil }?.kind.rawValue
        }
        if let found = question.wholeMatch(of: /what is (the .+) doing\?/) {
            return person(found.1).map { scene.people[$0].posture.rawValue }
        }
        if let found = question.wholeMatch(of: /is (the .+) wearing trousers or a skirt\?/) {
            return person(found.1).map { scene.people[$0].bottom.kind.rawValue }
        }
        if let found = question.wholeMatch(of: /what does (the .+) carry\?/) {
            return person(found.1).map { scene.people[$0].bag == nil ? "nothing" : "bag" }
        }
        return statement(asked: question).flatMap { truth($0) }.map { $0 ? "yes" : "no" }
    }

    /// Turns a question into the sentence that it asks about.
    private func statement(asked question: String) -> String? {
        if let found = question.wholeMatch(of: /(is|are) there (.+)\?/) {
            return "there \(found.1) \(found.2)"
        }
        if let found = question.wholeMatch(of: /is someone (.+)\?/) {
            return "someone is \(found.1)"
        }
        if let found = question.wholeMatch(of: /does (the .+) have (.+)\?/) {
            return "\(found.1) has \(found.2)"
        }
        if let found = question.wholeMatch(of: /is (the .+?) (left of the .+|wearing .+|\w+)\?/) {
            return "\(found.1) is \(found.2)"
        }
        return nil
    }
}

/// Reads sentences about two images.
enum PairReader {
    /// Returns whether a sentence about two scenes is true; nil if it is not understood.
    static func truth(_ sentence: String, left: WardrobeScene, right: WardrobeScene) -> Bool? {
        if let found = sentence.wholeMatch(of: /the (left|right) image has more (\w+) than the \w+/)
        {
            let numbers = [left, right].map { scene in
                (0...4).first { number in
                    let words = ["no", "one", "two", "three", "four"]
                    return SceneReader(scene: scene)
                        .truth("there are \(words[number]) \(found.2)") == true
                }
            }
            guard let one = numbers[0], let other = numbers[1] else { return nil }
            return found.1 == "left" ? one > other : other > one
        }
        let form = /(.+) in (the left|the right|only one|both|neither) images?/
        guard let found = sentence.wholeMatch(of: form) else { return nil }
        let values = [left, right].map { SceneReader(scene: $0).truth(found.1) }
        switch found.2 {
        case "the left": return values[0]
        case "the right": return values[1]
        default:
            guard let one = values[0], let other = values[1] else { return nil }
            return switch found.2 {
            case "only one": one != other
            case "both": one && other
            default: !one && !other
            }
        }
    }
}
