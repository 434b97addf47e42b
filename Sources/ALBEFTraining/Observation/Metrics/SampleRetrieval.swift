/// One query and what was found for it, to be looked at.
public struct SampleRetrieval: Codable, Sendable, Hashable {
    /// An image that was found.
    public struct Result: Codable, Sendable, Hashable {
        /// The image's file.
        public var path: String
        /// Cosine of the query's and the image's features.
        public var similarity: Double
        /// Probability of a match by the fusion encoder, from 0 to 1, where it read the pair.
        public var matchProbability: Double?
        /// What it was ranked by, where it was re-ranked.
        public var score: Double?
        /// The place among all images by similarity alone, from 1.
        public var recallRank: Int
        /// The final place, after re-ranking if there was any, from 1.
        public var rank: Int
        /// Whether the query describes this image.
        public var isRight: Bool

        /// An image that was found.
        public init(
            path: String, similarity: Double, matchProbability: Double? = nil, score: Double? = nil,
            recallRank: Int, rank: Int, isRight: Bool
        ) {
            self.path = path
            self.similarity = similarity
            self.matchProbability = matchProbability
            self.score = score
            self.recallRank = recallRank
            self.rank = rank
            self.isRight = isRight
        }

        enum CodingKeys: String, CodingKey {
            case path, similarity
            case matchProbability = "match_probability"
            case score
            case recallRank = "recall_rank"
            case rank
            case isRight = "is_right"
        }
    }

    /// The query.
    public var query: String
    /// The file of the image that the query was written for.
    public var rightPath: String
    /// That image's place by similarity alone, from 1.
    public var recallRank: Int
    /// That image's place after re-ranking, from 1; `nil` where nothing was re-ranked.
    public var rerankedRank: Int?
    /// The first few by similarity and the first few after re-ranking, each image once.
    public var results: [Result]

    /// One query and what was found for it.
    public init(
        query: String, rightPath: String, recallRank: Int, rerankedRank: Int? = nil,
        results: [Result]
    ) {
        self.query = query
        self.rightPath = rightPath
        self.recallRank = recallRank
        self.rerankedRank = rerankedRank
        self.results = results
    }

    enum CodingKeys: String, CodingKey {
        case query
        case rightPath = "right_path"
        case recallRank = "recall_rank"
        case rerankedRank = "reranked_rank"
        case results
    }
}
