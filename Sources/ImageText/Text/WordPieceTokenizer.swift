/// Splits text into the tokens of a vocabulary, as BERT does.
///
/// Two steps. The text is cut into words: control characters go, white space separates,
/// every punctuation mark and ideograph is a word of its own, and an uncased tokenizer lower-cases
/// and removes accents. Each word is then spelled by the longest token that starts it, the longest
/// continuation (`##`) after that, and so on; a word that cannot be spelled to its end, or has more
/// than ``maximumWordLength`` characters, becomes one `[UNK]`.
///
/// The ids are those of the `tokenizers` library for `BertNormalizer`, `BertPreTokenizer` and
/// `WordPiece`, for any text.
public struct WordPieceTokenizer: Sendable {
    /// The tokens and their ids.
    public let vocabulary: Vocabulary
    /// Whether words are lower-cased and lose their accents; true for all published ALBEF weights.
    public let isUncased: Bool
    /// Whether `[MASK]` and the other special tokens, typed literally, stand for themselves.
    public let recognizesSpecialTokens: Bool

    /// The most characters (Unicode scalars) that a word can have and still be spelled.
    public static let maximumWordLength = 100

    /// Held here so that the walk over a text does not go through the static's once-check.
    private let classes: [BertCharacter]

    /// A tokenizer over a vocabulary.
    ///
    /// - Parameters:
    ///   - vocabulary: The tokens.
    ///   - isUncased: Lower-case words and strip their accents. Use `true` for bert-base-uncased
    ///     and bert-base-chinese.
    ///   - recognizesSpecialTokens: Read `[MASK]`, `[CLS]`, `[SEP]`, `[PAD]` and `[UNK]` in a text
    ///     as those tokens. Off by default, so that a query cannot smuggle them in: both published
    ///     implementations lower-case their texts first, after which no spelling matches.
    public init(
        vocabulary: Vocabulary, isUncased: Bool = true, recognizesSpecialTokens: Bool = false
    ) {
        self.vocabulary = vocabulary
        self.isUncased = isUncased
        self.recognizesSpecialTokens = recognizesSpecialTokens
        classes = BertCharacter.basicPlane
    }

    /// The token ids of a text, without `[CLS]` or `[SEP]`.
    ///
    /// - Parameters:
    ///   - text: Any text; an empty one, or one of white space, has no tokens.
    ///   - limit: Stop after this many tokens.
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

    /// The tokens of a text as the vocabulary spells them, without `[CLS]` or `[SEP]`.
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

/// Cuts a text at the special tokens that are typed in it literally.
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
