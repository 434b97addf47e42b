/// A measure of how well a vocabulary spells a set of captions.
public struct VocabularyCoverage: Sendable, Hashable {
    /// The number of captions.
    public let captions: Int
    /// The number of their words.
    public let words: Int
    /// The number of tokens that spell them, including `[UNK]`, without `[CLS]` and `[SEP]`.
    public let tokens: Int
    /// The number of words that are one token other than `[UNK]`.
    public let singleTokenWords: Int
    /// The number of words that are `[UNK]`.
    public let unknownWords: Int

    /// The mean number of tokens per caption, without `[CLS]` and `[SEP]`; 0 without captions.
    public var tokensPerCaption: Double { Self.ratio(tokens, captions) }
    /// The share of words that are one token other than `[UNK]`; 0 without words.
    public var singleTokenShare: Double { Self.ratio(singleTokenWords, words) }
    /// The share of words that are `[UNK]`; 0 without words.
    public var unknownShare: Double { Self.ratio(unknownWords, words) }

    /// Measures a vocabulary by spelling every word.
    ///
    /// - Parameters:
    ///   - vocabulary: The vocabulary.
    ///   - counts: The words of the captions.
    /// - Complexity: O(*n*) for *n* bytes of distinct words.
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
