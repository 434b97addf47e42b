public import ALBEF
public import Torch

/// Scores a query together with each of its candidates, a text with images or an image with texts,
/// in the second stage of a search.
public struct Reranker: Sendable {
    /// The memory that a batch may use in addition to the model, in bytes.
    private static let batchBytes = 64 << 20

    private let model: ALBEFModel
    private let batchSize: Int?

    /// The match scores of a query with its candidates, in order.
    public struct Scores: Sendable {
        /// The logits of the ITM head; fewer than requested if the time did not suffice for all.
        public internal(set) var logits: [MatchLogits] = []
        /// The ITM logits of "match".
        public var matchLogits: [Float] { logits.map(\.match) }
    }

    /// Creates a re-ranker.
    ///
    /// - Parameters:
    ///   - model: The model whose fusion encoder reads the pairs.
    ///   - batchSize: The number of images that are read at once; nil for as many as fit into 64
    ///     MB.
    public init(_ model: ALBEFModel, batchSize: Int? = nil) {
        precondition(batchSize.map { $0 > 0 } ?? true, "batchSize must be at least 1")
        self.model = model
        self.batchSize = batchSize
    }

    /// Scores one text against images.
    ///
    /// - Parameters:
    ///   - text: One encoded text.
    ///   - count: The number of images.
    ///   - deadline: The time after which no further batch begins, except for the first; nil for no
    ///     deadline.
    ///   - limit: Checked before every batch; unlike after the deadline, no scores are returned if
    ///     it is exceeded.
    ///   - tokens: Returns the tokens of a range of the images.
    /// - Returns: The scores of the images, in order.
    /// - Throws: `ALBEFError` if the model cannot match; the errors of `limit` and `tokens`.
    /// - Complexity: One pass of the fusion encoder per image.
    public func scores(
        _ text: EncodedTexts, count: Int, deadline: ContinuousClock.Instant? = nil,
        limit: WorkLimit = WorkLimit(), tokens: (Range<Int>) throws -> ImageTokens
    ) throws -> Scores {
        try scores(
            each: [text], count: count, deadline: deadline, limit: limit, tokens: tokens)[0]
    }

    /// Scores several texts against the same images, batch by batch: every batch of images is
    /// scored against all texts.
    ///
    /// The parameters and errors are those of ``scores(_:count:deadline:limit:tokens:)``.
    ///
    /// - Returns: The scores of each text, for the same number of images.
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

    /// One of several texts that are scored together.
    package struct Job {
        /// One encoded text.
        package var text: EncodedTexts
        /// The number of its images.
        package var count: Int
        /// The limit that is checked before every batch with this text.
        package var limit: WorkLimit

        /// Creates a job from a text and its number of images.
        package init(_ text: EncodedTexts, count: Int, limit: WorkLimit = WorkLimit()) {
            self.text = text
            self.count = count
            self.limit = limit
        }
    }

    /// Scores several texts, each against its own images, in batches that mix them.
    ///
    /// - Parameters:
    ///   - jobs: The texts with their numbers of images.
    ///   - tokens: Returns the tokens of a range of a text's images.
    /// - Returns: For each text its scores, or the error of its limit, of `tokens` or of the model.
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

    /// Returns the logits of each piece of a batch.
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
    ///   - tokens: The image's tokens `[1, P + 1, D_v]`.
    ///   - count: The number of texts.
    ///   - deadline: The time after which no further batch begins, except for the first; nil for no
    ///     deadline.
    ///   - limit: Checked before every batch; unlike after the deadline, no scores are returned if
    ///     it is exceeded.
    ///   - texts: Returns the encoded texts of a range.
    /// - Returns: The scores of the texts, in order.
    /// - Throws: `ALBEFError` if the model cannot match; the errors of `limit` and `texts`.
    /// - Complexity: One pass of the fusion encoder per text.
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

    /// Scores the candidates batch by batch, for each of the texts.
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
        // The tokens; the queries and outputs of each head; the attention weights.
        let numbers = patches * width + heads * length * (2 * width + patches)
        return max(1, min(64, Self.batchBytes / (4 * numbers)))
    }
}

/// Pairs of texts and images that are read in one batch.
private struct PairBatch {
    private(set) var pieces: [(text: Int, images: Range<Int>, tokens: ImageTokens)] = []

    var count: Int { pieces.reduce(0) { $0 + $1.images.count } }

    mutating func append(_ text: Int, _ images: Range<Int>, _ tokens: ImageTokens) {
        pieces.append((text, images, tokens))
    }

    /// Returns one text if all pairs share it, else one text per pair, padded to equal length.
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
    /// Returns the tensor with zeros appended along the second dimension, up to a length.
    fileprivate func padded(to length: Int) -> Tensor {
        let missing = length - size(1)
        guard missing > 0 else { return self }
        var shape = shape
        shape[1] = missing
        return .concatenated([self, .zeros(shape, dtype: dtype, device: device)], 1)
    }
}

extension ImageTokens {
    /// Joins the tokens of several groups of images, which have the same number of tokens per
    /// image.
    fileprivate static func concatenated(_ parts: [ImageTokens]) -> ImageTokens {
        let weights = parts.compactMap(\.weights)
        return ImageTokens(
            .concatenated(parts.map(\.values)),
            weights: weights.count == parts.count ? .concatenated(weights) : nil)
    }
}
