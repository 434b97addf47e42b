/// Turns texts into token batches: clean, tokenize, cut, add special tokens, pad.
///
/// Cleaning comes first, because it counts words and deletes punctuation that would otherwise be
/// tokens. The lengths that the published implementations use (special tokens included):
///
/// | | original | LAVIS |
/// |---|---|---|
/// | pretraining | at most 25 | at most 30 |
/// | retrieval, training | any number | at most 30 |
/// | retrieval, evaluation | at most 30, padded to 30 | at most 35, padded to 35 |
/// | questions, training | at most 25 | |
/// | questions, evaluation; sentence pairs | any number | |
public struct TextPreprocessor: Sendable {
    /// What happens to a text before the tokenizer.
    public enum Cleaning: Sendable, Hashable {
        /// ``TextRules/caption(_:)``.
        case caption
        /// ``TextRules/question(_:maximumWords:)``; `nil` keeps ``TextRules/questionWords``.
        case question(maximumWords: Int? = nil)
        /// Nothing, as for answers.
        case none
    }

    /// The cleaning rules and special tokens.
    public var rules: TextRules
    /// The tokenizer.
    public let tokenizer: WordPieceTokenizer

    /// Combines the rules of an implementation with a tokenizer.
    public init(rules: TextRules, tokenizer: WordPieceTokenizer) {
        self.rules = rules
        self.tokenizer = tokenizer
    }

    /// Prepares texts for a text encoder.
    ///
    /// - Parameters:
    ///   - texts: As typed or as annotated.
    ///   - cleaning: The rules to clean them with; as captions by default.
    ///   - maximumTokens: The most tokens of a row, special tokens included; longer texts lose
    ///     their last words, never `[CLS]` or `[SEP]`. Unlimited by default.
    ///   - padding: The length of the rows; the longest row's by default.
    public func batch(
        _ texts: [String], cleaning: Cleaning = .caption, maximumTokens: Int? = nil,
        padding: TokenPadding = .longest
    ) -> TokenBatch {
        TokenBatch(
            rows: texts.map { ids(of: $0, cleaning: cleaning, maximumTokens: maximumTokens) },
            padding: padding, paddingID: tokenizer.vocabulary.special.padding)
    }

    /// The token ids of one text, special tokens included.
    ///
    /// - Parameters:
    ///   - text: As typed or as annotated.
    ///   - cleaning: The rules to clean it with; as a caption by default.
    ///   - maximumTokens: As in ``batch(_:cleaning:maximumTokens:padding:)``.
    public func ids(
        of text: String, cleaning: Cleaning = .caption, maximumTokens: Int? = nil
    ) -> [Int] {
        let special = tokenizer.vocabulary.special
        let specialCount = rules.endsWithSeparator ? 2 : 1
        let limit = maximumTokens.map { max(0, $0 - specialCount) } ?? .max
        let ids = [special.start] + tokenizer.ids(of: clean(text, as: cleaning), limit: limit)
        return rules.endsWithSeparator ? ids + [special.separator] : ids
    }

    /// The text that the tokenizer sees.
    public func clean(_ text: String, as cleaning: Cleaning = .caption) -> String {
        switch cleaning {
        case .caption: rules.caption(text)
        case .question(let maximumWords): rules.question(text, maximumWords: maximumWords)
        case .none: text
        }
    }

    /// The spelling of every token of a batch, row by row, without padding: labels for heat maps.
    public func tokens(of batch: TokenBatch) -> [[String]] {
        (0..<batch.count).map { row in
            tokenizer.vocabulary.tokens(of: batch[row]).map { $0 ?? "[UNK]" }
        }
    }
}
