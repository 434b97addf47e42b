public import ALBEF

/// The places in an image that support the words of a text, as Grad-CAM of their match.
public struct Explanation: Sendable, Hashable {
    /// A word of the text with its heat map.
    public struct Word: Sendable, Hashable {
        /// The word as the model reads it, lower-cased; every Chinese character is one word.
        public let text: String
        /// The indices of the word's tokens in ``Explanation/tokens``; several if the vocabulary
        /// splits it into pieces.
        public let tokens: Range<Int>
        /// The mean of the maps of its tokens.
        public let map: HeatMap
        /// The word's share of the heat of all words, from 0 to 1: how much the match depends
        /// on it.
        public let share: Float
    }

    /// The L tokens of the text as the vocabulary spells them, `[CLS]` first.
    public let tokens: [String]
    /// One map per token, L in all: the attention of the token, weighted by how much it supports a
    /// match.
    public let tokenMaps: [HeatMap]
    /// The words in order, up to the model's length.
    public let words: [Word]
    /// The mean of all tokens' maps, special tokens included, which represents the whole sentence;
    /// the original implementation localises with it.
    public let sentence: HeatMap
    /// The score of the text and the image, as ``SearchModel/score(_:_:)-(FilePath,_)`` returns it.
    public let score: PairScore
    /// The two outputs of the ITM head.
    public let logits: MatchLogits
    /// The layer whose attention the maps show, counted from 0 over the whole BERT stack.
    public let layer: Int

    /// Returns the strength with which to draw the map of a word, from 0 to 1 for the word with the
    /// most heat, so that words on which the match does not depend look faint.
    ///
    /// The strength is the square root of the ratio of the shares, which keeps a tenth of the heat
    /// visible.
    public func strength(of word: Word) -> Float {
        let most = words.map(\.share).max() ?? 0
        return most > 0 ? (word.share / most).squareRoot() : 0
    }
}

/// An error that prevents the explanation of a match.
public struct ExplanationError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable { case matching }

    private let code: Code
    /// A description of the problem in one line.
    public let description: String

    static let matching = ExplanationError(
        code: .matching,
        description:
            "this model was not trained to match images with texts (objectives.matching), so it has"
            + " no match to explain; choose a model that was")
}
