/// What SentencePiece does to a text before it looks for pieces.
///
/// Characters become others by rule, runs of spaces shrink to one and vanish at the ends, a space
/// comes in front of the first word, and every space becomes `▁` (U+2581).
struct SentencePieceNormalizer: Sendable {
    /// The rules for characters, if there are any.
    var map: CharacterMap?
    /// Whether a space comes in front of the first word, or behind the last.
    var addsSpace = true
    /// Whether the space that is added comes behind.
    var addsSpaceBehind = false
    /// Whether runs of spaces shrink.
    var shrinksSpaces = true
    /// Whether a space becomes `▁`.
    var marksSpaces = true
    /// Pieces that stay as they are; below root 0.
    var literals: TokenTrie?

    static let mark: [UInt8] = Array("\u{2581}".utf8)

    /// The changed text.
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

    /// What becomes of the characters at a place, and where they end.
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
