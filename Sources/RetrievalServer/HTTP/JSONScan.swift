/// Validates a JSON document before it is decoded.
///
/// A valid document is a well-formed object in UTF-8. It is nested at most ``maximumDepth`` deep and
/// has at most ``maximumValues`` values. No object has the same name twice. No number exceeds 2^53,
/// so every whole number is exact.
struct JSONScan {
    static let maximumDepth = 16
    static let maximumValues = 10_000
    /// The bound beyond which a `Double` cannot hold every whole number.
    private static let exact = 1 << 53
    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    /// The number of bytes of each field of the outermost object.
    private(set) var sizes: [String: Int] = [:]
    private let bytes: [UInt8]
    private var position = 0
    private var count = 0
    private var path: [String] = []

    /// Validates a document.
    ///
    /// - Throws: ``Problem`` that names the field, or the line and byte, and the reason.
    /// - Complexity: O(n) in the number of bytes.
    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        guard !bytes.starts(with: [0xEF, 0xBB, 0xBF]) else {
            throw Self.problem("starts with a byte order mark; send UTF-8 without one")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Self.problem("is not valid UTF-8")
        }
        skipSpace()
        guard next != nil else { throw Self.problem("is empty") }
        guard next == UInt8(ascii: "{") else { throw Self.problem("must be an object") }
        try value()
        skipSpace()
        guard position == bytes.count else { throw misplaced("unexpected text after the end") }
    }

    private static func problem(_ what: String) -> Problem {
        Problem(.invalidRequest, "the request's JSON: \(what)")
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

    /// Steps over the next byte if it is the given one, and returns whether it is.
    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: scalar) else { return false }
        position += 1
        return true
    }

    private mutating func value() throws {
        count += 1
        guard count <= Self.maximumValues else {
            throw Self.problem("must have at most \(Self.maximumValues) values")
        }
        switch next {
        case UInt8(ascii: "{"): try object()
        case UInt8(ascii: "["): try array()
        case UInt8(ascii: "\""): _ = try string()
        case let byte? where byte == UInt8(ascii: "-") || Self.digits.contains(byte): try number()
        case nil: throw misplaced("unexpected end")
        default:
            for word in ["true", "false", "null"] where bytes[position...].starts(with: word.utf8) {
                position += word.utf8.count
                return
            }
            throw misplaced("expected a value")
        }
    }

    private func checkDepth() throws {
        guard path.count < Self.maximumDepth else {
            throw misplaced("nested more than \(Self.maximumDepth) deep")
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
            guard next == UInt8(ascii: "\"") else { throw misplaced("expected a name") }
            let name = try string()
            path.append(String(name.prefix(60)))
            guard names.insert(name).inserted else { throw wrong("occurs twice") }
            skipSpace()
            guard take(":") else { throw misplaced("expected ':'") }
            skipSpace()
            let start = position
            try value()
            if path.count == 1 { sizes[name] = position - start }
            path.removeLast()
            skipSpace()
            if take("}") { return }
            guard take(",") else { throw misplaced("expected ',' or '}'") }
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
            guard take(",") else { throw misplaced("expected ',' or ']'") }
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
        guard position > start else { throw misplaced("expected a digit") }
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
            case 0..<0x20: throw misplaced("a control character must be written as an escape")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw misplaced("unterminated text")
    }

    private mutating func escaped() throws -> Unicode.Scalar {
        guard let byte = next else { throw misplaced("unterminated text") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw misplaced("unknown escape")
        }
        let high = try unit()
        if let scalar = Unicode.Scalar(high) { return scalar }
        let alone = wrong(
            "\\u\(String(high, radix: 16)) is half of a surrogate pair, without the other half")
        guard (0xD800..<0xDC00).contains(high), take("\\"), take("u") else { throw alone }
        let low = try unit()
        guard (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        else { throw alone }
        return scalar
    }

    /// Reads four hexadecimal digits.
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
