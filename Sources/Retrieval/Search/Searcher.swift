public import ALBEF

/// Answers queries from a forward index in two stages, recall and re-ranking.
///
/// ```swift
/// let searcher = try Searcher(SearchModel("model"), ForwardIndex("photos.index"))
/// for result in try searcher.search("a dog on a beach") {
///     print(result.path)
/// }
/// ```
public struct Searcher: Sendable {
    /// What encodes queries, and re-ranks.
    public let model: SearchModel
    private let index: ForwardIndex
    private let reader: CandidateReader
    private let locator: EntryLocator
    private let recall: any CandidateRecall

    /// Combines a model with an index that was made with it.
    ///
    /// - Parameters:
    ///   - model: The model, or two.
    ///   - index: The index to search.
    ///   - locator: Finds the images of the index that queries refer to; sharing one avoids reading
    ///     keys again.
    ///   - recall: What proposes candidates. Default: the index itself.
    /// - Throws: ``IndexError`` if the index was made with other models.
    public init(
        _ model: SearchModel, _ index: ForwardIndex, locator: EntryLocator = EntryLocator(),
        recall: any CandidateRecall = EmbeddedRecall()
    ) throws {
        try index.check(model.signature)
        self.recall = recall
        self.model = model
        self.index = index
        self.locator = locator
        reader = CandidateReader(model, index)
    }

    /// Finds the images that a sentence describes, best first.
    ///
    /// - Parameters:
    ///   - query: The sentence.
    ///   - count: The maximum number of results. Default: 10.
    ///   - candidates: The number of images to re-rank. Default: 64.
    ///   - ranking: The score by which they are re-ranked; nil for the model's own.
    /// - Returns: The results, best first.
    /// - Throws: The errors of ``search(_:_:limit:)``.
    public func search(
        _ query: String, count: Int = 10, candidates: Int = 64, ranking: RankingScore? = nil
    ) throws -> [SearchResult] {
        var options = SearchOptions(count: count, candidates: candidates)
        options.ranking = ranking
        return try search(.text(query), options).results
    }

    /// Finds the images or texts that match a query, best first.
    ///
    /// - Parameters:
    ///   - query: The query.
    ///   - options: The options of the search.
    ///   - limit: The limit of the work, checked between batches. By default only cancellation of
    ///     the current task ends the search early.
    /// - Returns: The answer with its results.
    /// - Throws: ``QueryError`` if the query is invalid (see ``SearchQuery/check()``), a score of
    ///   the model is not finite, or the time limit is exceeded; `ImageError` if an image of the
    ///   query cannot be read; `ALBEFError` if the model cannot search; ``IndexError`` if an entry
    ///   is damaged; ``RecallError`` if a store of features cannot be asked; `CancellationError` if
    ///   the limit is cancelled.
    /// - Complexity: One pass of the towers for the query, the cost of the recall, and one pass of the fusion encoder per
    ///   candidate.
    public func search(
        _ query: SearchQuery, _ options: SearchOptions, limit: WorkLimit = WorkLimit()
    ) throws -> SearchAnswer {
        try search([(query, options, limit)])[0].get()
    }

    /// Answers several queries at once; their texts share batches of the text encoder, and their
    /// candidates share batches of the fusion encoder.
    ///
    /// The answers equal those of single searches up to rounding. Queries with a time budget, over
    /// texts, or over an index that stores no tokens are re-ranked one by one.
    ///
    /// - Parameter requests: The queries with their options and limits.
    /// - Returns: For each request its answer or an error of ``search(_:_:limit:)``, in order. A
    ///   request whose limit is exceeded does not affect the others.
    public func search(
        _ requests: [(query: SearchQuery, options: SearchOptions, limit: WorkLimit)]
    ) -> [Result<SearchAnswer, any Error>] {
        var times = StageTimes()
        let encoded = Self.time(&times.encoding) {
            EncodedQuery.encoded(
                requests.map(\.query), limits: requests.map(\.limit),
                .init(
                    model: model, index: index, locator: locator,
                    keepsTokens: index.content == .texts && model.matches))
        }
        let recalled = Self.time(&times.recall) {
            self.recalled(requests, encoded)
        }
        let readings = Self.time(&times.reranking) {
            read(requests.map { ($0.options, $0.limit) }, encoded, recalled)
        }
        return requests.indices.map { position in
            Result {
                let recalled = try recalled[position].get().candidates
                let request = requests[position]
                let order = try order(
                    readings[position].get(), of: recalled, request.query,
                    encoded[position].get(), request.options)
                return try answer(
                    request.query, recalled, order, encoded[position].get(), request.options, times)
            }
        }
    }

    /// Answers several queries at once, until the current task is cancelled.
    public func search(
        _ requests: [(query: SearchQuery, options: SearchOptions)]
    ) -> [Result<SearchAnswer, any Error>] {
        search(requests.map { ($0.query, $0.options, WorkLimit()) })
    }

    // MARK: Stages

    /// The candidates of recall, and the number of them to re-rank.
    private struct Recalled {
        let candidates: [Candidate]
        let depth: Int
    }

    private func recalled(
        _ requests: [(query: SearchQuery, options: SearchOptions, limit: WorkLimit)],
        _ encoded: [Result<EncodedQuery, any Error>]
    ) -> [Result<Recalled, any Error>] {
        let depths = requests.map { depth($0.query, $0.options) }
        let asked = zip(requests.indices, encoded).map { position, encoded in
            Result {
                let options = requests[position].options
                let count =
                    options.foldsDuplicates
                    ? NearDuplicates.looked(for: options.count) : options.count
                return RecallRequest(
                    feature: try encoded.get().features.recalled(),
                    count: max(options.offset + count, depths[position]),
                    filters: options.filters, method: options.recall,
                    limit: requests[position].limit)
            }
        }
        var found = recall.candidates(
            for: asked.compactMap { try? $0.get() }, in: index, locator: locator)[...]
        return zip(asked, depths).map { request, depth in
            request.flatMap { _ in found.popFirst() ?? .success([]) }.map {
                Recalled(candidates: $0, depth: min(depth, $0.count))
            }
        }
    }

    /// Returns the number of candidates to re-rank.
    private func depth(_ query: SearchQuery, _ options: SearchOptions) -> Int {
        // The requested results may lie beyond all that re-ranking can move.
        let isBeyond = options.offset >= options.candidates && options.minimumProbability == nil
        return reader.canRead(query) && !isBeyond ? options.candidates : 0
    }

    private func read(
        _ requests: [(options: SearchOptions, limit: WorkLimit)],
        _ encoded: [Result<EncodedQuery, any Error>], _ recalled: [Result<Recalled, any Error>]
    ) -> [Result<CandidateReader.Reading, any Error>] {
        var pooled: [(position: Int, job: CandidateReader.Job)] = []
        var readings = recalled.indices.map { position in
            Result { () throws -> CandidateReader.Reading in
                let (encoded, recalled) = (
                    try encoded[position].get(), try recalled[position].get()
                )
                let ids = recalled.candidates.prefix(recalled.depth).map(\.id)
                let (options, limit) = requests[position]
                if reader.canPool, options.timeBudget == nil, !ids.isEmpty, !encoded.texts.isEmpty {
                    pooled.append((position, .init(query: encoded, ids: ids, limit: limit)))
                    return .init()
                }
                return try reader.read(encoded, ids, budget: options.timeBudget, limit: limit)
            }
        }
        for (item, reading) in zip(pooled, reader.read(pooled.map(\.job))) {
            readings[item.position] = reading
        }
        return readings
    }

    private func order(
        _ reading: CandidateReader.Reading, of recalled: [Candidate], _ query: SearchQuery,
        _ encoded: EncodedQuery, _ options: SearchOptions
    ) throws -> CandidateOrder {
        guard reading.isFinite else { throw QueryError.notFinite("a match score") }
        let towers =
            query.isComposed && !reading.positions.isEmpty
            ? try TowerTerms(
                encoded.features, index.features(reading.positions.map { recalled[$0].id }),
                temperature: model.featureModel.model.temperatureValue) : nil
        return CandidateOrder(reading, of: recalled, towers, model, options.ranking)
    }

    /// One page of results, with nearly identical ones folded.
    private struct Page {
        var results: [(rank: Int, position: Int, duplicates: [Int]?)]
        /// The number of results in the order that the page covers.
        var count: Int
    }

    private func page(
        _ positions: [Int], _ recalled: [Candidate], _ options: SearchOptions
    ) throws -> Page {
        var page: Page
        if options.foldsDuplicates {
            let looked = positions.prefix(NearDuplicates.looked(for: options.count))
            let folded = try NearDuplicates(index).folded(
                looked.map { recalled[$0].id }, atMost: options.count)
            page = Page(
                results: folded.kept.map { row, duplicates in
                    (options.offset + row + 1, positions[row], duplicates.map { positions[$0] })
                }, count: folded.count)
        } else {
            let shown = positions.prefix(options.count)
            page = Page(
                results: shown.enumerated().map { (options.offset + $0 + 1, $1, nil) },
                count: shown.count)
        }
        page.results = try index.sorted(page.results, by: options.order ?? .path) {
            recalled[$0.position].id
        }
        return page
    }

    private func answer(
        _ query: SearchQuery, _ recalled: [Candidate], _ order: CandidateOrder,
        _ encoded: EncodedQuery, _ options: SearchOptions, _ times: StageTimes
    ) throws -> SearchAnswer {
        let read = Set(order.positions)
        var positions = order.positions + recalled.indices.filter { !read.contains($0) }
        if let least = options.minimumProbability {
            positions.removeAll { position in
                guard let probability = order.probabilities[position] else { return true }
                // Compare in the precision in which results show it.
                return Float(probability) < Float(least)
            }
        }
        let page = try page(Array(positions.dropFirst(options.offset)), recalled, options)
        let results = try page.results.map { item in
            let position = item.position
            let entry = try index.entry(recalled[position].id)
            return SearchResult(
                path: entry.path, text: index.content == .texts ? entry.text : nil,
                rank: item.rank,
                recallRank: position + 1,
                similarity: recalled[position].similarity,
                matchLogit: order.logits[position]?.match,
                matchProbability: order.probabilities[position].map { Float($0) },
                size: entry.size, about: entry.about, sha256: entry.sha256,
                metadata: entry.metadata,
                duplicates: try item.duplicates?.map { position in
                    let other = try index.entry(recalled[position].id)
                    return .init(path: other.path, metadata: other.metadata)
                })
        }
        let total =
            options.minimumProbability == nil
            ? try index.count(where: options.filters) : positions.count
        let next = options.offset + page.count
        return SearchAnswer(
            results: results, total: total, next: next < total ? next : nil,
            reranked: order.positions.count,
            reading: encoded.reading,
            matchesWell: encoded.textReading?.unknownWords.isEmpty == false
                ? false : matchesWell(query, order),
            times: times, notes: notes(options))
    }

    /// Returns whether the calibration finds a candidate probable, or nil if it does not apply.
    ///
    /// The calibration was fitted on sentences and the images that they recall.
    private func matchesWell(_ query: SearchQuery, _ order: CandidateOrder) -> Bool? {
        guard query.isOfTexts, index.content == .images, let least = model.calibration.least,
            let best = order.probabilities.values.max()
        else { return nil }
        return best >= least
    }

    /// Returns remarks on the search, for the person who asked.
    private func notes(_ options: SearchOptions) -> [String] {
        // In the other cases the graph would not have been used anyway.
        guard recall is EmbeddedRecall, options.recall == nil, options.filters.isEmpty,
            let fault = index.graphFault
        else { return [] }
        return ["all entries were compared: \(fault)"]
    }

    private static func time<Value>(_ duration: inout Duration, _ body: () -> Value) -> Value {
        let start = ContinuousClock.now
        defer { duration = ContinuousClock.now - start }
        return body()
    }
}
