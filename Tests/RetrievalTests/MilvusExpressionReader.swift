import Foundation

/// Evaluates the part of Milvus's filter language that `MilvusExpression` writes, over the JSON
/// that a store keeps.
///
/// A member that is missing, or has another type, fulfils no comparison.
struct MilvusExpressionReader {
    private enum Token: Equatable {
        case word(String), text(String), number(Double), sign(String)
    }

    enum Member: Decodable {
        case number(Double), text(String), list([String])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else {
                self = .list(try container.decode([String].self))
            }
        }
    }

    struct SyntaxError: Error { let place: Int }

    private let tokens: [Token]
    private var place = 0
    private var members: [String: Member] = [:]

    /// Reads an expression.
    init(_ text: String) throws { tokens = try Self.tokens(of: text) }

    /// Returns whether the JSON fulfils the expression.
    func holds(_ json: String) throws -> Bool {
        if tokens.isEmpty { return true }
        var reader = self
        reader.members = try JSONDecoder().decode([String: Member].self, from: Data(json.utf8))
        let result = try reader.disjunction()
        guard reader.place == tokens.count else { throw SyntaxError(place: reader.place) }
        return result
    }

    // MARK: Grammar

    private mutating func disjunction() throws -> Bool {
        var result = try conjunction()
        while take(.word("or")) { result = try conjunction() || result }
        return result
    }

    private mutating func conjunction() throws -> Bool {
        var result = try condition()
        while take(.word("and")) { result = try condition() && result }
        return result
    }

    private mutating func condition() throws -> Bool {
        if take(.word("not")) { return try !condition() }
        if take(.sign("(")) {
            let result = try disjunction()
            try expect(.sign(")"))
            return result
        }
        if take(.word("json_contains")) {
            try expect(.sign("("))
            let member = try member()
            try expect(.sign(","))
            guard case .text(let wanted) = try next() else { throw SyntaxError(place: place) }
            try expect(.sign(")"))
            if case .list(let list) = member { return list.contains(wanted) }
            return false
        }
        let member = try member()
        guard case .sign(let sign) = try next() else { throw SyntaxError(place: place) }
        switch (member, try next()) {
        case (.number(let a), .number(let b)): return Self.compare(a, sign, b)
        case (.text(let a), .text(let b)):
            // Milvus compares bytes.
            return Self.compare(Bytes(a), sign, Bytes(b))
        default: return false
        }
    }

    private mutating func member() throws -> Member? {
        try expect(.word("fields"))
        try expect(.sign("["))
        guard case .text(let name) = try next() else { throw SyntaxError(place: place) }
        try expect(.sign("]"))
        return members[name]
    }

    private struct Bytes: Comparable {
        let bytes: [UInt8]
        init(_ text: String) { bytes = Array(text.utf8) }
        static func < (a: Bytes, b: Bytes) -> Bool {
            a.bytes.lexicographicallyPrecedes(b.bytes)
        }
    }

    private static func compare<Value: Comparable>(_ a: Value, _ sign: String, _ b: Value) -> Bool {
        switch sign {
        case "==": a == b
        case "<": a < b
        case "<=": a <= b
        case ">": a > b
        default: a >= b
        }
    }

    // MARK: Tokens

    private mutating func next() throws -> Token {
        guard place < tokens.count else { throw SyntaxError(place: place) }
        defer { place += 1 }
        return tokens[place]
    }

    private mutating func take(_ token: Token) -> Bool {
        guard place < tokens.count, tokens[place] == token else { return false }
        place += 1
        return true
    }

    private mutating func expect(_ token: Token) throws {
        guard take(token) else { throw SyntaxError(place: place) }
    }

    private static func tokens(of text: String) throws -> [Token] {
        let token =
            #/\s*(?:(?<word>[a-z_]+)|(?<number>-?[0-9][0-9.]*(?:e[-+]?[0-9]+)?)|(?<sign>[<>=]=|[<>()\[\],])|"(?<text>(?:[^"\\]|\\.)*)")/#
            .matchingSemantics(.unicodeScalar)
        var (rest, tokens) = (text[...], [Token]())
        while !rest.isEmpty {
            guard let match = rest.prefixMatch(of: token) else {
                throw SyntaxError(place: tokens.count)
            }
            rest = rest[match.range.upperBound...]
            if let word = match.output.word {
                tokens.append(.word(String(word)))
            } else if let number = match.output.number.flatMap({ Double($0) }) {
                tokens.append(.number(number))
            } else if let sign = match.output.sign {
                tokens.append(.sign(String(sign)))
            } else if let text = match.output.text {
                // The escapes are those of JSON.
                let json = Data("\"\(text)\"".utf8)
                tokens.append(.text(try JSONDecoder().decode(String.self, from: json)))
            }
        }
        return tokens
    }
}
