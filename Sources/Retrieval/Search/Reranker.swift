public import ALBEF
public import Torch

/// Reads a query together with each of its candidates, a text with images or an image with texts: the
/// second stage of a search.
public struct Reranker: Sendable {
    /// Memory that a batch may take beside the model, in bytes.
    private static let batchBytes = 64 << 20

    private let model: ALBEFModel
    private let batchSize: Int?

    /// Match scores of a query with its candidates, in their order.
    public struct Scores: Sendable {
        /// The logits of the ITM head; fewer than asked for if there was no time for all.
        public internal(set) var logits: [MatchLogits] = []
        /// The ITM logit of "match".
        public var matchLogits: [Float] { logits.map(\.match) }
    }

    /// Creates a re-ranker.
    ///
    /// - Parameter batchSize: images that are read at once; nil for as many as fit into 64 MB.
    public init(_ model: ALBEFModel, batchSize: Int? = nil) {
        precondition(batchSize.map { $0 > 0 } ?? true, "a batch needs at least one image")
        self.model = model
        self.batchSize = batchSize
    }

    /// Scores one text against images.
    ///
    /// - Parameters:
    ///   - text: one encoded text.
    ///   - count: number of images.
    ///   - deadline: after it no further batch begins; the first always does. nil: no limit.
    ///   - limit: asked before every batch; unlike after the deadline, nothing is given back.
    ///   - tokens: gives the tokens of a range of the images.
    /// - Throws: ``ALBEFError`` if the model cannot match, what `limit` and `tokens` throw.
    public func scores(
        _ text: EncodedTexts, count: Int, deadline: ContinuousClock.Instant? = nil,
        limit: WorkLimit = WorkLimit(), tokens: (Range<Int>) throws -> ImageTokens
    ) throws -> Scores {
        try scores(
            each: [text], count: count, deadline: deadline, limit: limit, tokens: tokens)[0]
    }

    /// Scores several texts against the same images, a batch of images by all texts before the next.
    ///
    /// Parameters and errors are those of ``scores(_:count:deadline:limit:tokens:)``.
    ///
    /// - Returns: the scores of each text, of equally many images.
    func scores(
        each texts: [EncodedTexts], count: Int, deadline: ContinuousClock.Instant? = nil,
        limit: WorkLimit = WorkLimit(), tokens: (Range<Int>) throws -> ImageTokens
    ) throws -> [Scores] {
        let longest = texts.map { $0.states.size(1) }.max() ?? 1
        return try scores(
            texts: texts.count, count: count,
            batchSize: batchSize ?? batchSize(textLength: longest), deadline: deadline, limit: limit
        ) { range in
            let images = try tokens(range).to(model.device)
            return try texts.map { try model.matchLogits($0, withEach: images) }
        }
    }

    /// One text of several that are scored together.
    package struct Job {
        /// One encoded text.
        package var text: EncodedTexts
        /// Number of its images.
        package var count: Int
        /// Asked before every batch that it is part of.
        package var limit: WorkLimit

        /// A text with its number of images.
        package init(_ text: EncodedTexts, count: Int, limit: WorkLimit = WorkLimit()) {
            self.text = text
            self.count = count
            self.limit = limit
        }
    }

    /// Scores several texts, each against images of its own, in batches that mix them.
    ///
    /// - Parameter tokens: gives the tokens of a range of a text's images.
    /// - Returns: the scores of each text, or what its limit or `tokens` threw; where the model
    ///   failed, its error.
    package func scores(
        _ jobs: [Job], tokens: (_ text: Int, Range<Int>) throws -> ImageTokens
    ) -> [Result<Scores, any Error>] {
        let longest = jobs.map { $0.text.states.size(1) }.max() ?? 1
        let batchSize = batchSize ?? batchSize(textLength: longest)
        var scores = jobs.map { _ in Result<Scores, any Error>.success(Scores()) }
        var batch = PairBatch()
        func read() {
            defer { batch = PairBatch() }
            do {
                for (piece, rows) in zip(batch.pieces, try logits(batch, jobs)) {
                    scores[piece.text] = scores[piece.text].map { scores in
                        var scores = scores
                        scores.logits += rows
                        return scores
                    }
                }
            } catch {
                for piece in batch.pieces { scores[piece.text] = .failure(error) }
            }
        }
        for (text, job) in jobs.enumerated() {
            var start = 0
            while start < job.count, case .success = scores[text] {
                let end = min(job.count, start + batchSize - batch.count)
                do {
                    try job.limit.check()
                    batch.append(
                        text, start..<end,
                        try recovering { try tokens(text, start..<end).to(model.device) })
                } catch {
                    scores[text] = .failure(error)
                }
                start = end
                if batch.count == batchSize { read() }
            }
        }
        if batch.count > 0 { read() }
        return scores
    }

    /// The logits of each piece of a batch.
    private func logits(_ batch: PairBatch, _ jobs: [Job]) throws -> [ArraySlice<MatchLogits>] {
        var rows = try recovering {
            let images = ImageTokens.concatenated(batch.pieces.map(\.tokens))
            let texts = batch.texts(of: jobs.map(\.text))
            return MatchLogits.rows(
                of: try withoutGradients { try model.matchLogits(texts, withEach: images) })[...]
        }
        return batch.pieces.map { piece in
            defer { rows = rows.dropFirst(piece.images.count) }
            return rows.prefix(piece.images.count)
        }
    }

    /// Scores one image against texts.
    ///
    /// - Parameters:
    ///   - tokens: the image's tokens, `[1, P + 1, D_v]`.
    ///   - count: number of texts.
    ///   - deadline: after it no further batch begins; the first always does. nil: no limit.
    ///   - limit: asked before every batch; unlike after the deadline, nothing is given back.
    ///   - texts: gives a range of the texts, encoded.
    /// - Throws: ``ALBEFError`` if the model cannot match, what `limit` and `texts` throw.
    public func scores(
        image tokens: Tensor, count: Int, deadline: ContinuousClock.Instant? = nil,
        limit: WorkLimit = WorkLimit(), texts: (Range<Int>) throws -> EncodedTexts
    ) throws -> Scores {
        try scores(
            texts: 1, count: count, batchSize: batchSize ?? 64, deadline: deadline, limit: limit
        ) { range in
            [try model.matchLogits(each: texts(range), withOne: tokens)]
        }[0]
    }

    /// The scores of every batch of candidates, by each of so many texts.
    private func scores(
        texts: Int, count: Int, batchSize: Int, deadline: ContinuousClock.Instant?,
        limit: WorkLimit, logits: (Range<Int>) throws -> [Tensor]
    ) throws -> [Scores] {
        var scores = [Scores](repeating: Scores(), count: texts)
        for start in stride(from: 0, to: count, by: batchSize) {
            try limit.check()
            if start > 0, let deadline, ContinuousClock.now >= deadline { break }
            let range = start..<min(start + batchSize, count)
            let rows = try recovering { try withoutGradients { try logits(range) } }
            for (text, rows) in rows.enumerated() {
                scores[text].logits += try recovering { MatchLogits.rows(of: rows) }
            }
        }
        return scores
    }

    private func batchSize(textLength length: Int) -> Int {
        let configuration = model.configuration
        let patches = configuration.vision.tokenCount
        let (width, heads) = (configuration.vision.width, configuration.text.heads)
        // The tokens; what each head asks and is answered; how much it looks where.
        let numbers = patches * width + heads * length * (2 * width + patches)
        return max(1, min(64, Self.batchBytes / (4 * numbers)))
    }
}

/// Pairs of texts and images that are read at once.
private struct PairBatch {
    private(set) var pieces: [(text: Int, images: Range<Int>, tokens: ImageTokens)] = []

    var count: Int { pieces.reduce(0) { $0 + $1.images.count } }

    mutating func append(_ text: Int, _ images: Range<Int>, _ tokens: ImageTokens) {
        pieces.append((text, images, tokens))
    }

    /// One text if all pairs have the same, else one text per pair, padded to equal length.
    func texts(of texts: [EncodedTexts]) -> EncodedTexts {
        if pieces.count == 1 { return texts[pieces[0].text] }
        let used = pieces.map { texts[$0.text] }
        let length = used.map { $0.states.size(1) }.max() ?? 1
        let rows = Tensor(
            pieces.enumerated().flatMap { Array(repeating: $0, count: $1.images.count) },
            device: used[0].states.device)
        return EncodedTexts(
            states: .concatenated(used.map { $0.states.padded(to: length) }),
            mask: .concatenated(used.map { $0.mask.padded(to: length) }),
            features: .concatenated(used.map(\.features))
        ).rows(rows)
    }
}

extension Tensor {
    /// With zeros behind the second dimension, so that it has a length.
    fileprivate func padded(to length: Int) -> Tensor {
        let missing = length - size(1)
        guard missing > 0 else { return self }
        var shape = shape
        shape[1] = missing
        return .concatenated([self, .zeros(shape, dtype: dtype, device: device)], 1)
    }
}

extension ImageTokens {
    /// The tokens of several groups of images that keep equally many.
    fileprivate static func concatenated(_ parts: [ImageTokens]) -> ImageTokens {
        let weights = parts.compactMap(\.weights)
        return ImageTokens(
            .concatenated(parts.map(\.values)),
            weights: weights.count == parts.count ? .concatenated(weights) : nil)
    }
}
