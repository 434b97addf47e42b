/// Recall of one direction of retrieval, in percent.
public struct RecallAtK: Codable, Sendable, Hashable {
    /// Queries whose right answer comes first, in percent.
    public var r1: Double
    /// Queries whose right answer is among the first five, in percent.
    public var r5: Double
    /// Queries whose right answer is among the first ten, in percent.
    public var r10: Double

    /// Three recalls in percent.
    public init(r1: Double, r5: Double, r10: Double) {
        self.r1 = r1
        self.r5 = r5
        self.r10 = r10
    }
}

/// Recall of both directions, in percent.
public struct RetrievalScores: Codable, Sendable, Hashable {
    /// Texts as queries, images as answers.
    public var textToImage: RecallAtK
    /// Images as queries, texts as answers.
    public var imageToText: RecallAtK

    /// The mean of the six recalls, by which runs are compared.
    public var mean: Double {
        (textToImage.r1 + textToImage.r5 + textToImage.r10
            + imageToText.r1 + imageToText.r5 + imageToText.r10) / 6
    }

    /// The recalls of both directions.
    public init(textToImage: RecallAtK, imageToText: RecallAtK) {
        self.textToImage = textToImage
        self.imageToText = imageToText
    }

    enum CodingKeys: String, CodingKey {
        case textToImage = "text_to_image"
        case imageToText = "image_to_text"
        case mean
    }

    /// Reads both directions; a stored mean is not looked at.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        textToImage = try container.decode(RecallAtK.self, forKey: .textToImage)
        imageToText = try container.decode(RecallAtK.self, forKey: .imageToText)
    }

    /// Writes both directions, and their mean for other readers.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(textToImage, forKey: .textToImage)
        try container.encode(imageToText, forKey: .imageToText)
        try container.encode(mean, forKey: .mean)
    }
}

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
    public var dual: RetrievalScores
    /// Recall after the fusion encoder's re-ranking, where that was done.
    public var reranked: RetrievalScores?

    /// The measurements of one evaluation.
    public init(
        step: Int, epoch: Int, split: String, images: Int, texts: Int, rerankDepth: Int? = nil,
        dual: RetrievalScores, reranked: RetrievalScores? = nil
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
