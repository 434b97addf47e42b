/// Splits text into the tokens of a vocabulary, as BERT does.
///
/// The tokenizer first cuts the text into words. It drops control characters, separates words at
/// white space, makes every punctuation mark and ideograph a word, and, if uncased, lower-cases and
/// removes accents. It then spells each word by the longest token at its start, the longest
/// continuation (`##`) after that, and so on. A word that cannot be spelled completely, or has more
/// than ``maximumWordLength`` characters, becomes one `[UNK]`.
///
/// For any text, the ids are those of the `tokenizers` library with `BertNormalizer`,
/// `BertPreTokenizer` and `WordPiece`.
public struct WordPieceTokenizer: Sendable {
    /// The tokens and their ids.
    public let vocabulary: Vocabulary
    /// Whether words are lower-cased and lose their accents, as in all published ALBEF weights.
    public let isUncased: Bool
    /// Whether the spellings of special tokens, such as `[MASK]`, are read as those tokens.
    public let recognizesSpecialTokens: Bool

    /// The maximum number of Unicode scalars of a word; longer words become `[UNK]`.
    public static let maximumWordLength = 100

    /// A copy of the static table, which saves the check of its initialisation for each scalar.
    private let classes: [BertCharacter]

    /// Creates a tokenizer for a vocabulary.
    ///
    /// - Parameters:
    ///   - vocabulary: The tokens.
    ///   - isUncased: Whether to lower-case words and remove their accents; `true` by default, as
    ///     bert-base-uncased and bert-base-chinese require.
    ///   - recognizesSpecialTokens: Whether `[MASK]`, `[CLS]`, `[SEP]`, `[PAD]` and `[UNK]` in a
    ///     text are read as those tokens. `false` by default, so that a query cannot inject them.
    ///     Both published implementations lower-case texts first, after which no spelling matches.
    public init(
        vocabulary: Vocabulary, isUncased: Bool = true, recognizesSpecialTokens: Bool = false
    ) {
        self.vocabulary = vocabulary
        self.isUncased = isUncased
        self.recognizesSpecialTokens = recognizesSpecialTokens
        classes = BertCharacter.basicPlane
    }

    /// Returns the text that tokens spell, with spaces between words, but none between ideographs.
    ///
    /// It is the text of ``ids(of:limit:)`` but for what the tokenizer drops: case, accents and
    /// white space around punctuation.
    ///
    /// - Parameter ids: Token ids; those outside of the vocabulary are left out.
    public func text(of ids: [Int]) -> String {
        var text = ""
        for token in vocabulary.tokens(of: ids).compactMap(\.self) {
            if token.hasPrefix("##"), !text.isEmpty {
                text += token.dropFirst(2)
                continue
            }
            let isJoined = [text.unicodeScalars.last, token.unicodeScalars.first].contains {
                $0.map { BertCharacter.of($0.value) == .ideograph } ?? true
            }
            text += (isJoined ? "" : " ") + token
        }
        return text
    }

    /// Returns the token ids of a text, without `[CLS]` or `[SEP]`.
    ///
    /// - Parameters:
    ///   - text: Any text; an empty or blank text has no tokens.
    ///   - limit: The maximum number of tokens; no limit by default.
    public func ids(of text: String, limit: Int = .max) -> [Int] {
        var ids: [Int] = []
        guard recognizesSpecialTokens, text.utf8.contains(UInt8(ascii: "[")) else {
            appendIDs(of: text, to: &ids, limit: limit)
            return ids
        }
        for part in SpecialTokenSplitter(vocabulary).split(text) {
            switch part {
            case .text(let text): appendIDs(of: text, to: &ids, limit: limit)
            case .token(let id): if ids.count < limit { ids.append(id) }
            }
        }
        return ids
    }

    /// Returns the tokens of a text as spelled in the vocabulary, without `[CLS]` or `[SEP]`.
    public func tokens(of text: String) -> [String] {
        ids(of: text).map { vocabulary.tokens[$0] }
    }

    private func appendIDs(of text: String, to ids: inout [Int], limit: Int) {
        var splitter = WordSplitter(text, isUncased: isUncased)
        while ids.count < limit, let length = splitter.next(classes) {
            spell(splitter.word, length: length, to: &ids)
        }
        if ids.count > limit { ids.removeLast(ids.count - limit) }
    }

    /// Appends the tokens that spell a word, or `[UNK]`.
    func spell(_ word: [UInt8], length: Int, to ids: inout [Int]) {
        let start = ids.count
        var position = 0
        var root = Vocabulary.wordRoot
        if length <= Self.maximumWordLength {
            while position < word.count,
                let match = vocabulary.trie.longestMatch(in: word, from: position, root: root)
            {
                ids.append(Int(match.token))
                position = match.end
                root = Vocabulary.continuationRoot
            }
        }
        if position < word.count {
            ids.removeLast(ids.count - start)
            ids.append(vocabulary.special.unknown)
        }
    }
}

/// Splits a text at the spellings of special tokens.
struct SpecialTokenSplitter {
    enum Part {
        case text(String)
        case token(Int)
    }

    private let spellings: [(utf8: [UInt8], id: Int)]

    init(_ vocabulary: Vocabulary) {
        spellings = zip(Vocabulary.SpecialTokens.spellings, vocabulary.special.ids)
            .map { (Array($0.utf8), $1) }
    }

    func split(_ text: String) -> [Part] {
        let bytes = Array(text.utf8)
        var parts: [Part] = []
        var start = 0
        var position = 0
        while position < bytes.count {
            let rest = bytes[position...]
            guard rest.first == UInt8(ascii: "["),
                let found = spellings.first(where: { rest.starts(with: $0.utf8) })
            else {
                position += 1
                continue
            }
            parts.append(.text(String(decoding: bytes[start..<position], as: UTF8.self)))
            parts.append(.token(found.id))
            position += found.utf8.count
            start = position
        }
        parts.append(.text(String(decoding: bytes[start...], as: UTF8.self)))
        return parts
    }
}
