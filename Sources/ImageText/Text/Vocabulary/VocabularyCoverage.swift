/// How well a vocabulary spells a set of captions.
public struct VocabularyCoverage: Sendable, Hashable {
    /// How many captions there are.
    public let captions: Int
    /// How many words they have.
    public let words: Int
    /// How many tokens spell them, `[UNK]` included, `[CLS]` and `[SEP]` not.
    public let tokens: Int
    /// How many of the words are one token, other than `[UNK]`.
    public let singleTokenWords: Int
    /// How many of the words are `[UNK]`.
    public let unknownWords: Int

    /// Tokens of a caption on average, without `[CLS]` and `[SEP]`; 0 without captions.
    public var tokensPerCaption: Double { Self.ratio(tokens, captions) }
    /// The share of the words that are one token, other than `[UNK]`.
    public var singleTokenShare: Double { Self.ratio(singleTokenWords, words) }
    /// The share of the words that are `[UNK]`.
    public var unknownShare: Double { Self.ratio(unknownWords, words) }

    /// Spells every word.
    ///
    /// - Parameters:
    ///   - vocabulary: The tokens.
    ///   - counts: The words of the captions, counted as the tokenizer cuts them.
    public init(of vocabulary: Vocabulary, on counts: WordCounts) {
        let tokenizer = WordPieceTokenizer(vocabulary: vocabulary, isUncased: counts.isUncased)
        var (tokens, single, unknown) = (0, 0, 0)
        for (word, count) in counts.counts {
            var ids: [Int] = []
            tokenizer.spell(word, length: Scalars(word).reduce(0) { sum, _ in sum + 1 }, to: &ids)
            tokens += ids.count * count
            if ids == [vocabulary.special.unknown] {
                unknown += count
            } else if ids.count == 1 {
                single += count
            }
        }
        captions = counts.captions
        words = counts.total
        self.tokens = tokens
        singleTokenWords = single
        unknownWords = unknown
    }

    private static func ratio(_ part: Int, _ whole: Int) -> Double {
        whole > 0 ? Double(part) / Double(whole) : 0
    }
}
