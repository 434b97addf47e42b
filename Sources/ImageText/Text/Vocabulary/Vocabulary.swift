public import SystemPackage

/// The tokens a text encoder knows; a token's id is its line in the vocabulary file.
///
/// The file is Google's `vocab.txt`: UTF-8, one token per line, continuations of a word marked with
/// `##`. Lines end with U+000A, or all of them with U+000D U+000A as on Windows: bert-base-chinese has
/// two tokens that are line separators to any smarter splitting, which would shift every id after
/// them. A byte order mark is not part of the first token.
public struct Vocabulary: Sendable {
    /// The ids of the tokens with a meaning of their own.
    public struct SpecialTokens: Sendable, Hashable {
        /// `[PAD]`, which fills a row up to the length of its batch.
        public let padding: Int
        /// `[UNK]`, a word that no tokens spell.
        public let unknown: Int
        /// `[CLS]`, which starts every text and carries its meaning.
        public let start: Int
        /// `[SEP]`, which ends a text where the dialect wants it.
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
    /// The tokens that may start a word below ``wordRoot``, continuations below
    /// ``continuationRoot`` without their `##`.
    let trie: TokenTrie

    static let wordRoot = 0
    static let continuationRoot = 1

    /// How many tokens there are.
    public var count: Int { tokens.count }

    /// Reads a vocabulary file.
    ///
    /// - Throws: ``VocabularyError`` when the file cannot be read or is not a vocabulary.
    public init(contentsOf file: FilePath) throws(VocabularyError) {
        let bytes: [UInt8]
        do throws(TextFile.Fault) {
            bytes = try TextFile.contents(of: file)
        } catch {
            throw VocabularyError(.unreadable(reason: error.reason), source: file.string)
        }
        try self.init(utf8: bytes, source: file.string)
    }

    /// Takes the text of a vocabulary file.
    ///
    /// - Parameters:
    ///   - text: One token per line; a final newline is optional.
    ///   - source: What errors call the text.
    /// - Throws: ``VocabularyError`` when the text is not a vocabulary.
    public init(_ text: String, source: String = "vocabulary") throws(VocabularyError) {
        try self.init(utf8: TextFile.withoutMark(Array(text.utf8)), source: source)
    }

    private init(utf8 bytes: [UInt8], source: String) throws(VocabularyError) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        if lines.isEmpty { throw VocabularyError(.empty, source: source) }
        let carriageReturn = UInt8(ascii: "\r")
        // Of the last line the end may be missing.
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

    /// The id of a token, spelled as in the file (continuations with their `##`).
    public func id(of token: String) -> Int? {
        trie.token(token.utf8, root: Self.wordRoot).map(Int.init)
    }

    /// The tokens with these ids; `nil` stands for an id outside the vocabulary.
    public func tokens(of ids: some Sequence<Int>) -> [String?] {
        ids.map { tokens.indices.contains($0) ? tokens[$0] : nil }
    }
}

/// Why a vocabulary could not be read or written.
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

    /// The file and what is wrong with it.
    public var description: String {
        switch code {
        case .unreadable(let reason): "\(source): cannot be read: \(reason)"
        case .unwritable(let reason): "\(source): cannot be written: \(reason)"
        case .exists: "\(source): is there already"
        case .empty: "\(source): the vocabulary is empty"
        case .notText(let line): "\(source): line \(line) is not UTF-8"
        case .emptyToken(let line): "\(source): line \(line) is empty; every line is a token"
        case .duplicate(let token, let lines):
            "\(source): token '\(token)' stands on line \(lines.0) and again on line \(lines.1)"
        case .missing(let token, false): "\(source): the special token \(token) is missing"
        case .missing(let token, true):
            "\(source): the special token \(token) is missing; "
                + "either all lines end with a carriage return or none does"
        }
    }
}
