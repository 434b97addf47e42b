/// A tokenizer, which turns texts into the token ids of a text encoder.
///
/// It is a plain value, so that other code need not distinguish the kinds of models.
/// ``TextFraming`` adds the ids around a text.
public enum Tokenizer: Sendable {
    /// BERT's tokenizer: ALBEF, BLIP, Chinese-CLIP.
    case wordPiece(WordPieceTokenizer)
    /// Any other tokenizer: CLIP, SigLIP, XLM-R, Gemma.
    case pipeline(TokenPipeline)

    /// The largest id plus 1: the minimum number of rows of the embedding table.
    public var count: Int {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.vocabulary.count
        case .pipeline(let tokenizer): tokenizer.count
        }
    }

    /// The id of the unknown token; `nil` if unknown characters are dropped or become bytes.
    public var unknown: Int? {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.vocabulary.special.unknown
        case .pipeline(let tokenizer): tokenizer.unknown
        }
    }

    /// The ids of the special tokens, ascending.
    public var special: [Int] {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.vocabulary.special.ids.sorted()
        case .pipeline(let tokenizer): tokenizer.special
        }
    }

    /// Returns the token ids of a text, without those that frame it.
    ///
    /// - Parameters:
    ///   - text: Any text; an empty text has no tokens.
    ///   - limit: The maximum number of tokens; no limit by default.
    public func ids(of text: String, limit: Int = .max) -> [Int] {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.ids(of: text, limit: limit)
        case .pipeline(let tokenizer): tokenizer.ids(of: text, limit: limit)
        }
    }

    /// Returns the words of a text with the positions of their tokens in ``ids(of:limit:)``.
    ///
    /// - Parameters:
    ///   - text: Any text.
    ///   - limit: The maximum number of tokens; a word that exceeds it is cut off.
    public func words(of text: String, limit: Int = .max) -> [TokenizedWord] {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.words(of: text, limit: limit)
        case .pipeline(let tokenizer): tokenizer.words(of: text, limit: limit)
        }
    }

    /// Returns the id of a token, spelled as in the vocabulary file.
    public func id(of token: String) -> Int? {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.vocabulary.id(of: token)
        case .pipeline(let tokenizer): tokenizer.id(of: token)
        }
    }

    /// Returns the tokens with the given ids, spelled as in the file; `nil` for an id without a
    /// token.
    public func tokens(of ids: some Sequence<Int>) -> [String?] {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.vocabulary.tokens(of: ids)
        case .pipeline(let tokenizer): tokenizer.tokens(of: ids)
        }
    }
}
