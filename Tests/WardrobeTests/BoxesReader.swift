import Wardrobe

/// Reads sentences about boxes with shapes, and finds out whether they are true.
///
/// It shares no code with what writes them.
enum BoxesReader {
    private static let numbers: [Substring: Int] = ["one": 1, "two": 2, "three": 3, "four": 4]

    /// Returns whether a sentence about two images is true; nil if it is not understood.
    static func truth(_ sentence: String, left: BoxesScene, right: BoxesScene) -> Bool? {
        if let found = sentence.wholeMatch(
            of: /the (left|right) image has more (\w+)(?: (shapes))? than the (?:left|right)/)
        {
            let counts = [left, right].map { scene in
                scene.items.count { fits($0, found.3 == nil ? singular(found.2) : found.2) }
            }
            return found.1 == "left" ? counts[0] > counts[1] : counts[1] > counts[0]
        }
        if let found = sentence.wholeMatch(of: /(.+) in (only one|both|neither)/) {
            let values = [left, right].map { shows($0, found.1) }
            guard let one = values[0], let other = values[1] else { return nil }
            return switch found.2 {
            case "only one": one != other
            case "both": one && other
            default: !one && !other
            }
        }
        if let found = sentence.wholeMatch(of: /the (left|right) image has (.+)/) {
            let scene = found.1 == "left" ? left : right
            return shows(scene, "there is \(found.2)")
        }
        if let found = sentence.wholeMatch(of: /on the (left|right) (.+)/) {
            return shows(found.1 == "left" ? left : right, found.2)
        }
        return nil
    }

    /// Returns whether one image shows something.
    private static func shows(_ scene: BoxesScene, _ text: some StringProtocol) -> Bool? {
        let text = String(text)
        if let found = text.wholeMatch(of: /there (?:is|are) exactly (\w+) (\w+) (\w+)/) {
            let count = scene.items.count {
                fits($0, found.2) && fits($0, singular(found.3))
            }
            return count == numbers[found.1]
        }
        if let found = text.wholeMatch(of: /there is an? (\w+) (\w+)/) {
            return scene.items.contains { fits($0, found.1) && fits($0, found.2) }
        }
        if let found = text.wholeMatch(of: /exactly (\w+) box(?:es)? ha(?:s|ve) an? (\w+) (\w+)/) {
            let count = scene.boxes.count { box in
                box.contains { $0.map { fits($0, found.2) && fits($0, found.3) } ?? false }
            }
            return count == numbers[found.1]
        }
        let form = /a box has an? (\w+) (\w+) (and|above|left of) an? (\w+) (\w+)/
        guard let found = text.wholeMatch(of: form) else { return nil }
        return scene.boxes.contains { box in
            func places(_ colour: Substring, _ shape: Substring) -> [Int] {
                box.indices.filter { place in
                    box[place].map { fits($0, colour) && fits($0, shape) } ?? false
                }
            }
            let one = places(found.1, found.2)
            let other = places(found.4, found.5)
            return one.contains { first in
                other.contains { second in
                    switch found.3 {
                    case "above": first / 2 < second / 2
                    case "left of": first % 2 < second % 2
                    default: first != second || (found.1, found.2) == (found.4, found.5)
                    }
                }
            }
        }
    }

    private static func fits(_ item: BoxesScene.Item, _ word: some StringProtocol) -> Bool {
        item.shape.rawValue == word || item.colour.rawValue == word
    }

    private static func singular(_ word: Substring) -> Substring {
        word.dropLast(word.hasSuffix("s") ? 1 : 0)
    }
}
