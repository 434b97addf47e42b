public import SystemPackage

/// The meanings of tokens in words of another vocabulary: `狗` means `dog`.
///
/// The file is UTF-8 text with one line per token: the token, a tab and its meaning.
public struct Glosses: Sendable {
    /// One line of the file.
    struct Gloss: Sendable {
        let text: String
        /// The number of the line, from 1.
        let line: Int
    }

    /// The name of the file in errors.
    let source: String
    /// The glosses by the bytes of the token; canonically equivalent spellings are different
    /// tokens.
    private let glosses: [[UInt8]: Gloss]

    /// The number of tokens with a gloss.
    public var count: Int { glosses.count }

    /// Reads a file of glosses.
    ///
    /// - Throws: ``GlossError``, which names the file, the line and the field.
    public init(contentsOf file: FilePath) throws(GlossError) {
        let bytes: [UInt8]
        do throws(TextFile.Fault) {
            bytes = try TextFile.contents(of: file)
        } catch {
            throw GlossError(.unreadable(reason: error.reason), source: file.string)
        }
        try self.init(utf8: bytes, source: file.string)
    }

    /// Reads the text of a file of glosses.
    ///
    /// - Parameters:
    ///   - text: One line per token; a final newline is optional.
    ///   - source: The name of the text in errors.
    /// - Throws: ``GlossError``, which names the line and the field.
    public init(_ text: String, source: String = "glosses") throws(GlossError) {
        try self.init(utf8: TextFile.withoutMark(Array(text.utf8)), source: source)
    }

    private init(utf8 bytes: [UInt8], source: String) throws(GlossError) {
        self.source = source
        var lines = TextFile.lines(bytes)
        if lines.last?.isEmpty == true { lines.removeLast() }
        var glosses: [[UInt8]: Gloss] = [:]
        glosses.reserveCapacity(lines.count)
        for (index, line) in lines.enumerated() {
            let number = index + 1
            let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
            guard fields.count == 2 else {
                throw GlossError(.fields(line: number, count: fields.count), source: source)
            }
            guard let text = String(validating: fields[1], as: UTF8.self),
                String(validating: fields[0], as: UTF8.self) != nil
            else { throw GlossError(.notText(line: number), source: source) }
            if fields[0].isEmpty { throw GlossError(.noToken(line: number), source: source) }
            let gloss = Gloss(text: text, line: number)
            if let other = glosses.updateValue(gloss, forKey: Array(fields[0])) {
                let token = String(decoding: fields[0], as: UTF8.self)
                throw GlossError(
                    .duplicate(token: token, lines: (other.line, number)), source: source)
            }
        }
        self.glosses = glosses
    }

    /// Returns the gloss of a token, spelled as in its vocabulary.
    subscript(token: String) -> Gloss? { glosses[Array(token.utf8)] }
}

/// The reason that glosses cannot be used.
public struct GlossError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable {
        case unreadable(reason: String)
        case notText(line: Int)
        case fields(line: Int, count: Int)
        case noToken(line: Int)
        case duplicate(token: String, lines: (Int, Int))
        case unknownWords(line: Int, token: String, text: String)
    }

    let code: Code
    let source: String

    init(_ code: Code, source: String) {
        self.code = code
        self.source = source
    }

    /// The file, the line and the problem.
    public var description: String {
        switch code {
        case .unreadable(let reason): "\(source): cannot be read: \(reason)"
        case .notText(let line): "\(source): line \(line) is not UTF-8"
        case .fields(let line, let count):
            "\(source): line \(line) has \(count) field\(count == 1 ? "" : "s") separated by tabs;"
                + " it needs two, a token and its meaning"
        case .noToken(let line): "\(source): line \(line), field 1: the token is empty"
        case .duplicate(let token, let lines):
            "\(source): line \(lines.1), field 1: '\(token)' already has a gloss on line \(lines.0)"
        case .unknownWords(let line, let token, let text):
            "\(source): line \(line), field 2: '\(text)', for '\(token)', has no word in the"
                + " vocabulary of the text tower"
        }
    }
}
