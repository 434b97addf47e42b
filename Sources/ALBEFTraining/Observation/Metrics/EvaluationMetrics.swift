public import ALBEF

/// The measurements of a retrieval evaluation after a step.
public struct EvaluationMetrics: Codable, Sendable, Hashable {
    /// The last step that the evaluated weights have seen.
    public var step: Int
    /// The epoch of that step, from 1.
    public var epoch: Int
    /// The name of the split, such as `validation`.
    public var split: String
    /// The number of images.
    public var images: Int
    /// The number of texts.
    public var texts: Int
    /// The number of candidates per query that were re-ranked (k); `nil` if none were.
    public var rerankDepth: Int?
    /// The recall of the two towers alone, in percent.
    public var dual: RecallMetrics
    /// The recall after re-ranking by the fusion encoder, in percent; `nil` if nothing was
    /// re-ranked.
    public var reranked: RecallMetrics?

    /// Creates the measurements of one evaluation.
    public init(
        step: Int, epoch: Int, split: String, images: Int, texts: Int, rerankDepth: Int? = nil,
        dual: RecallMetrics, reranked: RecallMetrics? = nil
    ) {
        self.step = step
        self.epoch = epoch
        self.split = split
        self.images = images
        self.texts = texts
        self.rerankDepth = rerankDepth
        self.dual = dual
        self.reranked = reranked
    }

    enum CodingKeys: String, CodingKey {
        case step, epoch, split, images, texts
        case rerankDepth = "rerank_depth"
        case dual, reranked
    }
}
