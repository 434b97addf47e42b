/// The preparation of a model's texts: cleaning, tokenizer and framing.
public struct TextInput: Sendable {
    /// The tokenizer, which turns a cleaned text into ids.
    public let tokenizer: Tokenizer
    /// The cleaning before the tokenizer, and the framing, truncation and padding after it.
    public let framing: TextFraming

    /// Creates an input from a tokenizer and a framing.
    public init(tokenizer: Tokenizer, framing: TextFraming) {
        self.tokenizer = tokenizer
        self.framing = framing
    }

    /// Creates the input of a BERT.
    ///
    /// - Parameters:
    ///   - vocabulary: The vocabulary of the model.
    ///   - isUncased: Whether words are lower-cased and lose their accents.
    ///   - cleaning: The cleaning of a text before the tokenizer.
    ///   - endsWithSeparator: Whether `[SEP]` ends a text; the original ALBEF omits it.
    ///   - length: The maximum number of tokens per row, including `[CLS]` and `[SEP]`; `nil` for
    ///     no limit.
    ///   - isFixedLength: Whether every row is padded to `length`; `false` by default.
    public init(
        vocabulary: Vocabulary, isUncased: Bool, cleaning: TextCleaning, endsWithSeparator: Bool,
        length: Int?, isFixedLength: Bool = false
    ) {
        let special = vocabulary.special
        self.init(
            tokenizer: .wordPiece(
                WordPieceTokenizer(vocabulary: vocabulary, isUncased: isUncased)),
            framing: TextFraming(
                cleaning: cleaning, start: [special.start],
                end: endsWithSeparator ? [special.separator] : [], length: length,
                isFixedLength: isFixedLength, padding: special.padding))
    }

    /// Returns texts as the rows of the text encoder's input, `[texts.count, L]`.
    public func batch(_ texts: [String]) -> TokenBatch { framing.batch(texts, by: tokenizer) }

    /// Returns the token ids of a text, including those that frame it.
    public func ids(of text: String) -> [Int] { framing.ids(of: text, by: tokenizer) }

    /// Returns the words of a text; their tokens are positions in ``ids(of:)``.
    public func words(of text: String) -> [TokenizedWord] { framing.words(of: text, by: tokenizer) }

    /// Returns the cleaned text that the tokenizer receives.
    public func clean(_ text: String) -> String { framing.cleaning.clean(text) }

    /// Returns whether a text has no tokens after cleaning.
    public func isEmpty(_ text: String) -> Bool { tokenizer.ids(of: clean(text), limit: 1).isEmpty }
}
