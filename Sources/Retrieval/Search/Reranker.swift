public import ALBEF
public import Torch

/// Reads a query together with each of its candidates, a text with images or an image with texts: the
/// second stage of a search.
public struct Reranker: Sendable {
    /// Memory that a batch may take beside the model, in bytes.
    private static let batchBytes = 64 << 20

    private let model: ALBEFModel
    private let batchSize: Int?

    /// Match scores of a query with its candidates, in their order.
    public struct Scores: Sendable {
        /// The logits of the ITM head; fewer than asked for if there was no time for all.
        public internal(set) var logits: [MatchLogits] = []
        /// The ITM logit of "match".
        public var matchLogits: [Float] { logits.map(\.match) }
    }

    /// Creates a re-ranker.
    ///
    /// - Parameter batchSize: images that are read at once; nil for as many as fit into 64 MB.
    public init(_ model: ALBEFModel, batchSize: Int? = nil) {
        precondition(batchSize.map { $0 > 0 } ?? true, "a batch needs at least one image")
        self.model = model
        self.batchSize = batchSize
    }

    /// Scores one text against images.
    ///
    /// - Parameters:
    ///   - text: one encoded text.
    ///   - count: number of images.
    ///   - deadline: after it no further batch begins; the first always does. nil: no limit.
    ///   - tokens: gives the tokens of a range of the images.
    /// - Throws: ``ALBEFError`` if the model cannot match, `CancellationError` if the task is
    ///   cancelled, and what `tokens` throws.
    public func scores(
        _ text: EncodedTexts, count: Int, deadline: ContinuousClock.Instant? = nil,
        tokens: (Range<Int>) throws -> ImageTokens
    ) throws -> Scores {
        let batchSize = batchSize ?? batchSize(textLength: text.states.size(1))
        return try scores(count: count, batchSize: batchSize, deadline: deadline) { range in
            try model.matchLogits(one: text, withEach: tokens(range).to(model.device))
        }
    }

    /// Scores one image against texts.
    ///
    /// - Parameters:
    ///   - tokens: the image's tokens, `[1, P + 1, D_v]`.
    ///   - count: number of texts.
    ///   - deadline: after it no further batch begins; the first always does. nil: no limit.
    ///   - texts: gives a range of the texts, encoded.
    /// - Throws: ``ALBEFError`` if the model cannot match, `CancellationError` if the task is
    ///   cancelled, and what `texts` throws.
    public func scores(
        image tokens: Tensor, count: Int, deadline: ContinuousClock.Instant? = nil,
        texts: (Range<Int>) throws -> EncodedTexts
    ) throws -> Scores {
        try scores(count: count, batchSize: batchSize ?? 64, deadline: deadline) { range in
            try model.matchLogits(each: texts(range), withOne: tokens)
        }
    }

    private func scores(
        count: Int, batchSize: Int, deadline: ContinuousClock.Instant?,
        logits: (Range<Int>) throws -> Tensor
    ) throws -> Scores {
        var scores = Scores()
        for start in stride(from: 0, to: count, by: batchSize) {
            try Task.checkCancellation()
            if start > 0, let deadline, ContinuousClock.now >= deadline { break }
            let range = start..<min(start + batchSize, count)
            scores.logits += MatchLogits.rows(of: try withoutGradients { try logits(range) })
        }
        return scores
    }

    private func batchSize(textLength length: Int) -> Int {
        let configuration = model.configuration
        let patches = configuration.vision.patchCount + 1
        let (width, heads) = (configuration.vision.width, configuration.text.heads)
        // The tokens; what each head asks and is answered; how much it looks where.
        let numbers = patches * width + heads * length * (2 * width + patches)
        return max(1, min(64, Self.batchBytes / (4 * numbers)))
    }
}
