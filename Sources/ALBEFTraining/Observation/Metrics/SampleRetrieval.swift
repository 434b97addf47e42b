/// A query with its results, for people to look at.
public struct SampleRetrieval: Codable, Sendable, Hashable {
    /// An image among the results.
    public struct Result: Codable, Sendable, Hashable {
        /// The file of the image.
        public var path: String
        /// The cosine similarity of the query's and the image's features.
        public var similarity: Double
        /// The match probability by the fusion encoder, from 0 to 1; `nil` if it did not read the
        /// pair.
        public var matchProbability: Double?
        /// The score by which the image was re-ranked; `nil` if it was not.
        public var score: Double?
        /// The rank among all images by similarity alone, from 1.
        public var recallRank: Int
        /// The final rank, after any re-ranking, from 1.
        public var rank: Int
        /// Whether the query describes this image.
        public var isRight: Bool

        /// Creates a result.
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
    /// The rank of that image by similarity alone, from 1.
    public var recallRank: Int
    /// The rank of that image after re-ranking, from 1; `nil` if nothing was re-ranked.
    public var rerankedRank: Int?
    /// The first images by similarity and the first after re-ranking, without duplicates.
    public var results: [Result]

    /// Creates a query with its results.
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
