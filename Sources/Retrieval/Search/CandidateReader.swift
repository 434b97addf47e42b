import ALBEF
import Torch

/// Has the fusion encoder read a query with its candidates.
struct CandidateReader {
    /// The candidates that were read, by their places, and what the ITM head said of each.
    struct Reading {
        var positions: [Int] = []
        var logits: [MatchLogits] = []
    }

    private let model: SearchModel
    private let index: ForwardIndex
    private let reranker: Reranker

    init(_ model: SearchModel, _ index: ForwardIndex) {
        self.model = model
        self.index = index
        reranker = Reranker(model.model)
    }

    /// Whether there is a text and an image to read together, and a head that was trained to.
    func canRead(_ query: SearchQuery) -> Bool {
        model.matches && index.content.isReadable(with: query)
    }

    /// Whether several texts can be read with their candidates at once.
    var canPool: Bool { index.content == .images && index.budget.count != 0 }

    /// Reads a query with as many candidates as there is time for: at least one batch, or one file
    /// where the index keeps no tokens.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged; `ALBEFError`; what `limit` throws.
    func read(
        _ query: EncodedQuery, _ ids: [ForwardIndex.EntryID], budget: Duration?, limit: WorkLimit
    ) throws -> Reading {
        guard !ids.isEmpty else { return Reading() }
        let deadline = budget.map { ContinuousClock.now + $0 }
        switch index.content {
        case .images:
            guard let text = query.text else { return Reading() }
            guard canPool else { return try readFiles(text, ids, deadline, limit) }
            let scores = try reranker.scores(
                text, count: ids.count, deadline: deadline, limit: limit
            ) { range in tokens(ids[range]) }
            return Reading(first: scores.logits)
        case .texts:
            guard let image = query.image else { return Reading() }
            let scores = try reranker.scores(
                image: image.tokens, count: ids.count, deadline: deadline, limit: limit
            ) { range in
                try model.encode(texts: ids[range].map { try index.entry($0).text })
            }
            return Reading(first: scores.logits)
        }
    }

    /// One text of several that are read together.
    struct Job {
        let text: EncodedTexts
        let ids: [ForwardIndex.EntryID]
        let limit: WorkLimit
    }

    /// Reads several texts, each with its own candidates, in an index that keeps tokens.
    ///
    /// - Returns: for each what was read, or `ALBEFError`, or what its limit threw.
    func read(_ jobs: [Job]) -> [Result<Reading, any Error>] {
        guard !jobs.isEmpty else { return [] }
        return reranker.scores(
            jobs.map { Reranker.Job($0.text, count: $0.ids.count, limit: $0.limit) }
        ) { job, range in
            tokens(jobs[job].ids[range])
        }.map { $0.map { Reading(first: $0.logits) } }
    }

    private func tokens(_ ids: ArraySlice<ForwardIndex.EntryID>) -> ImageTokens {
        guard let tokens = index.tokens(Array(ids)) else {
            preconditionFailure("an index with a budget has tokens")
        }
        return tokens
    }

    /// Reads the files of candidates, and those that can be read together with a text.
    ///
    /// Files are read batch by batch, so that their time counts and few are in memory.
    private func readFiles(
        _ text: EncodedTexts, _ ids: [ForwardIndex.EntryID],
        _ deadline: ContinuousClock.Instant?, _ limit: WorkLimit
    ) throws -> Reading {
        var reading = Reading()
        var batch: [(position: Int, pixels: PreparedImage)] = []
        func flush() throws {
            guard !batch.isEmpty else { return }
            let tokens = ImageTokens(try model.tokens(of: batch.map(\.pixels)))
            let scores = try reranker.scores(text, count: batch.count, limit: limit) { range in
                ImageTokens(tokens.values[range])
            }
            reading.positions += batch.map(\.position)
            reading.logits += scores.logits
            batch = []
        }
        for (position, id) in ids.enumerated() {
            try limit.check()
            if position > 0, let deadline, ContinuousClock.now >= deadline { break }
            let path = try index.entry(id).path
            // What cannot be read any more stays where recall put it.
            if let pixels = try? model.pixels(of: path) { batch.append((position, pixels)) }
            if batch.count == model.defaultBatchSize { try flush() }
        }
        try flush()
        return reading
    }
}

extension CandidateReader.Reading {
    /// What was said of the first candidates.
    fileprivate init(first logits: [MatchLogits]) {
        self.init(positions: Array(logits.indices), logits: logits)
    }
}
