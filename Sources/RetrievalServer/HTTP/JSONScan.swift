/// Looks through a JSON document before anything is made of it.
///
/// What follows may then rely on this: it is UTF-8 and well-formed, an object, nested ``maximumDepth``
/// deep and with ``maximumValues`` values at most; no object has a name twice; no number is beyond 2^53,
/// so that every whole number is exact.
struct JSONScan {
    static let maximumDepth = 16
    static let maximumValues = 10_000
    /// From here on not every whole number has a value of its own.
    private static let exact = 1 << 53
    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    /// How many bytes each field of the outermost object takes.
    private(set) var sizes: [String: Int] = [:]
    private let bytes: [UInt8]
    private var position = 0
    private var count = 0
    private var path: [String] = []

    /// Looks through a document, in time that grows with its length.
    ///
    /// - Throws: ``Problem`` that names the field, or the line and column, and the reason.
    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        guard !bytes.starts(with: [0xEF, 0xBB, 0xBF]) else {
            throw Self.problem("it starts with a byte order mark; send UTF-8 without one")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Self.problem("it is not UTF-8")
        }
        skipSpace()
        guard next != nil else { throw Self.problem("it is empty") }
        guard next == UInt8(ascii: "{") else { throw Self.problem("it is not an object") }
        try value()
        skipSpace()
        guard position == bytes.count else { throw misplaced("there is more after its end") }
    }

    private static func problem(_ what: String) -> Problem {
        Problem(.invalidRequest, "the JSON of the request: \(what)")
    }

    private func wrong(_ what: String) -> Problem {
        Self.problem(path.isEmpty ? what : "\(path.joined(separator: ".")): \(what)")
    }

    private func misplaced(_ what: String) -> Problem {
        let before = bytes[..<min(position, bytes.count)]
        let line = before.count { $0 == 0x0A } + 1
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return Self.problem("line \(line), byte \(before.count - start + 1): \(what)")
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    /// Steps over one byte if it is there.
    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: scalar) else { return false }
        position += 1
        return true
    }

    private mutating func value() throws {
        count += 1
        guard count <= Self.maximumValues else {
            throw Self.problem("it may have \(Self.maximumValues) values")
        }
        switch next {
        case UInt8(ascii: "{"): try object()
        case UInt8(ascii: "["): try array()
        case UInt8(ascii: "\""): _ = try string()
        case let byte? where byte == UInt8(ascii: "-") || Self.digits.contains(byte): try number()
        case nil: throw misplaced("it ends too early")
        default:
            for word in ["true", "false", "null"] where bytes[position...].starts(with: word.utf8) {
                position += word.utf8.count
                return
            }
            throw misplaced("a value was expected")
        }
    }

    private func checkDepth() throws {
        guard path.count < Self.maximumDepth else {
            throw misplaced("it may be nested \(Self.maximumDepth) deep")
        }
    }

    private mutating func object() throws {
        try checkDepth()
        position += 1
        skipSpace()
        if take("}") { return }
        var names: Set<String> = []
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw misplaced("a name was expected") }
            let name = try string()
            path.append(String(name.prefix(60)))
            guard names.insert(name).inserted else { throw wrong("is there twice") }
            skipSpace()
            guard take(":") else { throw misplaced("a ':' was expected") }
            skipSpace()
            let start = position
            try value()
            if path.count == 1 { sizes[name] = position - start }
            path.removeLast()
            skipSpace()
            if take("}") { return }
            guard take(",") else { throw misplaced("a ',' or '}' was expected") }
        }
    }

    private mutating func array() throws {
        try checkDepth()
        position += 1
        skipSpace()
        if take("]") { return }
        var index = 0
        while true {
            skipSpace()
            path.append(String(index))
            try value()
            path.removeLast()
            index += 1
            skipSpace()
            if take("]") { return }
            guard take(",") else { throw misplaced("a ',' or ']' was expected") }
        }
    }

    private mutating func number() throws {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw wrong("\(text.prefix(40)) is too large for a number")
        }
        let isExact = Int(text).map { (-Self.exact...Self.exact).contains($0) } ?? true
        guard abs(value) <= Double(Self.exact), isExact else {
            throw wrong(
                "\(text.prefix(40)) is beyond 2^53, where numbers are no longer exact;"
                    + " send it as a text")
        }
    }

    private mutating func digits() throws {
        let start = position
        while let byte = next, Self.digits.contains(byte) { position += 1 }
        guard position > start else { throw misplaced("a digit was expected") }
    }

    private mutating func string() throws -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                position += 1
                text += Array(String(Character(try escaped())).utf8)
            case 0..<0x20: throw misplaced("a control character in a text is written as an escape")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw misplaced("a text never ends")
    }

    private mutating func escaped() throws -> Unicode.Scalar {
        guard let byte = next else { throw misplaced("a text never ends") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw misplaced("there is no such escape")
        }
        let high = try unit()
        if let scalar = Unicode.Scalar(high) { return scalar }
        let alone = wrong(
            "\\u\(String(high, radix: 16)) is half of a character, without its other half")
        guard (0xD800..<0xDC00).contains(high), take("\\"), take("u") else { throw alone }
        let low = try unit()
        guard (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        else { throw alone }
        return scalar
    }

    /// Four hexadecimal digits.
    private mutating func unit() throws -> UInt32 {
        let end = position + 4
        guard end <= bytes.count,
            bytes[position..<end].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt32(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16)
        else { throw misplaced("\\u needs four hexadecimal digits") }
        position = end
        return unit
    }
}
