public import ALBEF
import Torch

/// Reads a text together with each of its candidate images: the second stage of a search.
public struct Reranker: Sendable {
    /// Memory that a batch may take beside the model, in bytes.
    private static let batchBytes = 64 << 20

    private let model: ALBEFModel
    private let batchSize: Int?

    /// Match scores of one text with several images, in the order of the images.
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
        var scores = Scores()
        let batchSize = batchSize ?? batchSize(textLength: text.states.size(1))
        for start in stride(from: 0, to: count, by: batchSize) {
            try Task.checkCancellation()
            if start > 0, let deadline, ContinuousClock.now >= deadline { break }
            let range = start..<min(start + batchSize, count)
            let both = try withoutGradients {
                try model.matchLogits(one: text, withEach: tokens(range).to(model.device))
            }
            scores.logits += MatchLogits.rows(of: both)
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
