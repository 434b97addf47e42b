/// A rule that cuts a text into the pieces that a model spells separately.
///
/// The rules are the pre-tokenizers of `tokenizer.json`, and cut as the `tokenizers` library does.
enum PieceSplitter: Sendable, Hashable {
    /// The treatment of a separator.
    enum Separator: Sendable, Hashable {
        case removed, isolated, joinsPrevious, joinsNext, contiguous
    }

    /// Cuts by CLIP's pattern: contractions, runs of letters, single digits, runs of any other
    /// characters except white space. `folds` also matches contractions with a long s (ſ), as
    /// Python's case-insensitive pattern does.
    case clip(folds: Bool)
    /// Cuts by GPT-2's pattern: as CLIP's, but with runs of digits, and with words that include the
    /// space before them.
    case gpt2
    /// Cuts at white space and removes it.
    case whiteSpace
    /// Cuts at a literal text.
    case literal(String, Separator)
    /// Cuts at punctuation (ASCII symbols and the categories P).
    case punctuation(Separator)
    /// Cuts off digits, each separately or in runs.
    case digits(individually: Bool)
    /// Replaces spaces by `mark`, prepends one, and cuts before every mark.
    case metaspace(mark: String, prepends: Prepending, splits: Bool)

    /// Prepends a space to a piece that does not begin with one.
    case spaceBefore

    /// The condition for prepending a mark to a text that does not begin with it.
    enum Prepending: Sendable, Hashable {
        /// `first` means only at the start of the whole text.
        case always, first, never
    }

    /// Cuts each piece into smaller ones.
    ///
    /// - Parameters:
    ///   - piece: Valid UTF-8.
    ///   - isFirst: Whether the piece begins the text.
    func split(_ piece: ArraySlice<UInt8>, isFirst: Bool) -> [ArraySlice<UInt8>] {
        switch self {
        case .clip(let folds): Self.matches(piece) { Self.clipEnd($0, $1, folds: folds) }
        case .gpt2: Self.matches(piece) { Self.gpt2End($0, $1) }
        case .whiteSpace:
            Self.cut(piece, .removed) { bytes, place in
                Self.width(bytes, place) { ScalarClass.of($0) == .space }
            }
        case .literal(let text, let separator):
            Self.cut(piece, separator) { bytes, place in
                let rest = bytes[place...]
                return rest.starts(with: text.utf8) ? text.utf8.count : 0
            }
        case .punctuation(let separator):
            Self.cut(piece, separator) { bytes, place in
                Self.width(bytes, place) { BertCharacter.of($0) == .punctuation }
            }
        case .digits(let individually):
            Self.cut(piece, individually ? .isolated : .contiguous) { bytes, place in
                Self.width(bytes, place) { ScalarClass.of($0) == .number }
            }
        case .metaspace(let mark, let prepends, let splits):
            Self.metaspace(piece, mark, prepends, isFirst: isFirst, splits: splits)
        case .spaceBefore: piece.first == nil || piece.first == 0x20 ? [piece] : [[0x20] + piece]
        }
    }

    private typealias Bytes = UnsafeBufferPointer<UInt8>

    /// Returns the width of the scalar at a position if it is a separator, otherwise 0.
    private static func width(_ bytes: Bytes, _ place: Int, _ separates: (UInt32) -> Bool) -> Int {
        separates(UTF8Text.scalar(bytes, at: place)) ? UTF8Text.width(bytes[place]) : 0
    }

    /// Returns the matches of a pattern; `end` returns the end of the match at a position, or
    /// `nil`.
    private static func matches(
        _ piece: ArraySlice<UInt8>, end: (Bytes, Int) -> Int?
    ) -> [ArraySlice<UInt8>] {
        piece.withUnsafeBufferPointer { bytes in
            var pieces: [ArraySlice<UInt8>] = []
            pieces.reserveCapacity(bytes.count / 4 + 1)
            var place = 0
            while place < bytes.count {
                if let end = end(bytes, place) {
                    pieces.append(piece[piece.startIndex + place..<piece.startIndex + end])
                    place = end
                } else {
                    place += UTF8Text.width(bytes[place])
                }
            }
            return pieces
        }
    }

    /// Cuts at separators; `length` returns the length of the separator at a position, or 0.
    private static func cut(
        _ piece: ArraySlice<UInt8>, _ separator: Separator, length: (Bytes, Int) -> Int
    ) -> [ArraySlice<UInt8>] {
        piece.withUnsafeBufferPointer { bytes in
            var pieces: [ArraySlice<UInt8>] = []
            var start = 0
            var endOfSeparator = -1
            func add(_ from: Int, _ to: Int) {
                if from < to {
                    pieces.append(piece[piece.startIndex + from..<piece.startIndex + to])
                }
            }
            var place = 0
            while place < bytes.count {
                let width = length(bytes, place)
                if width == 0 {
                    place += UTF8Text.width(bytes[place])
                    if separator == .contiguous, endOfSeparator >= 0 {
                        add(start, endOfSeparator)
                        start = endOfSeparator
                        endOfSeparator = -1
                    }
                    continue
                }
                switch separator {
                case .removed, .isolated:
                    add(start, place)
                    if separator == .isolated { add(place, place + width) }
                    start = place + width
                case .joinsPrevious:
                    add(start, place + width)
                    start = place + width
                case .joinsNext:
                    add(start, place)
                    start = place
                case .contiguous:
                    if endOfSeparator < 0 {
                        add(start, place)
                        start = place
                    }
                    endOfSeparator = place + width
                }
                place += width
            }
            add(start, bytes.count)
            return pieces
        }
    }

    private static func metaspace(
        _ piece: ArraySlice<UInt8>, _ mark: String, _ prepends: Prepending, isFirst: Bool,
        splits: Bool
    ) -> [ArraySlice<UInt8>] {
        var marked: [UInt8] = []
        marked.reserveCapacity(piece.count + mark.utf8.count * 8)
        for byte in piece {
            if byte == 0x20 { marked.append(contentsOf: mark.utf8) } else { marked.append(byte) }
        }
        let mayPrepend = prepends == .always || (prepends == .first && isFirst)
        if mayPrepend, !marked.isEmpty, !marked.starts(with: mark.utf8) {
            marked.insert(contentsOf: mark.utf8, at: 0)
        }
        guard splits else { return marked.isEmpty ? [] : [marked[...]] }
        return PieceSplitter.literal(mark, .joinsNext).split(marked[...], isFirst: isFirst)
    }
}

extension PieceSplitter {
    private static func scalarClass(_ bytes: Bytes, _ place: Int) -> ScalarClass {
        ScalarClass.of(UTF8Text.scalar(bytes, at: place))
    }

    /// Returns the end of the run of scalars of one class that includes a position.
    private static func run(_ bytes: Bytes, _ start: Int, of kind: ScalarClass) -> Int {
        var place = start
        while place < bytes.count, scalarClass(bytes, place) == kind {
            place += UTF8Text.width(bytes[place])
        }
        return place
    }

    /// Returns the end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at a position.
    private static func contraction(_ bytes: Bytes, _ place: Int, folds: Bool) -> Int? {
        guard bytes[place] == UInt8(ascii: "'"), place + 1 < bytes.count else { return nil }
        let second = place + 2 < bytes.count ? bytes[place + 2] : 0
        switch (bytes[place + 1], second) {
        case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _),
            (UInt8(ascii: "d"), _):
            return place + 2
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return place + 3
        case (0xC5, 0xBF) where folds: return place + 3
        default: return nil
        }
    }

    private static func clipEnd(_ bytes: Bytes, _ place: Int, folds: Bool) -> Int? {
        if let end = contraction(bytes, place, folds: folds) { return end }
        func kind(_ place: Int) -> ScalarClass {
            // U+0345, the iota below letters, is not a letter. Its capital is one, so in a
            // case-insensitive pattern it is not in the other classes either: nothing matches it.
            let isIota = folds && bytes[place] == 0xCD && bytes[place + 1] == 0x85
            return isIota ? .space : scalarClass(bytes, place)
        }
        let first = kind(place)
        var end = place + UTF8Text.width(bytes[place])
        switch first {
        case .space: return nil
        case .number: break
        case .letter, .other:
            while end < bytes.count, kind(end) == first { end += UTF8Text.width(bytes[end]) }
        }
        return end
    }

    private static func gpt2End(_ bytes: Bytes, _ place: Int) -> Int? {
        if let end = contraction(bytes, place, folds: false) { return end }
        let word = bytes[place] == 0x20 && place + 1 < bytes.count ? place + 1 : place
        let kind = scalarClass(bytes, word)
        if kind != .space { return run(bytes, word, of: kind) }
        // A run of white space leaves its last scalar to the following word.
        let end = run(bytes, place, of: .space)
        if end == bytes.count { return end }
        var last = place
        var next = place
        while next < end {
            last = next
            next += UTF8Text.width(bytes[next])
        }
        return last > place ? last : end
    }
}
