public import ALBEF
public import ImageText
public import SystemPackage

/// How a search goes about it.
public struct SearchOptions: Sendable, Hashable {
    /// Results at most; default 10.
    public var count = 10
    /// Places of the order that are left out before them; default 0.
    ///
    /// Beyond ``candidates`` nothing is re-ranked: those results are the next in recall order.
    public var offset = 0
    /// What the results are shown by; nil for how well they match.
    ///
    /// It orders the `count` results that match best, and does not choose them.
    public var order: EntryOrder?
    /// How many entries recall hands to the fusion encoder; default 64.
    ///
    /// 0 skips re-ranking, as does a model that was not trained to match. Results beyond the
    /// candidates follow in recall order.
    public var candidates = 64
    /// What the candidates are re-ranked by; nil for ``SearchModel/ranking``.
    public var ranking: RankingScore?
    /// Conditions on the entries' metadata, all of which have to hold.
    public var filters: [MetadataFilter] = []
    /// How recall goes about it; nil follows the index's graph where there is one.
    public var recall: RecallMethod?
    /// Leaves out candidates that match less probably, and what was not re-ranked; nil keeps all.
    ///
    /// The probability means what it says once the model is calibrated.
    public var minimumProbability: Double?
    /// Whether of results that look nearly the same only the best placed is shown; default no.
    ///
    /// It then carries the others as its ``SearchResult/duplicates``.
    public var foldsDuplicates = false
    /// Time for re-ranking: as many candidates as fit are read, at least one batch; nil for all.
    ///
    /// Where the index keeps no tokens, reading and encoding the candidates' files counts, and at
    /// least one file is read.
    public var timeBudget: Duration?

    /// Options with their defaults.
    public init(count: Int = 10, candidates: Int = 64) {
        self.count = count
        self.candidates = candidates
    }
}

/// One image or text of an answer.
public struct SearchResult: Sendable, Hashable {
    /// Where the image is, or where the text was read.
    public let path: FilePath
    /// The text; nil for an image.
    public let text: String?
    /// Place in the order of all; the best is 1.
    public let rank: Int
    /// Place by the two towers alone; the best is 1.
    public let recallRank: Int
    /// Cosine of the query's and the entry's features, in [-1, 1]; of two models the features are
    /// those of the one that recalls.
    public let similarity: Float
    /// The ITM logit of "match"; nil without re-ranking.
    public let matchLogit: Float?
    /// The model's probability that the text describes the image, and that none of the texts to
    /// leave out does; nil where no text was read with it.
    public let matchProbability: Float?
    /// Bytes of the image's file, or of the file that the text is in.
    public let size: Int
    /// What the image's file tells of itself.
    public let about: ImageFacts?
    /// SHA-256 of the image's file or of the text, hexadecimal: equal for duplicates.
    public let sha256: String
    /// What the index notes of the entry besides.
    public let metadata: [String: MetadataValue]
    /// Results that look nearly the same, best first; nil unless they were to be folded.
    public let duplicates: [Duplicate]?

    /// A result that another one stands for.
    public struct Duplicate: Sendable, Hashable {
        /// Where the image is, or where the text was read.
        public let path: FilePath
        /// What the index notes of the entry besides.
        public let metadata: [String: MetadataValue]
    }
}

/// What a search found.
public struct SearchAnswer: Sendable, Hashable {
    /// What was found, best first.
    public let results: [SearchResult]
    /// How many entries there are to find: those that fulfil the conditions and are probable enough.
    public let total: Int
    /// The ``SearchOptions/offset`` to go on at; nil if there is nothing more.
    public let next: Int?
    /// How many candidates the fusion encoder read.
    public let reranked: Int
    /// How much of the query's sentence the models read, and of the texts to leave out; nil without
    /// any.
    public let reading: QueryReading?
    /// Whether something matches the query well; nil where nothing can be said of that.
    ///
    /// False if the vocabulary lacks a word of the sentence: no image was compared with all of it.
    /// Else the calibration decides, where a sentence looks for images and a calibrated model re-ranked them: whether the
    /// most probable one is as probable as ``MatchCalibration/least`` asks.
    public let matchesWell: Bool?
    /// How long the stages took.
    public let times: StageTimes
    /// What to know of how it was found, one sentence each, such as why the graph was not followed.
    public let notes: [String]
}

/// How long the stages of a search took; of searches that were answered together, all of them.
public struct StageTimes: Sendable, Hashable {
    /// Of encoding the queries.
    public internal(set) var encoding = Duration.zero
    /// Of comparing their features with the index's.
    public internal(set) var recall = Duration.zero
    /// Of reading the candidates with the fusion encoder.
    public internal(set) var reranking = Duration.zero
}
