/// A word of a text and the tokens that spell it.
public struct TokenizedWord: Sendable, Hashable {
    /// The word as the tokenizer reads it: lower-cased and without accents if the tokenizer is
    /// uncased, or a single ideograph or punctuation mark.
    public let text: String
    /// The positions of its tokens in the result of the tokenizer's `ids(of:limit:)`; never empty.
    public let tokens: Range<Int>
}

extension WordPieceTokenizer {
    /// Returns the words of a text, including those that the vocabulary cannot spell.
    ///
    /// The spellings of special tokens are words here, regardless of ``recognizesSpecialTokens``.
    ///
    /// - Parameters:
    ///   - text: Any text.
    ///   - limit: The maximum number of tokens; a word that exceeds it is cut off.
    public func words(of text: String, limit: Int = .max) -> [TokenizedWord] {
        var splitter = WordSplitter(text, isUncased: isUncased)
        var words: [TokenizedWord] = []
        var ids: [Int] = []
        while ids.count < limit, let length = splitter.next(BertCharacter.basicPlane) {
            let start = ids.count
            spell(splitter.word, length: length, to: &ids)
            words.append(
                TokenizedWord(
                    text: String(decoding: splitter.word, as: UTF8.self),
                    tokens: start..<min(ids.count, limit)))
        }
        return words
    }
}
