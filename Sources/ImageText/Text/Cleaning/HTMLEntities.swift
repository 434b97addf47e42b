/// Resolves HTML's character references as Python's `html.unescape` does, which follows HTML 5.
enum HTMLEntities {
    /// The length of the longest name, in characters.
    private static let longestName = 32

    /// Resolves every reference once: `&eacute;`, `&#233;` and `&#xE9;` are all é.
    ///
    /// The names of HTML 4 are also resolved without a semicolon, even at the start of a longer
    /// word.
    static func unescape(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
        var result = String.UnicodeScalarView()
        let scalars = Array(text.unicodeScalars)
        var place = 0
        while place < scalars.count {
            if scalars[place] == "&", let found = reference(scalars, place + 1) {
                result.append(contentsOf: found.text.unicodeScalars)
                place = found.end
            } else {
                result.append(scalars[place])
                place += 1
            }
        }
        return String(result)
    }

    /// Resolves the references that end with a semicolon, as ftfy does.
    ///
    /// Unlike HTML, ftfy accepts the names of lower-case letters in upper case: `&EACUTE;` is É.
    static func unescapeWholeEntities(
        _ text: String.UnicodeScalarView
    ) -> String.UnicodeScalarView {
        guard text.contains("&") else { return text }
        var result = String.UnicodeScalarView()
        let scalars = Array(text)
        var place = 0
        while place < scalars.count {
            if scalars[place] == "&", let found = wholeEntity(scalars, place + 1) {
                result.append(contentsOf: found.text.unicodeScalars)
                place = found.end
            } else {
                result.append(scalars[place])
                place += 1
            }
        }
        return result
    }

    private static func wholeEntity(
        _ scalars: [Unicode.Scalar], _ start: Int
    ) -> (text: String, end: Int)? {
        var end = start
        if end < scalars.count, scalars[end] == "#" { end += 1 }
        let first = end
        while end < scalars.count, end - first < 24, isAlphanumeric(scalars[end]) { end += 1 }
        guard end > first, end < scalars.count, scalars[end] == ";" else { return nil }
        let name = text(scalars[start..<end])
        if name.hasPrefix("#") {
            guard let found = number(scalars, start), found.end == end + 1 else { return nil }
            return found
        }
        if let known = names[name + ";"] { return (known, end + 1) }
        guard name == name.uppercased(), let known = names[name.lowercased() + ";"],
            // A shorter name at its start, such as LT in LTIMES, rules it out.
            !(2..<max(2, name.utf8.count + 1)).contains(where: {
                names[String(name.prefix($0))] != nil
            })
        else { return nil }
        return (known.uppercased(), end + 1)
    }

    private static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "0"..."9", "A"..."Z", "a"..."z": true
        default: false
        }
    }

    /// Resolves the reference whose name or number begins at a position.
    private static func reference(
        _ scalars: [Unicode.Scalar], _ start: Int
    ) -> (text: String, end: Int)? {
        guard start < scalars.count else { return nil }
        if scalars[start] == "#" { return number(scalars, start) }
        var end = start
        while end < scalars.count, end - start < longestName, isOfName(scalars[end]) { end += 1 }
        if end < scalars.count, end > start, scalars[end] == ";",
            let known = names[text(scalars[start...end])]
        {
            return (known, end + 1)
        }
        while end - start >= 2 {
            if let known = names[text(scalars[start..<end])] { return (known, end) }
            end -= 1
        }
        return nil
    }

    private static func isOfName(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\t", "\n", "\u{C}", " ", "<", "&", "#", ";": false
        default: true
        }
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }

    /// Resolves a reference by number; `start` is the position of the `#`.
    private static func number(
        _ scalars: [Unicode.Scalar], _ start: Int
    ) -> (text: String, end: Int)? {
        var place = start + 1
        var radix: UInt32 = 10
        if place < scalars.count, scalars[place] == "x" || scalars[place] == "X" {
            radix = 16
            place += 1
        }
        let first = place
        var value: UInt32 = 0
        while place < scalars.count, let digit = digit(scalars[place], radix) {
            // Clamped, so that a number beyond Unicode remains one.
            value = min(value * radix + digit, 0x200000)
            place += 1
        }
        guard place > first else { return nil }
        if place < scalars.count, scalars[place] == ";" { place += 1 }
        return (character(value), place)
    }

    private static func digit(_ scalar: Unicode.Scalar, _ radix: UInt32) -> UInt32? {
        switch scalar {
        case "0"..."9": scalar.value - 0x30
        case "a"..."f" where radix == 16: scalar.value - 0x57
        case "A"..."F" where radix == 16: scalar.value - 0x37
        default: nil
        }
    }

    private static func character(_ value: UInt32) -> String {
        switch value {
        case 0, 0xD800...0xDFFF, 0x110000...: return "\u{FFFD}"
        case 0x0D: return "\r"
        case 0x80...0x9F:
            return Unicode.Scalar(value).map {
                String(Character(OpenCLIPCleaning.windows1252($0)))
            } ?? ""
        case 0x1...0x8, 0xB, 0xE...0x1F, 0x7F, 0xFDD0...0xFDEF: return ""
        case _ where value & 0xFFFE == 0xFFFE: return ""
        default: return Unicode.Scalar(value).map { String(Character($0)) } ?? ""
        }
    }

    /// The characters of every name with its semicolon, and without it if HTML permits that.
    private static let names: [String: String] = {
        var names: [String: String] = [:]
        for entry in table.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            let parts = entry.split(separator: "=")
            guard parts.count == 2 else { continue }
            let allowsBareName = parts[0].hasSuffix("!")
            let name = allowsBareName ? parts[0].dropLast() : parts[0]
            var characters = String.UnicodeScalarView()
            for code in parts[1].split(separator: "+") {
                if let scalar = UInt32(code, radix: 16).flatMap(Unicode.Scalar.init) {
                    characters.append(scalar)
                }
            }
            names[name + ";"] = String(characters)
            if allowsBareName { names[String(name)] = String(characters) }
        }
        return names
    }()
}
