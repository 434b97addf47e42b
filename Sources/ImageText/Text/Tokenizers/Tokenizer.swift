/// What turns texts into the token ids of a text encoder.
///
/// A plain value: the rest of the code holds it without knowing which model it came with.
/// ``TextFraming`` says what comes around the ids.
public enum Tokenizer: Sendable {
    /// BERT's: ALBEF, BLIP, Chinese-CLIP.
    case wordPiece(WordPieceTokenizer)
    /// Any other: CLIP, SigLIP, XLM-R, Gemma.
    case pipeline(TokenPipeline)

    /// One more than the largest id: how many rows the table of embeddings has at least.
    public var count: Int {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.vocabulary.count
        case .pipeline(let tokenizer): tokenizer.count
        }
    }

    /// The id of what the vocabulary cannot spell; nil if such characters vanish.
    public var unknown: Int? {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.vocabulary.special.unknown
        case .pipeline(let tokenizer): tokenizer.unknown
        }
    }

    /// The ids of the tokens with a meaning of their own, ascending.
    public var special: [Int] {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.vocabulary.special.ids.sorted()
        case .pipeline(let tokenizer): tokenizer.special
        }
    }

    /// The token ids of a text, without those that frame it.
    ///
    /// - Parameters:
    ///   - text: Any text; an empty one has no tokens.
    ///   - limit: Stop after this many tokens.
    public func ids(of text: String, limit: Int = .max) -> [Int] {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.ids(of: text, limit: limit)
        case .pipeline(let tokenizer): tokenizer.ids(of: text, limit: limit)
        }
    }

    /// The words of a text with the places of their tokens among ``ids(of:limit:)``.
    ///
    /// - Parameters:
    ///   - text: Any text.
    ///   - limit: Stop after this many tokens; a word that would go on after that ends there.
    public func words(of text: String, limit: Int = .max) -> [TokenizedWord] {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.words(of: text, limit: limit)
        case .pipeline(let tokenizer): tokenizer.words(of: text, limit: limit)
        }
    }

    /// The id of a token, spelled as in the file of the vocabulary.
    public func id(of token: String) -> Int? {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.vocabulary.id(of: token)
        case .pipeline(let tokenizer): tokenizer.id(of: token)
        }
    }

    /// The tokens with these ids, spelled as in the file; `nil` stands for an id without a token.
    public func tokens(of ids: some Sequence<Int>) -> [String?] {
        switch self {
        case .wordPiece(let tokenizer): tokenizer.vocabulary.tokens(of: ids)
        case .pipeline(let tokenizer): tokenizer.tokens(of: ids)
        }
    }
}
