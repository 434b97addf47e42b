public import ALBEF
public import ImageText
public import SystemPackage

/// The options of a search.
public struct SearchOptions: Sendable, Hashable {
    /// The maximum number of results; 10 by default.
    public var count = 10
    /// The number of leading results to skip; 0 by default.
    ///
    /// Results beyond ``candidates`` are not re-ranked and follow in recall order.
    public var offset = 0
    /// The order in which the results are shown; nil to order them by how well they match.
    ///
    /// It orders the `count` best matches, and does not affect which results are chosen.
    public var order: EntryOrder?
    /// The number of entries from recall that the fusion encoder re-ranks; 64 by default.
    ///
    /// With 0, or with a model that was not trained to match, nothing is re-ranked. Results beyond
    /// the candidates follow in recall order.
    public var candidates = 64
    /// The score by which candidates are re-ranked; nil for ``SearchModel/ranking``.
    public var ranking: RankingScore?
    /// Conditions on the entries' metadata, all of which must hold.
    public var filters: [MetadataFilter] = []
    /// The method of recall; nil to use the index's graph if it has one.
    public var recall: RecallMethod?
    /// The smallest match probability of a result; nil to keep all results.
    ///
    /// Results that were not re-ranked have no probability and are left out too. The value is
    /// meaningful only for a calibrated model.
    public var minimumProbability: Double?
    /// Whether nearly identical results are folded into the best-ranked one; false by default.
    ///
    /// The others become its ``SearchResult/duplicates``.
    public var foldsDuplicates = false
    /// The time for re-ranking; nil for no limit.
    ///
    /// As many candidates as the time permits are read, but at least one batch. If the index stores
    /// no tokens, the time includes reading and encoding the candidates' files, and at least one
    /// file is read.
    public var timeBudget: Duration?

    /// Creates options; all others have their defaults.
    ///
    /// - Parameters:
    ///   - count: The maximum number of results. Default: 10.
    ///   - candidates: The number of entries to re-rank. Default: 64.
    public init(count: Int = 10, candidates: Int = 64) {
        self.count = count
        self.candidates = candidates
    }
}

/// An image or a text among the results.
public struct SearchResult: Sendable, Hashable {
    /// The path of the image, or of the text's file with its line.
    public let path: FilePath
    /// The text; nil for an image.
    public let text: String?
    /// The rank in the final order; the best is 1.
    public let rank: Int
    /// The rank by the two towers alone; the best is 1.
    public let recallRank: Int
    /// The cosine of the query's and the entry's features, from -1 to 1; with two models, of the
    /// features for recall.
    public let similarity: Float
    /// The ITM logit of "match"; nil without re-ranking.
    public let matchLogit: Float?
    /// The probability that the text describes the image and no excluded text does; nil if the
    /// fusion encoder did not read the pair.
    public let matchProbability: Float?
    /// The size of the image's file or of the text, in bytes.
    public let size: Int
    /// The facts that the image's file contains.
    public let about: ImageFacts?
    /// The SHA-256 of the image's file or of the text, in hexadecimal; equal for duplicates.
    public let sha256: String
    /// The metadata of the entry.
    public let metadata: [String: MetadataValue]
    /// Nearly identical results, best first; nil unless results are folded.
    public let duplicates: [Duplicate]?

    /// A result that was folded into another one.
    public struct Duplicate: Sendable, Hashable {
        /// The path of the image, or of the text's file with its line.
        public let path: FilePath
        /// The metadata of the entry.
        public let metadata: [String: MetadataValue]
    }
}

/// The answer to a search.
public struct SearchAnswer: Sendable, Hashable {
    /// The results, best first.
    public let results: [SearchResult]
    /// The number of entries that fulfil the conditions and have at least the smallest probability.
    public let total: Int
    /// The ``SearchOptions/offset`` of the next results; nil if there are no more.
    public let next: Int?
    /// The number of candidates that the fusion encoder read.
    public let reranked: Int
    /// How much of the query's sentence and of the excluded texts the models can read; nil without
    /// texts.
    public let reading: QueryReading?
    /// Whether a result matches the query well; nil if this cannot be determined.
    ///
    /// It is false if the vocabulary lacks a word of the sentence, because then no image was
    /// compared with all of it. Otherwise the calibration decides, provided that a sentence
    /// searches for images and a calibrated model re-ranked them: the highest probability must
    /// reach `MatchCalibration.least`.
    public let matchesWell: Bool?
    /// The durations of the stages.
    public let times: StageTimes
    /// Remarks on the search, one sentence each, such as the reason why the graph was not
    /// used.
    public let notes: [String]
}

/// The durations of a search's stages; for searches that were answered together, of all of them.
public struct StageTimes: Sendable, Hashable {
    /// The time for encoding the queries.
    public internal(set) var encoding = Duration.zero
    /// The time for comparing their features with the index's.
    public internal(set) var recall = Duration.zero
    /// The time for reading the candidates with the fusion encoder.
    public internal(set) var reranking = Duration.zero
}
