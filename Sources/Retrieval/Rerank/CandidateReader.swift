import ALBEF
import Torch

/// Scores a query together with its candidates by the fusion encoder.
struct CandidateReader {
    /// The candidates that were read, with their logits.
    struct Reading {
        var positions: [Int] = []
        /// The logits of the query's sentence or image; empty if there are only excluded texts.
        var logits: [MatchLogits] = []
        /// The logits of each excluded text, by candidate.
        var without: [[MatchLogits]] = []

        /// Whether all logits are finite.
        var isFinite: Bool {
            logits.allSatisfy(\.isFinite) && without.joined().allSatisfy(\.isFinite)
        }
    }

    private let model: SearchModel
    private let index: ForwardIndex
    private let reranker: Reranker

    init(_ model: SearchModel, _ index: ForwardIndex) {
        self.model = model
        self.index = index
        reranker = Reranker(model.model)
    }

    /// Returns whether the query has a text and an image to read together, and the head was
    /// trained.
    func canRead(_ query: SearchQuery) -> Bool {
        guard model.matches else { return false }
        return index.content.isReadable(with: query)
            || index.content == .images && !query.without.isEmpty
    }

    /// Whether several texts can be read together with their candidates.
    var canPool: Bool { index.content == .images && index.budget.count != 0 }

    /// Reads a query with as many candidates as the time permits: at least one batch, or one file
    /// if the index stores no tokens.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged; `ALBEFError`; the errors of `limit`.
    func read(
        _ query: EncodedQuery, _ ids: [ForwardIndex.EntryID], budget: Duration?, limit: WorkLimit
    ) throws -> Reading {
        guard !ids.isEmpty else { return Reading() }
        let deadline = budget.map { ContinuousClock.now + $0 }
        switch index.content {
        case .images:
            guard !query.texts.isEmpty else { return Reading() }
            guard canPool else { return try readFiles(query, ids, deadline, limit) }
            let scores = try reranker.scores(
                each: query.texts, count: ids.count, deadline: deadline, limit: limit
            ) { range in tokens(ids[range]) }
            return Reading(scores.map(\.logits), of: query)
        case .texts:
            guard let image = query.imageTokens else { return Reading() }
            let scores = try reranker.scores(
                image: image, count: ids.count, deadline: deadline, limit: limit
            ) { range in
                try model.encode(texts: ids[range].map { try index.entry($0).text })
            }
            return Reading(
                positions: Array(scores.logits.indices), logits: scores.logits)
        }
    }

    /// One of several queries that are read together.
    struct Job {
        let query: EncodedQuery
        let ids: [ForwardIndex.EntryID]
        let limit: WorkLimit
    }

    /// Reads the texts of several queries, each with its own candidates, in an index that stores
    /// tokens.
    ///
    /// - Returns: For each query its reading, `ALBEFError`, or the error of its limit.
    func read(_ jobs: [Job]) -> [Result<Reading, any Error>] {
        guard !jobs.isEmpty else { return [] }
        let pieces = jobs.flatMap { job in job.query.texts.map { (text: $0, job: job) } }
        var scores = reranker.scores(
            pieces.map { Reranker.Job($0.text, count: $0.job.ids.count, limit: $0.job.limit) }
        ) { piece, range in
            tokens(pieces[piece].job.ids[range])
        }[...]
        return jobs.map { job in
            let own = scores.prefix(job.query.texts.count)
            scores = scores.dropFirst(own.count)
            return Result { Reading(try own.map { try $0.get().logits }, of: job.query) }
        }
    }

    private func tokens(_ ids: ArraySlice<ForwardIndex.EntryID>) -> ImageTokens {
        guard let tokens = index.tokens(Array(ids), as: model.model.computeType) else {
            preconditionFailure("an index with a token budget must have tokens for every entry")
        }
        return tokens
    }

    /// Reads the files of candidates and scores them with the query's texts.
    ///
    /// Files are read in batches, so that their time counts and few images are in memory.
    private func readFiles(
        _ query: EncodedQuery, _ ids: [ForwardIndex.EntryID],
        _ deadline: ContinuousClock.Instant?, _ limit: WorkLimit
    ) throws -> Reading {
        var positions: [Int] = []
        var logits = query.texts.map { _ in [MatchLogits]() }
        var batch: [(position: Int, pixels: PreparedImage)] = []
        func flush() throws {
            guard !batch.isEmpty else { return }
            let tokens = ImageTokens(try model.tokens(of: batch.map(\.pixels)))
            let scores = try reranker.scores(
                each: query.texts, count: batch.count, limit: limit
            ) { range in
                ImageTokens(tokens.values[range])
            }
            positions += batch.map(\.position)
            for (text, scores) in scores.enumerated() { logits[text] += scores.logits }
            batch = []
        }
        for (position, id) in ids.enumerated() {
            try limit.check()
            if position > 0, let deadline, ContinuousClock.now >= deadline { break }
            let path = try index.entry(id).path
            // Candidates whose files cannot be read keep their position from recall.
            if let pixels = try? model.pixels(of: path) { batch.append((position, pixels)) }
            if batch.count == model.defaultBatchSize { try flush() }
        }
        try flush()
        return Reading(logits, of: query, at: positions)
    }
}

extension EncodedQuery {
    /// The texts that the fusion encoder reads with images: the sentence, then the excluded texts.
    var texts: [EncodedTexts] { (text.map { [$0] } ?? []) + without }
}

extension CandidateReader.Reading {
    /// Creates a reading from the logits of each text of a query.
    ///
    /// - Parameters:
    ///   - logits: The logits of each text, by candidate.
    ///   - query: The query.
    ///   - positions: The positions of the candidates; nil for the first ones.
    fileprivate init(
        _ logits: [[MatchLogits]], of query: EncodedQuery, at positions: [Int]? = nil
    ) {
        self.positions = positions ?? Array((logits.first ?? []).indices)
        self.logits = query.text == nil ? [] : logits.first ?? []
        without = Array(query.text == nil ? logits[...] : logits.dropFirst())
    }
}
