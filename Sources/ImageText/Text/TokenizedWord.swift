/// A word of a text and the tokens that spell it.
public struct TokenizedWord: Sendable, Hashable {
    /// The word as the tokenizer reads it: lower-cased and without accents where that is uncased, a
    /// single character where that is an ideograph or a punctuation mark.
    public let text: String
    /// Its tokens among those of the tokenizer's `ids(of:limit:)`; never empty.
    public let tokens: Range<Int>
}

extension WordPieceTokenizer {
    /// The words of a text, also those that the vocabulary cannot spell.
    ///
    /// Special tokens that are typed literally are words here, whatever
    /// ``recognizesSpecialTokens`` says.
    ///
    /// - Parameters:
    ///   - text: Any text.
    ///   - limit: Stop after this many tokens; a word that would go on after that ends there.
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
