import Storage

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

    /// The number of bytes of each field of the outermost object.
    private(set) var sizes: [String: Int] = [:]
    private var scanner: JSONScanner
    private var count = 0
    private var path: [String] = []

    /// Validates a document.
    ///
    /// - Throws: ``Problem`` that names the field, or the line and byte, and the reason.
    /// - Complexity: O(n) in the number of bytes.
    init(_ bytes: [UInt8]) throws {
        scanner = JSONScanner(bytes, at: 0)
        guard !bytes.starts(with: [0xEF, 0xBB, 0xBF]) else {
            throw Self.problem("starts with a byte order mark; send UTF-8 without one")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Self.problem("is not valid UTF-8")
        }
        scanner.skipSpaces()
        guard scanner.peek != nil else { throw Self.problem("is empty") }
        guard next("{") else { throw Self.problem("must be an object") }
        do {
            try value()
            scanner.skipSpaces()
            guard scanner.peek == nil else { throw scanner.fault("unexpected text after the end") }
        } catch let fault as JSONScanner.Fault {
            throw Self.problem("\(Self.place(fault.place, in: bytes)): \(fault.problem)")
        }
    }

    private static func problem(_ what: String) -> Problem {
        Problem(.invalidRequest, "the request's JSON: \(what)")
    }

    private func wrong(_ what: String) -> Problem {
        Self.problem(path.isEmpty ? what : "\(path.joined(separator: ".")): \(what)")
    }

    private static func place(_ position: Int, in bytes: [UInt8]) -> String {
        let before = bytes[..<min(position, bytes.count)]
        let line = before.count { $0 == 0x0A } + 1
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return "line \(line), byte \(before.count - start + 1)"
    }

    private func next(_ scalar: Unicode.Scalar) -> Bool { scanner.peek == UInt8(ascii: scalar) }

    private mutating func value() throws {
        count += 1
        guard count <= Self.maximumValues else {
            throw Self.problem("must have at most \(Self.maximumValues) values")
        }
        switch scanner.peek {
        case UInt8(ascii: "{"): try object()
        case UInt8(ascii: "["): try array()
        case UInt8(ascii: "\""): _ = try scanner.string()
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): try scanner.skipValue()
        default: try check(number: try scanner.number())
        }
    }

    /// Scans the items of an object or an array, up to its end.
    private mutating func items(
        from start: Unicode.Scalar, to end: Unicode.Scalar, _ item: (inout Self) throws -> Void
    ) throws {
        guard path.count < Self.maximumDepth else {
            throw scanner.fault("nested more than \(Self.maximumDepth) deep")
        }
        try scanner.expect(start)
        scanner.skipSpaces()
        if !next(end) {
            while true {
                scanner.skipSpaces()
                try item(&self)
                scanner.skipSpaces()
                guard next(",") else { break }
                try scanner.expect(",")
            }
        }
        try scanner.expect(end)
    }

    private mutating func object() throws {
        var names: Set<String> = []
        try items(from: "{", to: "}") { scan in
            let name = String(decoding: try scan.scanner.string(), as: UTF8.self)
            scan.path.append(String(name.prefix(60)))
            guard names.insert(name).inserted else { throw scan.wrong("occurs twice") }
            scan.scanner.skipSpaces()
            try scan.scanner.expect(":")
            scan.scanner.skipSpaces()
            let start = scan.scanner.position
            try scan.value()
            if scan.path.count == 1 { scan.sizes[name] = scan.scanner.position - start }
            scan.path.removeLast()
        }
    }

    private mutating func array() throws {
        var index = 0
        try items(from: "[", to: "]") { scan in
            scan.path.append(String(index))
            try scan.value()
            scan.path.removeLast()
            index += 1
        }
    }

    private func check(number text: String) throws {
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
}
