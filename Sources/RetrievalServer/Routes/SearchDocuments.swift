import ALBEF
import ImageText
import Retrieval
import SystemPackage

/// The body of a search request.
struct SearchRequest: Decodable {
    var text: String?
    var image: String?
    /// The parts of the query that are neither `text` nor `image`.
    var composition = QueryComposition()
    /// The number of results; nil means 20, or the limit if it is smaller.
    var count: Int?
    /// The number of results to skip; nil means 0.
    var offset: Int?
    var order: EntryOrder?
    /// The number of candidates to re-rank; nil means 64, or the limit if it is smaller.
    var candidates: Int?
    var ranking: RankingScore?
    var filters: [MetadataFilter] = []
    var minimumProbability: Double?
    var timeBudget: Double?
    var folds = false

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case text, image, without, images, unlike, emphasis
        case count, offset, sort, candidates, ranking, filters, fold
        case minimumProbability = "minimum_probability"
        case timeBudget = "time_budget"
    }

    private static let byRelevance = "relevance"
    /// The largest offset of a search, and of the list of images.
    static let farthest = 1 << 40

    init(from decoder: any Decoder) throws {
        try decoder.refuseOthers(than: CodingKeys.self)
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        text = try fields.decodeIfPresent(String.self, forKey: .text)
        image = try fields.decodeIfPresent(String.self, forKey: .image)
        composition.without =
            try fields.texts(forKey: .without, atMost: SearchQuery.maximumWithout) ?? []
        composition.images =
            try fields.texts(forKey: .images, atMost: SearchQuery.maximumImages) ?? []
        composition.unlike =
            try fields.texts(forKey: .unlike, atMost: SearchQuery.maximumImages) ?? []
        composition.emphasis =
            try fields.decodeIfPresent([String: Double].self, forKey: .emphasis) ?? [:]
        count = try fields.whole(forKey: .count)
        offset = try fields.whole(forKey: .offset)
        order = try fields.decodeIfPresent(String.self, forKey: .sort).flatMap { name in
            if name == Self.byRelevance { return nil }
            guard let order = EntryOrder(rawValue: name), order != .path else {
                throw Problem(
                    .invalidRequest,
                    "sort: must be relevance, date or -date, not '\(name.prefix(60))'")
            }
            return order
        }
        candidates = try fields.whole(forKey: .candidates)
        ranking = try fields.decodeIfPresent(String.self, forKey: .ranking).map { name in
            guard let ranking = RankingScore(rawValue: name) else {
                throw Problem(
                    .invalidRequest,
                    "ranking: must be one of \(RankingScore.names), not '\(name.prefix(60))'")
            }
            return ranking
        }
        filters =
            try fields.texts(forKey: .filters, atMost: MetadataFilter.most)?.map {
                try MetadataFilter(asked: $0, field: "filters")
            } ?? []
        minimumProbability = try fields.decodeIfPresent(Double.self, forKey: .minimumProbability)
        timeBudget = try fields.decodeIfPresent(Double.self, forKey: .timeBudget)
        folds = try fields.decodeIfPresent(Bool.self, forKey: .fold) ?? false
    }

    /// Checks the numbers, and returns them as options.
    ///
    /// - Throws: ``Problem`` that names the field.
    func options(_ limits: ServerConfiguration.Limits) throws -> SearchOptions {
        func expect(_ holds: Bool, _ what: String) throws {
            guard holds else { throw Problem(.invalidRequest, what) }
        }
        let count = count ?? min(20, limits.results)
        let candidates = candidates ?? min(64, limits.candidates)
        try expect(
            (1...limits.results).contains(count), "count: must be from 1 to \(limits.results)")
        try expect(
            (0...Self.farthest).contains(offset ?? 0),
            "offset: must be from 0 to \(Self.farthest)")
        try expect(
            (0...limits.candidates).contains(candidates),
            "candidates: must be from 0 to \(limits.candidates)")
        try expect(
            (0...1).contains(minimumProbability ?? 0), "minimum_probability: must be from 0 to 1")
        try expect(
            timeBudget.map { $0 > 0 && $0 <= limits.requestSeconds * 1000 } ?? true,
            "time_budget: must be positive milliseconds, at most \(limits.requestSeconds) s")
        var options = SearchOptions(count: count, candidates: candidates)
        options.offset = offset ?? 0
        options.order = order
        options.ranking = ranking
        options.filters = filters
        options.minimumProbability = minimumProbability
        options.timeBudget = timeBudget.map { .microseconds(Int64($0 * 1000)) }
        options.foldsDuplicates = folds
        return options
    }
}

extension MetadataFilter {
    /// The most conditions that a request may have.
    static let most = 16

    /// Reads a condition of a request.
    ///
    /// - Throws: ``Problem`` that names the field if the text is not a condition.
    init(asked text: String, field: String) throws {
        guard let filter = MetadataFilter(text) else {
            throw Problem(
                .invalidRequest,
                "\(field): '\(text.prefix(60))' is not a condition such as year>=2020 or"
                    + " place=Kyoto")
        }
        self = filter
    }
}

/// The body of a request for heat maps of a text on an image.
struct ExplainRequest: Decodable {
    var image: String?
    var text: String
    var layer: Int?

    private enum CodingKeys: String, CodingKey, CaseIterable { case image, text, layer }

    init(from decoder: any Decoder) throws {
        try decoder.refuseOthers(than: CodingKeys.self)
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        image = try fields.decodeIfPresent(String.self, forKey: .image)
        text = try fields.decode(String.self, forKey: .text)
        layer = try fields.whole(forKey: .layer)
    }

    /// Checks that the layer, if there is one, reads images.
    ///
    /// - Throws: ``Problem`` that names the layers which do.
    func checkLayer(of model: SearchModel) throws {
        let layers = model.model.configuration.text
        guard let layer, !(layers.fusionLayer..<layers.depth).contains(layer) else { return }
        throw Problem(
            .conflict,
            "layer: must be from \(layers.fusionLayer) to \(layers.depth - 1), the layers that"
                + " read images")
    }
}

/// The answer to a search.
struct SearchDocument: Encodable, Sendable {
    struct Reading: Encodable {
        let is_cut, is_unknown: Bool
        let unknown_words: [String]
    }

    struct Milliseconds: Encodable {
        let encode, recall, rerank: Double
    }

    struct Result: Encodable {
        let id, name, path: String
        let text: String?
        let rank, recall_rank: Int
        let similarity: Float
        let folder: String
        let size: Int
        let about: ImageFactsDocument
        /// These are null, rather than absent, if unknown, so that every result has the same fields.
        let match_logit, match_probability: Nullable<Float>
        let metadata: [String: MetadataValue]
        /// The duplicates; absent unless the search folds them.
        let duplicates: [Duplicate]?

        struct Duplicate: Encodable { let id, name: String }

        init(_ result: SearchResult) {
            id = EntryKey(result.path).description
            name = result.metadata.displayName(of: result.path)
            path = result.path.string
            text = result.text
            rank = result.rank
            recall_rank = result.recallRank
            similarity = result.similarity
            folder = result.path.removingLastComponent().string
            size = result.size
            about = ImageFactsDocument(result.about)
            match_logit = .init(value: result.matchLogit)
            match_probability = .init(value: result.matchProbability)
            metadata = result.metadata
            duplicates = result.duplicates?.map {
                Duplicate(
                    id: EntryKey($0.path).description, name: $0.metadata.displayName(of: $0.path))
            }
        }
    }

    let generation, total, reranked: Int
    /// The offset of the next page; null on the last page.
    let next_offset: Nullable<Int>
    let is_cached: Bool
    /// Whether the results match the query well; null if this cannot be decided.
    let matches_well: Nullable<Bool>
    let reading: Reading
    let milliseconds: Milliseconds
    let results: [Result]

    init(_ served: QueryBatcher.Served, isCached: Bool) {
        func milliseconds(_ duration: Duration) -> Double {
            ((duration / .microseconds(1)).rounded()) / 1000
        }
        let times = served.answer.times
        generation = served.generation
        total = served.answer.total
        next_offset = .init(value: served.answer.next)
        reranked = served.answer.reranked
        is_cached = isCached
        matches_well = .init(value: served.answer.matchesWell)
        let read = served.answer.reading
        reading = Reading(
            is_cut: read?.isCut ?? false, is_unknown: read?.isUnknown ?? false,
            unknown_words: read?.unknownWords ?? [])
        self.milliseconds = Milliseconds(
            encode: milliseconds(times.encoding), recall: milliseconds(times.recall),
            rerank: milliseconds(times.reranking))
        results = served.answer.results.map(Result.init)
    }
}

/// The facts that an image's file states; unknown ones are absent.
struct ImageFactsDocument: Encodable, Sendable {
    let date: String?
    let width, height: Int?
    let orientation, camera, lens: String?
    let latitude, longitude: Double?

    init(_ facts: ImageFacts?) {
        date = facts?.date
        width = facts?.width
        height = facts?.height
        orientation = facts?.orientation?.rawValue
        camera = facts?.camera
        lens = facts?.lens
        latitude = facts?.latitude
        longitude = facts?.longitude
    }
}

extension [String: MetadataValue] {
    /// The key of the metadata that holds a client's name for its image.
    static let nameKey = "name"

    /// Returns the name to show for an image: the client's name for it, or else its file name.
    func displayName(of path: FilePath) -> String {
        if case .text(let name)? = self[Self.nameKey] {
            name
        } else {
            path.lastComponent?.string ?? ""
        }
    }
}
