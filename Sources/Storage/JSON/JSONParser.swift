/// A parser that builds the tree of a JSON document.
struct JSONParser {
    private static let maximumDepth = 16

    private var scanner: JSONScanner

    init(_ bytes: UnsafeRawBufferPointer) { scanner = JSONScanner(Array(bytes), at: 0) }

    /// Parses the document's only value.
    mutating func document() throws(JSONScanner.Fault) -> JSONValue {
        let value = try Self.value(&scanner, depth: 0)
        scanner.skipSpaces()
        guard scanner.peek == nil else { throw scanner.fault("has text after its end") }
        return value
    }

    private static func value(
        _ scanner: inout JSONScanner, depth: Int
    ) throws(JSONScanner.Fault) -> JSONValue {
        guard depth <= maximumDepth else { throw scanner.fault("is nested too deeply") }
        scanner.skipSpaces()
        switch scanner.peek {
        case UInt8(ascii: "{"): return .object(try members(&scanner, depth: depth))
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try scanner.forEachElement { scanner throws(JSONScanner.Fault) in
                elements.append(try value(&scanner, depth: depth + 1))
            }
            return .array(elements)
        case UInt8(ascii: "\""): return .string(try string(&scanner))
        case UInt8(ascii: "t"): return try word("true", .bool(true), &scanner)
        case UInt8(ascii: "f"): return try word("false", .bool(false), &scanner)
        case UInt8(ascii: "n"): return try word("null", .null, &scanner)
        default: return .number(try scanner.number())
        }
    }

    private static func members(
        _ scanner: inout JSONScanner, depth: Int
    ) throws(JSONScanner.Fault) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        var name = ""
        try scanner.forEachMember { scanner throws(JSONScanner.Fault) in
            name = try string(&scanner)
            guard names.insert(name).inserted else {
                throw scanner.fault("repeats \"\(name)\"")
            }
        } _: { scanner throws(JSONScanner.Fault) in
            members.append(.init(name: name, value: try value(&scanner, depth: depth + 1)))
        }
        return members
    }

    private static func string(
        _ scanner: inout JSONScanner
    ) throws(JSONScanner.Fault) -> String {
        guard let text = String(validating: try scanner.string(), as: UTF8.self) else {
            throw scanner.fault("a string is not UTF-8")
        }
        return text
    }

    private static func word(
        _ text: StaticString, _ value: JSONValue, _ scanner: inout JSONScanner
    ) throws(JSONScanner.Fault) -> JSONValue {
        try scanner.skipWord(text)
        return value
    }
}
