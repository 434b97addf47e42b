internal import Foundation

/// OpenCLIP's cleaning of captions before its tokenizers.
///
/// Its `basic_clean` runs the library ftfy, then unescapes HTML twice. This covers all of ftfy but
/// the repair of mojibake (`Ã©` for `é`), which guesses encodings; mojibake remains unchanged.
/// The other repairs affect text that people do type: curly quotes become straight, full-width
/// letters and ligatures become plain, and HTML is unescaped as often as it was escaped.
enum OpenCLIPCleaning {
    /// Applies `clean='lower'`, as CLIP's own tokenizer does.
    static func lower(_ text: String) -> String {
        plainLower(text) ?? PythonText.lowercased(joined(basic(text)))
    }

    /// Applies `lower` to printable ASCII without references, which most English captions are.
    ///
    /// Any other text yields `nil`.
    private static func plainLower(_ text: String) -> String? {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        var needsSpace = false
        for byte in text.utf8 {
            switch byte {
            case 0x20: needsSpace = !result.isEmpty
            case UInt8(ascii: "&"), ..<0x20, 0x7F...: return nil
            default:
                if needsSpace { result.append(0x20) }
                needsSpace = false
                result.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Applies `lower` to UTF-8 bytes.
    static func cleaned(_ bytes: [UInt8]) -> [UInt8] {
        Array(lower(String(decoding: bytes, as: UTF8.self)).utf8)
    }

    /// Applies `clean='whitespace'`.
    static func whitespace(_ text: String) -> String { joined(basic(text)) }

    /// Applies `clean='canonicalize'`, which SigLIP uses.
    static func canonical(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in basic(text).unicodeScalars { scalars.append(scalar == "_" ? " " : scalar) }
        return joined(PythonText.lowercased(withoutPunctuation(String(scalars))))
    }

    /// Works as Python's `" ".join(text.split())`.
    static func joined(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var needsSpace = false
        for scalar in text.unicodeScalars {
            if PythonText.isSpace(scalar) {
                needsSpace = !result.isEmpty
            } else {
                if needsSpace { result.append(" ") }
                needsSpace = false
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// Returns a text without the characters of Python's `string.punctuation`.
    static func withoutPunctuation(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: break
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    private static func basic(_ text: String) -> String {
        if text.unicodeScalars.allSatisfy(isUntouched) { return text }
        return HTMLEntities.unescape(HTMLEntities.unescape(mended(text)))
    }

    /// Returns whether nothing here changes a scalar, alone or beside others of this kind.
    private static func isUntouched(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case UInt32(UInt8(ascii: "&")): false
        case 0x0A, 0x20..<0x7F, 0xA0..<0x132, 0x3001..<0x3004, 0x3041..<0x3097, 0x3400..<0xA000:
            true
        default: false
        }
    }

    /// Applies ftfy's `fix_text`, line by line.
    private static func mended(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var line = String.UnicodeScalarView()
        // From the first line with a tag on, a text keeps its entities.
        var unescapes = true
        func flush() {
            if line.contains("<") { unescapes = false }
            result.append(contentsOf: mendedLine(line, unescapes: unescapes))
            line = String.UnicodeScalarView()
        }
        for scalar in text.unicodeScalars {
            line.append(scalar)
            if scalar == "\n" { flush() }
        }
        flush()
        return String(result)
    }

    private static func mendedLine(
        _ line: String.UnicodeScalarView, unescapes: Bool
    ) -> String.UnicodeScalarView {
        var line = line
        while true {
            let before = line
            if unescapes { line = HTMLEntities.unescapeWholeEntities(line) }
            var mended = String.UnicodeScalarView()
            for scalar in line { mended.append(contentsOf: replacement(scalar)) }
            mended = withUnixBreaks(mended)
            mended = withoutTerminalEscapes(mended)
            mended.removeAll(where: isControl)
            if mended.contains(where: { $0.value >= 0x300 }) {
                mended = UnicodeForm.nfc.normalized(String(mended)).unicodeScalars
            }
            line = mended
            if line.elementsEqual(before) { return line }
        }
    }

    /// Returns the replacement of a C1 control, ligature, full- or half-width form, or curly quote.
    private static func replacement(_ scalar: Unicode.Scalar) -> String.UnicodeScalarView {
        switch scalar.value {
        case ..<0x80: break
        case 0x80...0x9F: return String.UnicodeScalarView([windows1252(scalar)])
        case 0x132: return "IJ".unicodeScalars
        case 0x133: return "ij".unicodeScalars
        case 0x149: return "'n".unicodeScalars
        case 0x1C4...0x1CC, 0x1F1...0x1F3, 0xFB00...0xFB06, 0xFF01...0xFFEF:
            let form = String(Character(scalar)).precomposedStringWithCompatibilityMapping
            // The ligature of ſ and t becomes these two letters; the normal form would change ſ.
            return scalar.value == 0xFB05 ? "\u{17F}t".unicodeScalars : form.unicodeScalars
        case 0x2BC, 0x2018...0x201B: return "'".unicodeScalars
        case 0x201C...0x201F: return "\"".unicodeScalars
        case 0x3000: return " ".unicodeScalars
        default: break
        }
        return String.UnicodeScalarView([scalar])
    }

    /// Returns the character that Windows-1252 has in place of a C1 control.
    static func windows1252(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        let table: [UInt32] = [
            0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160,
            0x2039, 0x152, 0x8D, 0x17D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013,
            0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D, 0x17E, 0x178,
        ]
        guard (0x80...0x9F).contains(scalar.value) else { return scalar }
        return Unicode.Scalar(table[Int(scalar.value) - 0x80]) ?? scalar
    }

    private static func withUnixBreaks(
        _ text: String.UnicodeScalarView
    ) -> String.UnicodeScalarView {
        var result = String.UnicodeScalarView()
        var followsReturn = false
        for scalar in text {
            switch scalar.value {
            case 0x0A where followsReturn: break
            case 0x0D, 0x85, 0x2028, 0x2029: result.append("\n")
            default: result.append(scalar)
            }
            followsReturn = scalar.value == 0x0D
        }
        return result
    }

    /// Removes terminal colour codes: escape, bracket, digits and semicolons, a letter.
    private static func withoutTerminalEscapes(
        _ text: String.UnicodeScalarView
    ) -> String.UnicodeScalarView {
        guard text.contains("\u{1B}") else { return text }
        var result = String.UnicodeScalarView()
        var rest = text[...]
        while let first = rest.first {
            if first == "\u{1B}", rest.dropFirst().first == "[" {
                let end = rest.dropFirst(2).drop { $0 == ";" || ("0"..."9").contains($0) }
                if let letter = end.first, letter.properties.isAlphabetic, letter.isASCII {
                    rest = end.dropFirst()
                    continue
                }
            }
            result.append(first)
            rest = rest.dropFirst()
        }
        return result
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: true
        default: false
        }
    }
}
