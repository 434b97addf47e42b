import Foundation

/// Iterates over the words of a text as BERT's basic tokenizer does.
struct WordSplitter {
    /// The UTF-8 bytes of the latest word, lower-cased if the tokenizer is uncased.
    private(set) var word: [UInt8] = []

    private let bytes: [UInt8]
    private let isUncased: Bool
    private var position = 0

    init(_ text: String, isUncased: Bool) {
        self.isUncased = isUncased
        if isUncased, text.unicodeScalars.contains(where: Self.mayDecompose) {
            bytes = Array(Self.decomposed(text).utf8)
        } else {
            bytes = Array(text.utf8)
        }
        word.reserveCapacity(64)
    }

    /// Advances to the next word.
    ///
    /// - Parameter classes: ``BertCharacter/basicPlane``, held by the caller.
    /// - Returns: The length of the word in scalars, or `nil` after the last word.
    mutating func next(_ classes: [BertCharacter]) -> Int? {
        word.removeAll(keepingCapacity: true)
        var length = 0
        while position < bytes.count {
            let (scalar, width) = scalar(at: position)
            let character = scalar < 0x10000 ? classes[Int(scalar)] : BertCharacter.of(scalar)
            switch character {
            case .letter:
                length += append(scalar, width: width)
            case .mark:
                if !isUncased { length += append(scalar, width: width) }
            case .dropped:
                break
            case .space:
                if length > 0 {
                    position += width
                    return length
                }
            case .punctuation, .ideograph:
                // This scalar is a word; the word before it is returned first.
                if length > 0 { return length }
                length = append(scalar, width: width)
                position += width
                return length
            }
            position += width
        }
        return length > 0 ? length : nil
    }

    /// Appends a scalar to the word, and returns the number of scalars that this added.
    private mutating func append(_ scalar: UInt32, width: Int) -> Int {
        if scalar < 0x80 {
            let isUpper = isUncased && scalar >= 0x41 && scalar <= 0x5A
            word.append(UInt8(truncatingIfNeeded: isUpper ? scalar | 0x20 : scalar))
            return 1
        }
        // No script between the CJK radicals and the Yi syllables has case.
        if isUncased, !(0x2E80..<0xA490).contains(scalar), let letter = Unicode.Scalar(scalar),
            letter.properties.changesWhenLowercased
        {
            let lower = letter.properties.lowercaseMapping
            word.append(contentsOf: lower.utf8)
            return lower.unicodeScalars.count
        }
        word.append(contentsOf: bytes[position..<position + width])
        return 1
    }

    /// Decodes a scalar of `bytes`, which are valid UTF-8 because they came from a `String`.
    private func scalar(at index: Int) -> (scalar: UInt32, width: Int) {
        let first = UInt32(bytes[index])
        func tail(_ offset: Int) -> UInt32 { UInt32(bytes[index + offset]) & 0x3F }
        switch first {
        case ..<0x80: return (first, 1)
        case ..<0xE0: return ((first & 0x1F) << 6 | tail(1), 2)
        case ..<0xF0: return ((first & 0x0F) << 12 | tail(1) << 6 | tail(2), 3)
        default:
            return ((first & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4)
        }
    }

    /// Returns whether canonical decomposition may change a scalar; `false` for most of English and
    /// Chinese, which then skips it.
    private static func mayDecompose(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case ..<0xC0, 0x2010..<0x2070, 0x3000..<0x3040, 0x3100..<0xA490, 0xFF00..<0x10000,
            0x1F000..<0x2F800:
            false
        default: true
        }
    }

    /// Returns the canonical decomposition (NFD) of Unicode 9, as in the reference tokenizer.
    ///
    /// The only public NFD is Foundation's, which follows the newest Unicode. Newer scalars must
    /// stay unchanged, so the text is decomposed in pieces around them.
    private static func decomposed(_ text: String) -> String {
        var result = ""
        var piece = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard isNewerThanUnicode9(scalar) else {
                piece.append(scalar)
                continue
            }
            result += String(piece).decomposedStringWithCanonicalMapping
            result.unicodeScalars.append(scalar)
            piece = String.UnicodeScalarView()
        }
        return result + String(piece).decomposedStringWithCanonicalMapping
    }

    private static func isNewerThanUnicode9(_ scalar: Unicode.Scalar) -> Bool {
        // U+07FD is the first combining mark added after Unicode 9.
        guard scalar.value >= 0x7FD, mayDecompose(scalar) else { return false }
        return (scalar.properties.age?.major ?? 0) > 9
    }
}
