/// A scanner for strict JSON in bytes that are valid UTF-8.
package struct JSONScanner {
    /// A syntax error and the index of the byte at which it was found.
    package struct Fault: Error {
        package var place: Int
        package var problem: String
    }

    /// The largest number of arrays and objects inside each other.
    private static let maximumDepth = 64

    package let bytes: [UInt8]
    /// The index of the next byte.
    package private(set) var position: Int

    /// Creates a scanner that starts at an index of `bytes`.
    package init(_ bytes: [UInt8], at position: Int) {
        self.bytes = bytes
        self.position = position
    }

    /// The next byte, or nil at the end.
    package var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Returns a syntax error at the current position.
    package func fault(_ problem: String) -> Fault { Fault(place: position, problem: problem) }

    /// Moves past white space.
    package mutating func skipSpaces() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    /// Moves past an ASCII character that must come next.
    package mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
        guard let byte = peek, byte == UInt8(ascii: character) else {
            throw fault("expected \"\(character)\"")
        }
        position += 1
    }

    /// Moves past one value and checks all of it, except the escapes in its strings.
    package mutating func skipValue(depth: Int = 0) throws(Fault) {
        guard depth <= Self.maximumDepth else { throw fault("is nested too deeply") }
        skipSpaces()
        switch peek {
        case UInt8(ascii: "{"):
            try forEachMember { scanner throws(Fault) in
                try scanner.skipString()
            } _: {
                scanner throws(Fault) in
                try scanner.skipValue(depth: depth + 1)
            }
        case UInt8(ascii: "["):
            try forEachElement { scanner throws(Fault) in
                try scanner.skipValue(depth: depth + 1)
            }
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"): try skipWord("true")
        case UInt8(ascii: "f"): try skipWord("false")
        case UInt8(ascii: "n"): try skipWord("null")
        default: _ = try number()
        }
    }

    /// Calls `name` and then `value` for each member of an object; the closures must move past the
    /// name and the value.
    package mutating func forEachMember(
        _ name: (inout Self) throws(Fault) -> Void, _ value: (inout Self) throws(Fault) -> Void
    ) throws(Fault) {
        try expect("{")
        skipSpaces()
        if peek != UInt8(ascii: "}") {
            while true {
                skipSpaces()
                try name(&self)
                skipSpaces()
                try expect(":")
                skipSpaces()
                try value(&self)
                skipSpaces()
                guard peek == UInt8(ascii: ",") else { break }
                position += 1
            }
        }
        try expect("}")
    }

    /// Calls `value` for each element of an array; the closure must move past the element.
    package mutating func forEachElement(_ value: (inout Self) throws(Fault) -> Void) throws(Fault)
    {
        try expect("[")
        skipSpaces()
        if peek != UInt8(ascii: "]") {
            while true {
                skipSpaces()
                try value(&self)
                skipSpaces()
                guard peek == UInt8(ascii: ",") else { break }
                position += 1
            }
        }
        try expect("]")
    }

    mutating func skipWord(_ text: StaticString) throws(Fault) {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count,
            text.withUTF8Buffer({ $0.elementsEqual(bytes[position..<end]) })
        else { throw fault("expected a value") }
        position = end
    }

    /// Moves past a number and returns its text as written.
    package mutating func number() throws(Fault) -> String {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        let whole = position
        try skipDigits()
        if bytes[whole] == UInt8(ascii: "0"), position > whole + 1 {
            throw fault("a number has a leading zero")
        }
        if peek == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func skipDigits() throws(Fault) {
        let start = position
        while let byte = peek, byte >= 0x30, byte <= 0x39 { position += 1 }
        if position == start { throw fault("expected a value") }
    }

    private mutating func openString() throws(Fault) {
        guard peek == UInt8(ascii: "\"") else { throw fault("expected a string") }
        position += 1
    }

    private mutating func skipString() throws(Fault) {
        try openString()
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return
            // Escapes are checked when the string is read.
            case UInt8(ascii: "\\"): position += 1
            case 0..<0x20: throw fault("a string contains a control character")
            default: break
            }
        }
        throw fault("a string does not end")
    }

    /// Moves past a string and returns its text in UTF-8, with the escapes replaced.
    package mutating func string() throws(Fault) -> [UInt8] {
        try openString()
        let start = position
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20
        {
            position += 1
        }
        var text = Array(bytes[start..<position])
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return text
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw fault("a string contains a control character")
            default: text.append(byte)
            }
        }
        throw fault("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Fault) {
        guard let byte = peek else { throw fault("a string does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if code & 0xFC00 == 0xD800, peek == UInt8(ascii: "\\") {
                position += 1
                try expect("u")
                let low = try hexadecimal()
                guard low & 0xFC00 == 0xDC00 else {
                    throw fault("a string has half a surrogate pair")
                }
                code = 0x10000 + ((code & 0x3FF) << 10) + (low & 0x3FF)
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw fault("a string has half a surrogate pair")
            }
            text.append(contentsOf: Character(scalar).utf8)
        default: throw fault("a string has an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(Fault) -> UInt32 {
        guard position + 4 <= bytes.count else { throw fault("a string does not end") }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
            case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
            default: throw fault("expected four hexadecimal digits")
            }
        }
        position += 4
        return value
    }
}
