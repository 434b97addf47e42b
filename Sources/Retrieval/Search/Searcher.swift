public import ALBEF

/// Answers queries from a forward index in two stages: recall, then re-ranking.
public struct Searcher: Sendable {
    /// What encodes queries, and re-ranks.
    public let model: SearchModel
    private let index: ForwardIndex
    private let reader: CandidateReader
    private let locator: EntryLocator

    /// Pairs a model with an index that it made.
    ///
    /// - Parameter locator: finds the images of the index by which queries ask; one that is shared
    ///   need not read again what it knows.
    /// - Throws: ``IndexError`` if the index was made with another model, or other two.
    public init(
        _ model: SearchModel, _ index: ForwardIndex, locator: EntryLocator = EntryLocator()
    ) throws {
        try index.check(model.signature)
        self.model = model
        self.index = index
        self.locator = locator
        reader = CandidateReader(model, index)
    }

    /// Finds the images that a sentence describes, best first.
    ///
    /// - Parameters:
    ///   - query: a sentence.
    ///   - count: number of results at most; default 10.
    ///   - candidates: how many images are re-ranked; default 64.
    ///   - ranking: what they are re-ranked by; nil for what the model says.
    /// - Throws: as ``search(_:_:)``.
    public func search(
        _ query: String, count: Int = 10, candidates: Int = 64, ranking: RankingScore? = nil
    ) throws -> [SearchResult] {
        var options = SearchOptions(count: count, candidates: candidates)
        options.ranking = ranking
        return try search(.text(query), options).results
    }

    /// Finds the images or texts that a query asks for, best first.
    ///
    /// - Parameter limit: how long it may take, asked between batches; by default only the current
    ///   task's cancellation ends it early.
    /// - Throws: ``QueryError`` if there is nothing to search for, a part of the query is not as
    ///   ``SearchQuery/check()`` wants it, the model answers with what is not a number, or the time
    ///   is over; ``ImageError`` if a query's image cannot be read;
    ///   ``ALBEFError`` if the model cannot search; ``IndexError`` if an entry is damaged;
    ///   `CancellationError` if the answer is not wanted any more.
    public func search(
        _ query: SearchQuery, _ options: SearchOptions, limit: WorkLimit = WorkLimit()
    ) throws -> SearchAnswer {
        try search([(query, options, limit)])[0].get()
    }

    /// Answers several queries at once: their texts go through the text encoder together, and their
    /// candidates through the fusion encoder in full batches.
    ///
    /// Answers are those of ``search(_:_:)``, but for rounding. Queries that the pool cannot take
    /// (with a time budget, over texts, or over an index that keeps no tokens) are read one by one.
    ///
    /// - Returns: for each request its answer or error, in their order; the errors are those of
    ///   ``search(_:_:limit:)``. A request whose limit is reached does not fail the others.
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
            zip(requests, encoded).map { request, encoded in
                Result {
                    let encoded = try encoded.get()
                    try request.limit.check()
                    return try recall(request.query, encoded, request.options)
                }
            }
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
                return try answer(request.query, recalled, order, request.options, times)
            }
        }
    }

    /// Answers several queries at once, without a limit but the current task's cancellation.
    public func search(
        _ requests: [(query: SearchQuery, options: SearchOptions)]
    ) -> [Result<SearchAnswer, any Error>] {
        search(requests.map { ($0.query, $0.options, WorkLimit()) })
    }

    // MARK: Stages

    /// What recall proposes, and how much of it is to be read.
    private struct Recalled {
        let candidates: [Candidate]
        let depth: Int
    }

    private func recall(
        _ query: SearchQuery, _ encoded: EncodedQuery, _ options: SearchOptions
    ) throws -> Recalled {
        // What is asked for may lie beyond all that re-ranking could move.
        let isBeyond = options.offset >= options.candidates && options.minimumProbability == nil
        let depth = reader.canRead(query) && !isBeyond ? options.candidates : 0
        let count =
            options.foldsDuplicates ? NearDuplicates.looked(for: options.count) : options.count
        let candidates = try index.recall(
            encoded.features.recalled(), count: max(options.offset + count, depth),
            filters: options.filters,
            method: options.recall)
        return Recalled(candidates: candidates, depth: min(depth, candidates.count))
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

    /// One page of results: some of an order, those that look alike as one.
    private struct Page {
        var results: [(rank: Int, position: Int, duplicates: [Int]?)]
        /// How many places of the order it takes.
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
        _ options: SearchOptions, _ times: StageTimes
    ) throws -> SearchAnswer {
        let read = Set(order.positions)
        var positions = order.positions + recalled.indices.filter { !read.contains($0) }
        if let least = options.minimumProbability {
            positions.removeAll { position in
                guard let probability = order.probabilities[position] else { return true }
                // As results show it.
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
        let words = query.text.map(model.reading)
        let total =
            options.minimumProbability == nil
            ? try index.count(where: options.filters) : positions.count
        let next = options.offset + page.count
        return SearchAnswer(
            results: results, total: total, next: next < total ? next : nil,
            reranked: order.positions.count,
            reading: query.without.map(model.reading).reduce(words) { $0?.joined($1) ?? $1 },
            matchesWell: words?.unknownWords.isEmpty == false
                ? false : matchesWell(query, order),
            times: times, notes: notes(options))
    }

    /// Whether the calibration finds a candidate probable; nil where it says nothing of these.
    ///
    /// It was measured on sentences and the images that they recalled.
    private func matchesWell(_ query: SearchQuery, _ order: CandidateOrder) -> Bool? {
        guard query.isOfTexts, index.content == .images, let least = model.calibration.least,
            let best = order.probabilities.values.max()
        else { return nil }
        return best >= least
    }

    /// What whoever asked should know of how the answer was found.
    private func notes(_ options: SearchOptions) -> [String] {
        // Otherwise the graph would not have been followed in any case.
        guard options.recall == nil, options.filters.isEmpty, let fault = index.graphFault else {
            return []
        }
        return ["all entries were compared: \(fault)"]
    }

    private static func time<Value>(_ duration: inout Duration, _ body: () -> Value) -> Value {
        let start = ContinuousClock.now
        defer { duration = ContinuousClock.now - start }
        return body()
    }
}
