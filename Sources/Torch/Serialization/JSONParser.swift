import SystemPackage

/// The strict JSON grammar, and nothing beside it.
struct JSONParser {
    let bytes: UnsafeRawBufferPointer
    let file: FilePath
    let what: String
    private var position = 0
    private static let maximumDepth = 16

    init(bytes: UnsafeRawBufferPointer, file: FilePath, what: String) {
        self.bytes = bytes
        self.file = file
        self.what = what
    }

    mutating func document() throws -> JSONValue {
        let value = try value(depth: 0)
        skipSpaces()
        guard position == bytes.count else { throw fault("has text after its end") }
        return value
    }

    private func fault(_ problem: String) -> TensorFileError {
        TensorFileError(file, .malformed("\(what), byte \(position): \(problem)"))
    }

    private mutating func skipSpaces() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        guard peek == UInt8(ascii: character) else { throw fault("expected \"\(character)\"") }
        position += 1
    }

    private mutating func value(depth: Int) throws -> JSONValue {
        guard depth <= JSONParser.maximumDepth else { throw fault("is nested too deep") }
        skipSpaces()
        switch peek {
        case UInt8(ascii: "{"): return .object(try members(depth: depth))
        case UInt8(ascii: "["): return .array(try elements(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .some(let byte) where byte == UInt8(ascii: "-") || isDigit(byte):
            return .number(try number())
        default: throw fault("expected a value")
        }
    }

    private mutating func members(depth: Int) throws -> [JSONValue.Member] {
        position += 1
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        skipSpaces()
        if peek == UInt8(ascii: "}") {
            position += 1
            return members
        }
        while true {
            skipSpaces()
            let name = try string()
            guard names.insert(name).inserted else { throw fault("repeats \"\(name)\"") }
            skipSpaces()
            try expect(":")
            members.append(.init(name: name, value: try value(depth: depth + 1)))
            skipSpaces()
            if peek == UInt8(ascii: "}") { break }
            try expect(",")
        }
        position += 1
        return members
    }

    private mutating func elements(depth: Int) throws -> [JSONValue] {
        position += 1
        var elements: [JSONValue] = []
        skipSpaces()
        if peek == UInt8(ascii: "]") {
            position += 1
            return elements
        }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpaces()
            if peek == UInt8(ascii: "]") { break }
            try expect(",")
        }
        position += 1
        return elements
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws -> JSONValue {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count,
            text.withUTF8Buffer({ $0.elementsEqual(bytes[position..<end]) })
        else { throw fault("expected a value") }
        position = end
        return value
    }

    private mutating func number() throws -> String {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        let whole = position
        try digits()
        if bytes[whole] == UInt8(ascii: "0"), position > whole + 1 {
            throw fault("a number starts with 0")
        }
        if peek == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws {
        guard let byte = peek, isDigit(byte) else { throw fault("expected a digit") }
        while let byte = peek, isDigit(byte) { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}

extension JSONParser {
    private mutating func string() throws -> String {
        try expect("\"")
        var text: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw fault("a string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw fault("a control character in a string")
            default: text.append(byte)
            }
        }
        throw fault("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws {
        guard let byte = peek else { throw fault("a string does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "u"): try unicodeEscape(into: &text)
        default: throw fault("an unknown escape")
        }
    }

    private mutating func unicodeEscape(into text: inout [UInt8]) throws {
        var code = UInt32(try hexadecimal())
        if code & 0xFC00 == 0xD800, peek == UInt8(ascii: "\\") {
            position += 1
            try expect("u")
            let low = UInt32(try hexadecimal())
            guard low & 0xFC00 == 0xDC00 else { throw fault("half a surrogate pair") }
            code = 0x10000 + ((code & 0x3FF) << 10) + (low & 0x3FF)
        }
        guard let scalar = Unicode.Scalar(code) else { throw fault("half a surrogate pair") }
        text.append(contentsOf: Character(scalar).utf8)
    }

    private mutating func hexadecimal() throws -> UInt16 {
        guard position + 4 <= bytes.count else { throw fault("a string does not end") }
        var value: UInt16 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw fault("expected four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
        }
        position += 4
        return value
    }
}
