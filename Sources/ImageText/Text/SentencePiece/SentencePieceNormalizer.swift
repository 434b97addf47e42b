/// SentencePiece's changes to a text before it searches for pieces.
///
/// It replaces characters by rules, collapses runs of spaces, removes spaces at the ends, prepends
/// a space to the first word, and turns every space into `▁` (U+2581).
struct SentencePieceNormalizer: Sendable {
    /// The rules for characters, if any.
    var map: CharacterMap?
    /// Whether a space is added before the first word or after the last one.
    var addsSpace = true
    /// Whether the added space follows the last word.
    var addsSpaceBehind = false
    /// Whether runs of spaces are collapsed.
    var shrinksSpaces = true
    /// Whether a space becomes `▁`.
    var marksSpaces = true
    /// The pieces that remain unchanged, below root 0.
    var literals: TokenTrie?

    static let mark: [UInt8] = Array("\u{2581}".utf8)

    /// Returns the changed text.
    func normalized(_ text: [UInt8]) -> [UInt8] {
        text.withUnsafeBufferPointer { bytes in
            var normalized: [UInt8] = []
            normalized.reserveCapacity(bytes.count + bytes.count / 2 + 8)
            var place = 0
            if shrinksSpaces {
                while place < bytes.count {
                    let next = prefix(bytes, place)
                    guard next.text.elementsEqual([0x20]) else { break }
                    place = next.end
                }
            }
            if place == bytes.count { return [] }
            let space: [UInt8] = marksSpaces ? Self.mark : [0x20]
            if addsSpace, !addsSpaceBehind { normalized.append(contentsOf: space) }
            var followsSpace = shrinksSpaces
            while place < bytes.count {
                let next = prefix(bytes, place)
                var text = next.text
                if followsSpace { text = text.drop { $0 == 0x20 } }
                for byte in text {
                    if byte == 0x20 {
                        normalized.append(contentsOf: space)
                    } else {
                        normalized.append(byte)
                    }
                }
                if let last = text.last { followsSpace = last == 0x20 }
                if !shrinksSpaces { followsSpace = false }
                place = next.end
            }
            if shrinksSpaces {
                while normalized.count >= space.count, normalized.suffix(space.count) == space[...]
                {
                    normalized.removeLast(space.count)
                }
            }
            if addsSpace, addsSpaceBehind { normalized.append(contentsOf: space) }
            return normalized
        }
    }

    /// Returns the replacement of the characters at a position, and their end.
    private func prefix(
        _ bytes: UnsafeBufferPointer<UInt8>, _ place: Int
    ) -> (text: ArraySlice<UInt8>, end: Int) {
        if let literals {
            var end = place
            literals.forEachMatch(in: bytes, from: place, root: 0) { end = $1 }
            if end > place { return (Array(bytes[place..<end])[...], end) }
        }
        if let rule = map?.longestRule(bytes, at: place) { return (rule.result, rule.end) }
        let end = place + UTF8Text.width(bytes[place])
        return (Array(bytes[place..<end])[...], end)
    }
}
