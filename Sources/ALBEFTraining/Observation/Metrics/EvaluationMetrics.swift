public import ALBEF

/// What an evaluation of retrieval measured after a step.
public struct EvaluationMetrics: Codable, Sendable, Hashable {
    /// The last step that the evaluated weights have seen.
    public var step: Int
    /// The epoch of that step, from 1.
    public var epoch: Int
    /// The split's name, such as `val`.
    public var split: String
    /// How many images there are.
    public var images: Int
    /// How many texts there are.
    public var texts: Int
    /// How many candidates of each query were re-ranked, k; `nil` where none were.
    public var rerankDepth: Int?
    /// Recall of the two towers alone.
    public var dual: RecallMetrics
    /// Recall after the fusion encoder's re-ranking, where that was done.
    public var reranked: RecallMetrics?

    /// The measurements of one evaluation.
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
