import Storage

/// A value in a JSON text, parsed on access.
///
/// `JSONDecoder` is unsuitable for vocabularies: it treats canonically equivalent names, such as a
/// composed and a decomposed "é", as one key, and would lose one of two tokens. A tree of the 34 MB
/// of Gemma's file would take far more memory than the vocabulary itself, so only the accessed
/// parts become values.
struct JSONPart {
    private let bytes: [UInt8]
    private let start: Int
    private let source: String
    /// The path of the value, such as `model.vocab`; empty for the whole text.
    let path: String

    /// Creates the value of a whole text.
    ///
    /// - Throws: ``TokenizerError`` if the text is not valid JSON.
    init(_ bytes: [UInt8], source: String) throws(TokenizerError) {
        self.bytes = bytes
        self.source = source
        path = ""
        start = 0
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw TokenizerError(.malformed("byte 0", "the file is not UTF-8"), source: source)
        }
        var scanner = JSONScanner(bytes, at: 0)
        do throws(JSONScanner.Fault) {
            try scanner.skipValue()
            scanner.skipSpaces()
            if scanner.peek != nil { throw scanner.fault("text follows the end") }
        } catch {
            throw Self.error(error, path: "", source: source)
        }
    }

    private init(_ parent: JSONPart, at start: Int, path: String) {
        bytes = parent.bytes
        source = parent.source
        self.start = start
        self.path = path
    }

    private static func error(
        _ fault: JSONScanner.Fault, path: String, source: String
    ) -> TokenizerError {
        let place = path.isEmpty ? "byte \(fault.place)" : "\(path), byte \(fault.place)"
        return TokenizerError(.malformed(place, fault.problem), source: source)
    }

    /// Returns an error about this value.
    func fault(_ problem: String) -> TokenizerError {
        TokenizerError(.malformed(path.isEmpty ? "byte \(start)" : path, problem), source: source)
    }

    /// Returns an error about a feature that this library does not support.
    func unsupported(_ what: String) -> TokenizerError {
        TokenizerError(.unsupported(path, what), source: source)
    }

    private func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private var first: UInt8? {
        var scanner = JSONScanner(bytes, at: start)
        scanner.skipSpaces()
        return scanner.peek
    }

    var isNull: Bool { first == UInt8(ascii: "n") }
    var isString: Bool { first == UInt8(ascii: "\"") }
    var isArray: Bool { first == UInt8(ascii: "[") }
    var isObject: Bool { first == UInt8(ascii: "{") }

    private func scan<Value>(
        _ what: String, _ starts: Bool,
        _ body: (inout JSONScanner) throws(JSONScanner.Fault) -> Value
    ) throws(TokenizerError) -> Value {
        guard starts else { throw fault("is not \(what)") }
        var scanner = JSONScanner(bytes, at: start)
        scanner.skipSpaces()
        do throws(JSONScanner.Fault) {
            return try body(&scanner)
        } catch {
            throw Self.error(error, path: path, source: source)
        }
    }

    /// Visits the members of an object with their names in UTF-8.
    func forEachMember(
        _ visit: ([UInt8], JSONPart) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        // An error of the visitor is kept until the end, because the scanner throws only its own.
        var failure: TokenizerError?
        var name: [UInt8] = []
        try scan("an object", isObject) { scanner throws(JSONScanner.Fault) in
            try scanner.forEachMember { scanner throws(JSONScanner.Fault) in
                name = try scanner.string()
            } _: { scanner throws(JSONScanner.Fault) in
                if failure == nil {
                    let part = JSONPart(self, at: scanner.position, path: path)
                    do throws(TokenizerError) { try visit(name, part) } catch { failure = error }
                }
                try scanner.skipValue()
            }
        }
        if let failure { throw failure }
    }

    /// Returns the members of an object; the last of several with one name counts.
    func members() throws(TokenizerError) -> [String: JSONPart] {
        var members: [String: JSONPart] = [:]
        try forEachMember { name, part in
            let name = String(decoding: name, as: UTF8.self)
            members[name] = JSONPart(part, at: part.start, path: path(of: name))
        }
        return members
    }

    /// Visits the elements of an array.
    func forEachElement(
        _ visit: (Int, JSONPart) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        var failure: TokenizerError?
        var index = 0
        try scan("an array", isArray) { scanner throws(JSONScanner.Fault) in
            try scanner.forEachElement { scanner throws(JSONScanner.Fault) in
                if failure == nil {
                    let part = JSONPart(self, at: scanner.position, path: path)
                    do throws(TokenizerError) { try visit(index, part) } catch { failure = error }
                }
                index += 1
                try scanner.skipValue()
            }
        }
        if let failure { throw failure }
    }

    /// Returns the elements of an array.
    func elements() throws(TokenizerError) -> [JSONPart] {
        var elements: [JSONPart] = []
        try forEachElement { index, part in
            elements.append(JSONPart(part, at: part.start, path: "\(path)[\(index)]"))
        }
        return elements
    }

    /// Returns a string's UTF-8.
    func utf8() throws(TokenizerError) -> [UInt8] {
        try scan("a string", isString) { scanner throws(JSONScanner.Fault) in
            try scanner.string()
        }
    }

    /// Returns a string.
    func string() throws(TokenizerError) -> String {
        String(decoding: try utf8(), as: UTF8.self)
    }

    /// Returns a number.
    func double() throws(TokenizerError) -> Double {
        let text = try scan("a number", true) { scanner throws(JSONScanner.Fault) in
            try scanner.number()
        }
        guard let value = Double(text), value.isFinite else { throw fault("\(text) is too large") }
        return value
    }

    /// Returns an integer of at least 0.
    func count() throws(TokenizerError) -> Int {
        let text = try scan("a number", true) { scanner throws(JSONScanner.Fault) in
            try scanner.number()
        }
        guard let value = Int(text), value >= 0 else {
            throw fault("\(text) is not an integer of at least 0")
        }
        return value
    }

    /// Returns an id: an integer up to the largest that a vocabulary may have.
    func id() throws(TokenizerError) -> Int {
        let id = try count()
        guard id <= PieceTable.largestID else {
            throw fault("the id \(id) is above the limit of \(PieceTable.largestID)")
        }
        return id
    }

    /// Returns true or false.
    func bool() throws(TokenizerError) -> Bool {
        switch first {
        case UInt8(ascii: "t"): true
        case UInt8(ascii: "f"): false
        default: throw fault("is neither true nor false")
        }
    }
}

/// A JSON object with its members by name.
struct JSONObject {
    let part: JSONPart
    private let members: [String: JSONPart]

    init(_ part: JSONPart) throws(TokenizerError) {
        self.part = part
        members = try part.members()
    }

    /// Returns a member, unless it is null.
    subscript(name: String) -> JSONPart? {
        members[name].flatMap { $0.isNull ? nil : $0 }
    }

    /// Returns a member that must exist.
    func required(_ name: String) throws(TokenizerError) -> JSONPart {
        guard let member = self[name] else { throw part.fault("\"\(name)\" is missing") }
        return member
    }

    /// Returns a flag or its default.
    func flag(_ name: String, default value: Bool) throws(TokenizerError) -> Bool {
        try self[name]?.bool() ?? value
    }

    /// Returns the string in `type`.
    func type() throws(TokenizerError) -> String { try required("type").string() }
}
