/// What the texts of a model go through: cleaning, tokenizer and framing.
public struct TextInput: Sendable {
    /// What turns a cleaned text into ids.
    public let tokenizer: Tokenizer
    /// What happens before it, what stands around the ids, and how rows are cut and padded.
    public let framing: TextFraming

    /// Combines a tokenizer with a framing.
    public init(tokenizer: Tokenizer, framing: TextFraming) {
        self.tokenizer = tokenizer
        self.framing = framing
    }

    /// The input of a BERT.
    ///
    /// - Parameters:
    ///   - vocabulary: its word pieces.
    ///   - isUncased: whether words are lower-cased and lose their accents.
    ///   - cleaning: what happens before.
    ///   - endsWithSeparator: whether `[SEP]` ends a text; the original ALBEF leaves it out.
    ///   - length: the most tokens of a text, `[CLS]` and `[SEP]` included.
    ///   - isFixedLength: whether every row is padded to that length.
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

    /// Texts as the rows of the text encoder.
    public func batch(_ texts: [String]) -> TokenBatch { framing.batch(texts, by: tokenizer) }

    /// The token ids of a text with those that frame it.
    public func ids(of text: String) -> [Int] { framing.ids(of: text, by: tokenizer) }

    /// The words of a text; their tokens are places among ``ids(of:)``.
    public func words(of text: String) -> [TokenizedWord] { framing.words(of: text, by: tokenizer) }

    /// The text that the tokenizer sees.
    public func clean(_ text: String) -> String { framing.cleaning.clean(text) }

    /// Whether nothing of a text is left to read.
    public func isEmpty(_ text: String) -> Bool { tokenizer.ids(of: clean(text), limit: 1).isEmpty }
}
