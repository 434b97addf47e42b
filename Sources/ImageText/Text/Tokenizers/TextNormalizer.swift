/// A change that a tokenizer makes to a text before cutting it into pieces.
///
/// The changes are the normalizers of `tokenizer.json`, with the results of the `tokenizers`
/// library, and two Python functions that have no name there.
enum TextNormalizer: Sendable {
    /// Lower-cases scalar by scalar; a capital sigma always becomes σ.
    case lowercase
    /// Applies a normal form of Unicode 9; newer scalars are left unchanged.
    case normalForm(UnicodeForm)
    /// Removes marks (categories M).
    case stripAccents
    /// Replaces every occurrence of a text by another.
    case replaceText(String, by: String)
    /// Replaces every run of white space by a text.
    case replaceWhiteSpace(by: String)
    /// Replaces every run of at least two spaces by a text.
    case replaceSpaces(by: String)
    /// Prepends a text to one that is not empty.
    case prepend(String)
    /// Removes white space at the ends.
    case strip(left: Bool, right: Bool)
    /// Applies SentencePiece's character rules as the `tokenizers` library does.
    case characterMap(CharacterMap)
    /// Applies SentencePiece's own normalization.
    case sentencePiece(SentencePieceNormalizer)
    /// Applies OpenCLIP's cleaning of captions.
    case openCLIP

    /// The limit for ``growth``, of one change and of the product of several.
    ///
    /// Published tokenizers stay below 100. Without a limit, a few changes in a crafted file could
    /// make a text of one letter exceed the memory.
    static let maximumGrowth = 4096

    /// How many times its length a text can have afterwards, for texts that the file contains;
    /// Unicode's own rules count as 1.
    var growth: Int {
        func factor(_ new: String, for old: Int) -> Int { max(1, (new.utf8.count + old - 1) / old) }
        return switch self {
        case .replaceText(let text, let other): factor(other, for: max(1, text.utf8.count))
        case .replaceWhiteSpace(let text): factor(text, for: 1)
        case .replaceSpaces(let text): factor(text, for: 2)
        case .prepend(let text): text.utf8.count + 1
        case .characterMap(let map): max(1, map.longestResult)
        case .lowercase, .normalForm, .stripAccents, .strip, .sentencePiece, .openCLIP: 1
        }
    }

    /// Returns the changed text; both texts are valid UTF-8.
    func normalized(_ bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .lowercase: Self.lowercased(bytes)
        case .normalForm(let form): Self.normalized(bytes, to: form)
        case .stripAccents:
            bytes.allSatisfy { $0 < 0x80 }
                ? bytes
                : UTF8Text.mapping(bytes) { if !Self.isMark($0) { $1.append($0) } }
        case .replaceText(let text, let other):
            Self.replacing(bytes, Array(text.utf8), by: Array(other.utf8))
        case .replaceWhiteSpace(let text):
            Self.replacingRuns(bytes, by: text, minimum: 1) { ScalarClass.of($0) == .space }
        case .replaceSpaces(let text):
            Self.replacingRuns(bytes, by: text, minimum: 2) { $0 == 0x20 }
        case .prepend(let text): bytes.isEmpty ? [] : Array(text.utf8) + bytes
        case .strip(let left, let right): Self.stripped(bytes, left: left, right: right)
        case .characterMap(let map): map.normalizedByCharacters(bytes)
        case .sentencePiece(let normalizer): normalizer.normalized(bytes)
        case .openCLIP: OpenCLIPCleaning.cleaned(bytes)
        }
    }

    private static func lowercased(_ bytes: [UInt8]) -> [UInt8] {
        var isASCII = true
        var result = bytes
        for index in result.indices {
            let byte = result[index]
            if byte >= 0x80 {
                isASCII = false
                break
            }
            if byte >= 0x41 && byte <= 0x5A { result[index] = byte | 0x20 }
        }
        if isASCII { return result }
        return UTF8Text.mapping(bytes) { scalar, result in
            if scalar.value < 0x80 || (0x2E80..<0xA490).contains(scalar.value) {
                let isUpper = scalar.value >= 0x41 && scalar.value <= 0x5A
                result.append(isUpper ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar)
            } else {
                result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
    }

    private static func replacing(
        _ bytes: [UInt8], _ text: [UInt8], by other: [UInt8]
    ) -> [UInt8] {
        guard let first = text.first, bytes.contains(first) else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + other.count * 8)
        var place = 0
        while place < bytes.count {
            if bytes[place] == first, bytes[place...].starts(with: text) {
                result.append(contentsOf: other)
                place += text.count
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return result
    }

    private static func replacingRuns(
        _ bytes: [UInt8], by text: String, minimum: Int, _ belongs: (UInt32) -> Bool
    ) -> [UInt8] {
        bytes.withUnsafeBufferPointer { bytes in
            var result: [UInt8] = []
            result.reserveCapacity(bytes.count)
            var place = 0
            while place < bytes.count {
                var end = place
                var count = 0
                while end < bytes.count, belongs(UTF8Text.scalar(bytes, at: end)) {
                    end += UTF8Text.width(bytes[end])
                    count += 1
                }
                if count >= minimum {
                    result.append(contentsOf: text.utf8)
                } else {
                    if count == 0 { end += UTF8Text.width(bytes[place]) }
                    result.append(contentsOf: bytes[place..<end])
                }
                place = end
            }
            return result
        }
    }

    private static func stripped(_ bytes: [UInt8], left: Bool, right: Bool) -> [UInt8] {
        var scalars = Substring(String(decoding: bytes, as: UTF8.self)).unicodeScalars
        if left { while scalars.first?.properties.isWhitespace == true { scalars.removeFirst() } }
        if right { while scalars.last?.properties.isWhitespace == true { scalars.removeLast() } }
        return Array(String(scalars).utf8)
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: isOfUnicode9(scalar)
        default: false
        }
    }
}

extension TextNormalizer {
    private static func normalized(_ bytes: [UInt8], to form: UnicodeForm) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        if text.unicodeScalars.allSatisfy({ isInert($0.value, form) }) { return bytes }
        var result = ""
        var piece = String.UnicodeScalarView()
        func flush() {
            result.unicodeScalars.append(
                contentsOf: form.normalized(String(piece)).unicodeScalars)
            piece = String.UnicodeScalarView()
        }
        for scalar in text.unicodeScalars {
            if isOfUnicode9(scalar) {
                piece.append(scalar)
            } else {
                flush()
                result.unicodeScalars.append(scalar)
            }
        }
        flush()
        return Array(result.utf8)
    }

    /// Returns whether a scalar is unchanged beside others of this kind, as are most in English and
    /// Chinese.
    private static func isInert(_ scalar: UInt32, _ form: UnicodeForm) -> Bool {
        switch scalar {
        case ..<0xA0, 0x3400...0x9FFF: true
        case ..<0x300: form == .nfc
        case 0x2010...0x201F, 0x3001...0x3003, 0x3008...0x3011:
            form == .nfc || form == .nfd || (0x3001...0x3011).contains(scalar)
        case 0xFF01...0xFF5E: form == .nfc || form == .nfd
        default: false
        }
    }

    private static func isOfUnicode9(_ scalar: Unicode.Scalar) -> Bool {
        // U+07FD is the first combining mark added after Unicode 9; no ideograph changes.
        if scalar.value < 0x7FD || (0x3400..<0xA490).contains(scalar.value) { return true }
        return (scalar.properties.age?.major ?? 0) <= 9
    }
}
