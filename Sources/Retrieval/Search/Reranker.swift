public import ALBEF
public import Torch

/// Reads a text together with each of its candidate images: the second stage of a search.
public struct Reranker: Sendable {
    private let model: ALBEFModel
    private let batchSize: Int

    /// Match scores of one text with several images, in the order of the images.
    public struct Scores: Sendable {
        /// The logits of the ITM head.
        public let logits: [MatchLogits]
        /// The ITM logit of "match".
        public var matchLogits: [Float] { logits.map(\.match) }
        /// Softmax over the two ITM logits, in [0, 1].
        public let matchProbabilities: [Float]
    }

    /// Creates a re-ranker.
    ///
    /// - Parameter batchSize: images that are read at once; default 16.
    public init(_ model: ALBEFModel, batchSize: Int = 16) {
        precondition(batchSize > 0, "a batch needs at least one image")
        self.model = model
        self.batchSize = batchSize
    }

    /// Scores one text against images.
    ///
    /// - Parameters:
    ///   - text: an encoded text (the first, if there are several).
    ///   - count: number of images.
    ///   - tokens: gives the tokens `[n, P + 1, D_v]` of a range of the images.
    /// - Throws: ``ALBEFError`` if the model cannot match, `CancellationError` if the task is
    ///   cancelled, and what `tokens` throws.
    public func scores(
        _ text: EncodedTexts, count: Int, tokens: (Range<Int>) throws -> Tensor
    ) throws -> Scores {
        var logits: [MatchLogits] = []
        var probabilities: [Float] = []
        for start in stride(from: 0, to: count, by: batchSize) {
            try Task.checkCancellation()
            let range = start..<min(start + batchSize, count)
            let both = try withoutGradients {
                let tokens = try tokens(range).to(model.device)
                return try model.matchLogits(text.repeated(range.count), tokens: tokens)
            }
            logits += MatchLogits.rows(of: both)
            probabilities += both.softmax(-1)[.all, 1].values(as: Float.self)
        }
        return Scores(logits: logits, matchProbabilities: probabilities)
    }
}
