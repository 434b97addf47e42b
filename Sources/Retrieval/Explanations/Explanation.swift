public import ALBEF

/// Where in an image the words of a text were found: Grad-CAM of its match.
public struct Explanation: Sendable, Hashable {
    /// A word of the text.
    public struct Word: Sendable, Hashable {
        /// The word as the model reads it, lower-cased; a Chinese character is a word of its own.
        public let text: String
        /// Its tokens among ``Explanation/tokens``; several where the vocabulary spells it in pieces.
        public let tokens: Range<Int>
        /// The mean of its tokens' maps.
        public let map: HeatMap
        /// Its part of the heat of all words, from 0 to 1: how much the match rests on it.
        public let share: Float
    }

    /// The text's L tokens as the vocabulary spells them, `[CLS]` first.
    public let tokens: [String]
    /// A map a token, L maps: where it looks, as far as looking there speaks for a match.
    public let tokenMaps: [HeatMap]
    /// The words, in order, up to the model's length.
    public let words: [Word]
    /// The mean of all tokens' maps, special ones included: the whole sentence, by which the original
    /// localises.
    public let sentence: HeatMap
    /// How well the text fits the image, as ``SearchModel/score(_:_:)`` says it.
    public let score: PairScore
    /// Both outputs of the ITM head.
    public let logits: MatchLogits
    /// The layer whose attention is shown, counted from 0 over all of the BERT stack.
    public let layer: Int

    /// How strongly to draw a word's map, from 0 to 1 for the word with most of the heat: a word that
    /// the match does not rest on should not look as if it did.
    ///
    /// The square root of the shares' quotient, which keeps a tenth of the heat visible.
    public func strength(of word: Word) -> Float {
        let most = words.map(\.share).max() ?? 0
        return most > 0 ? (word.share / most).squareRoot() : 0
    }
}

/// An image and a text whose match cannot be explained.
public struct ExplanationError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable { case matching }

    private let code: Code
    /// What is wrong, in one line.
    public let description: String

    static let matching = ExplanationError(
        code: .matching,
        description:
            "this model was not trained to match images with texts (objectives.matching):"
            + " there is no match to explain")
}
