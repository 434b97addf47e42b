public import ALBEF
public import SystemPackage

/// What is searched for: a sentence, a picture, or a picture as a sentence changes it.
///
/// The fusion encoder re-ranks where it has a text and a picture to read: pictures by a sentence,
/// texts by a picture. Between two of a kind the towers alone decide.
public enum SearchQuery: Sendable, Hashable {
    /// Pictures that a sentence describes, or texts like it.
    case text(String)
    /// Pictures that look like one, or texts that describe it.
    case image(FilePath)
    /// What is like both: recalled by the mean of both features, re-ranked by the one that can be
    /// read with the entries.
    case imageAndText(FilePath, String)

    /// The sentence, if there is one.
    public var text: String? {
        switch self {
        case .text(let text), .imageAndText(_, let text): text
        case .image: nil
        }
    }

    /// The picture, if there is one.
    public var image: FilePath? {
        switch self {
        case .image(let file), .imageAndText(let file, _): file
        case .text: nil
        }
    }
}

/// How a search goes about it.
public struct SearchOptions: Sendable, Hashable {
    /// Results at most; default 10.
    public var count = 10
    /// How many entries recall hands to the fusion encoder; default 64.
    ///
    /// 0 skips re-ranking, as does a model that was not trained to match. Results beyond the
    /// candidates follow in recall order.
    public var candidates = 64
    /// What the candidates are re-ranked by; nil for what the model's dialect does.
    public var ranking: RankingScore?
    /// Conditions on the entries' metadata, all of which have to hold.
    public var filters: [MetadataFilter] = []
    /// How recall goes about it; nil follows the index's graph where there is one.
    public var recall: RecallMethod?
    /// Leaves out candidates that match less probably, and what was not re-ranked; nil keeps all.
    ///
    /// The probability means what it says once the model is calibrated.
    public var minimumProbability: Double?
    /// Time for re-ranking: as many candidates as fit are read, at least one batch; nil for all.
    public var timeBudget: Duration?

    /// Options with their defaults.
    public init(count: Int = 10, candidates: Int = 64) {
        self.count = count
        self.candidates = candidates
    }
}

/// One picture or text of an answer.
public struct SearchResult: Sendable, Hashable {
    /// Where the picture is, or where the text was read.
    public let path: FilePath
    /// The text; nil for a picture.
    public let text: String?
    /// Place in the answer; the best is 1.
    public let rank: Int
    /// Place by the two towers alone; the best is 1.
    public let recallRank: Int
    /// Cosine of the query's and the entry's features, in [-1, 1].
    public let similarity: Float
    /// The ITM logit of "match"; nil without re-ranking.
    public let matchLogit: Float?
    /// The model's probability that the text describes the picture; nil without re-ranking.
    public let matchProbability: Float?
    /// What the index notes of the entry besides.
    public let metadata: [String: MetadataValue]
}

/// What a search found.
public struct SearchAnswer: Sendable, Hashable {
    /// What was found, best first.
    public let results: [SearchResult]
    /// How many candidates the fusion encoder read.
    public let reranked: Int
}

/// Answers queries from a forward index in two stages: recall, then re-ranking.
public struct Searcher: Sendable {
    private let model: SearchModel
    private let index: ForwardIndex
    private let reader: CandidateReader

    /// Pairs a model with an index that it made.
    ///
    /// - Throws: ``IndexError`` if the index was made with another model.
    public init(_ model: SearchModel, _ index: ForwardIndex) throws {
        try index.check(model.signature)
        self.model = model
        self.index = index
        reader = CandidateReader(model, index)
    }

    /// Finds the pictures that a sentence describes, best first.
    ///
    /// - Parameters:
    ///   - query: a sentence.
    ///   - count: number of results at most; default 10.
    ///   - candidates: how many pictures are re-ranked; default 64.
    ///   - ranking: what they are re-ranked by; nil for what the model's dialect does.
    /// - Throws: as ``search(_:_:)``.
    public func search(
        _ query: String, count: Int = 10, candidates: Int = 64, ranking: RankingScore? = nil
    ) throws -> [SearchResult] {
        var options = SearchOptions(count: count, candidates: candidates)
        options.ranking = ranking
        return try search(.text(query), options).results
    }

    /// Finds the pictures or texts that a query asks for, best first.
    ///
    /// - Throws: ``QueryError`` if there is nothing to search for; ``ImageError`` if a query's
    ///   picture cannot be read; ``ALBEFError`` if the model cannot search; ``IndexError`` if an
    ///   entry is damaged; `CancellationError` if the task is cancelled.
    public func search(_ query: SearchQuery, _ options: SearchOptions) throws -> SearchAnswer {
        let encoded = try EncodedQuery(query, model)
        let feature = try encoded.feature()
        let candidates = reader.canRead(query) ? options.candidates : 0
        let recalled = try index.recall(
            feature, count: max(options.count, candidates), filters: options.filters,
            method: options.recall)
        var order = Array(recalled.indices)
        var scores = Reranker.Scores()
        var read: [Int: Int] = [:]
        if candidates > 0 {
            let deadline = options.timeBudget.map { ContinuousClock.now + $0 }
            let positions: [Int]
            (positions, scores) = try reader.read(
                encoded, recalled.prefix(candidates).map(\.id), deadline: deadline)
            read = Dictionary(uniqueKeysWithValues: positions.enumerated().map { ($1, $0) })
            let keys = keys(scores, of: positions.map { recalled[$0] }, options.ranking)
            let reread = positions.indices.sorted { a, b in
                keys[a] == keys[b] ? a < b : keys[a] > keys[b]
            }.map { positions[$0] }
            order = reread + order.filter { read[$0] == nil }
        }
        if let least = options.minimumProbability {
            order.removeAll { position in
                guard let place = read[position] else { return true }
                // As results show it.
                return Float(model.calibration(scores.logits[place])) < Float(least)
            }
        }
        let results = try order.prefix(options.count).enumerated().map { rank, position in
            let entry = try index.entry(recalled[position].id)
            let place = read[position]
            return SearchResult(
                path: entry.path, text: index.content == .texts ? entry.text : nil, rank: rank + 1,
                recallRank: position + 1,
                similarity: recalled[position].similarity,
                matchLogit: place.map { scores.logits[$0].match },
                matchProbability: place.map { Float(model.calibration(scores.logits[$0])) },
                metadata: entry.metadata)
        }
        return SearchAnswer(results: results, reranked: read.count)
    }

    /// What the candidates are ordered by.
    private func keys(
        _ scores: Reranker.Scores, of candidates: [Candidate], _ ranking: RankingScore?
    ) -> [Float] {
        let ranking = ranking ?? .standard(model.model.configuration.dialect)
        let temperature = model.model.temperatureValue
        return zip(scores.logits, candidates).map { logits, candidate in
            ranking(logits, similarity: candidate.similarity, temperature: temperature)
        }
    }
}
