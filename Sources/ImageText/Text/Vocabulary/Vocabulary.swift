import Storage
public import SystemPackage

/// The tokens of a text encoder; the id of a token is its line in the vocabulary file, from 0.
///
/// The file is Google's `vocab.txt`: UTF-8, one token per line, with `##` before continuations of a
/// word. Lines end with U+000A, or all with U+000D U+000A as on Windows. Other line separators do
/// not end a line, because two tokens of bert-base-chinese are such separators. A byte order mark
/// is ignored.
public struct Vocabulary: Sendable {
    /// The ids of the special tokens.
    public struct SpecialTokens: Sendable, Hashable {
        /// `[PAD]`, which fills a row up to the length of its batch.
        public let padding: Int
        /// `[UNK]`, which replaces a word that no tokens spell.
        public let unknown: Int
        /// `[CLS]`, which starts every text and represents its meaning.
        public let start: Int
        /// `[SEP]`, which ends a text in some dialects.
        public let separator: Int
        /// `[MASK]`, which hides a token from the model.
        public let mask: Int

        /// The spellings, in the order of the properties.
        public static let spellings = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

        /// All five ids, in the order of the properties.
        public var ids: [Int] { [padding, unknown, start, separator, mask] }
    }

    /// The ids of `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]`.
    public let special: SpecialTokens
    /// Every token, by id.
    public let tokens: [String]
    /// All tokens below ``wordRoot``, and continuations without their `##` below
    /// ``continuationRoot``.
    let trie: TokenTrie

    static let wordRoot = 0
    static let continuationRoot = 1

    /// The number of tokens.
    public var count: Int { tokens.count }

    /// Reads a vocabulary file.
    ///
    /// - Throws: ``VocabularyError`` if the file cannot be read or is not a vocabulary.
    public init(contentsOf file: FilePath) throws(VocabularyError) {
        let bytes: [UInt8]
        do throws(TextFile.Fault) {
            bytes = try TextFile.contents(of: file)
        } catch {
            throw VocabularyError(.unreadable(reason: error.reason), source: file.string)
        }
        try self.init(utf8: bytes, source: file.string)
    }

    /// Reads the text of a vocabulary file.
    ///
    /// - Parameters:
    ///   - text: One token per line; a final newline is optional.
    ///   - source: The name of the text in errors.
    /// - Throws: ``VocabularyError`` if the text is not a vocabulary.
    public init(_ text: String, source: String = "vocabulary") throws(VocabularyError) {
        try self.init(utf8: TextFile.withoutMark(Array(text.utf8)), source: source)
    }

    private init(utf8 bytes: [UInt8], source: String) throws(VocabularyError) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        if lines.isEmpty { throw VocabularyError(.empty, source: source) }
        let carriageReturn = UInt8(ascii: "\r")
        // The last line may have no end.
        if lines.count > 1, lines.dropLast().allSatisfy({ $0.last == carriageReturn }) {
            lines = lines.map { $0.last == carriageReturn ? $0.dropLast() : $0 }
        }
        var trie = TokenTrie(roots: 2, capacity: bytes.count)
        var tokens: [String] = []
        tokens.reserveCapacity(lines.count)
        for (id, line) in lines.enumerated() {
            guard let token = String(validating: line, as: UTF8.self) else {
                throw VocabularyError(.notText(line: id + 1), source: source)
            }
            if token.isEmpty { throw VocabularyError(.emptyToken(line: id + 1), source: source) }
            let first = trie.insert(line, token: Int32(id), root: Self.wordRoot)
            if let first {
                let lines = (Int(first) + 1, id + 1)
                throw VocabularyError(.duplicate(token: token, lines: lines), source: source)
            }
            if line.starts(with: "##".utf8) {
                let continuation = line.dropFirst(2)
                _ = trie.insert(continuation, token: Int32(id), root: Self.continuationRoot)
            }
            tokens.append(token)
        }
        var ids: [Int] = []
        for spelling in SpecialTokens.spellings {
            guard let id = trie.token(spelling.utf8, root: Self.wordRoot) else {
                let carriageReturns = lines[0].last == UInt8(ascii: "\r")
                throw VocabularyError(
                    .missing(token: spelling, carriageReturns: carriageReturns), source: source)
            }
            ids.append(Int(id))
        }
        special = SpecialTokens(
            padding: ids[0], unknown: ids[1], start: ids[2], separator: ids[3], mask: ids[4])
        self.tokens = tokens
        self.trie = trie
    }

    /// Returns the id of a token, spelled as in the file (continuations with their `##`).
    public func id(of token: String) -> Int? {
        trie.token(token.utf8, root: Self.wordRoot).map(Int.init)
    }

    /// Returns the tokens with the given ids; `nil` for an id outside the vocabulary.
    public func tokens(of ids: some Sequence<Int>) -> [String?] {
        ids.map { tokens.indices.contains($0) ? tokens[$0] : nil }
    }
}

extension Vocabulary {
    /// Writes the vocabulary as Google's `vocab.txt`: one token per line, each ended by U+000A.
    ///
    /// The write is atomic: a failure leaves no partial file.
    ///
    /// - Parameters:
    ///   - file: The file to write.
    ///   - replaces: Whether an existing file is replaced; by default it is an error.
    /// - Throws: ``VocabularyError``, which names the file.
    public func write(to file: FilePath, replacing replaces: Bool = false) throws(VocabularyError) {
        if !replaces, FileSystem.exists(file) {
            throw VocabularyError(.exists, source: file.string)
        }
        let bytes = tokens.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }
        do {
            try AtomicFile.write(bytes, to: file)
        } catch {
            let reason = (error as? FileError)?.reason ?? "\(error)"
            throw VocabularyError(.unwritable(reason: reason), source: file.string)
        }
    }
}

/// The reason that a vocabulary could not be read or written.
public struct VocabularyError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable {
        case unreadable(reason: String)
        case unwritable(reason: String)
        case exists
        case empty
        case notText(line: Int)
        case emptyToken(line: Int)
        case duplicate(token: String, lines: (Int, Int))
        case missing(token: String, carriageReturns: Bool)
    }

    let code: Code
    let source: String

    init(_ code: Code, source: String) {
        self.code = code
        self.source = source
    }

    /// The file and the problem.
    public var description: String {
        switch code {
        case .unreadable(let reason): "\(source): cannot be read: \(reason)"
        case .unwritable(let reason): "\(source): \(reason)"
        case .exists: "\(source): already exists"
        case .empty: "\(source): the vocabulary is empty"
        case .notText(let line): "\(source): line \(line) is not UTF-8"
        case .emptyToken(let line): "\(source): line \(line) is empty; every line must be a token"
        case .duplicate(let token, let lines):
            "\(source): the token '\(token)' is on line \(lines.0) and again on line \(lines.1)"
        case .missing(let token, false): "\(source): the special token \(token) is missing"
        case .missing(let token, true):
            "\(source): the special token \(token) is missing; "
                + "either all lines or no line must end with a carriage return"
        }
    }
}
