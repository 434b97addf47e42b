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
    ///   - tokens: gives the tokens of a range of the images.
    /// - Throws: ``ALBEFError`` if the model cannot match, `CancellationError` if the task is
    ///   cancelled, and what `tokens` throws.
    public func scores(
        _ text: EncodedTexts, count: Int, deadline: ContinuousClock.Instant? = nil,
        tokens: (Range<Int>) throws -> ImageTokens
    ) throws -> Scores {
        let batchSize = batchSize ?? batchSize(textLength: text.states.size(1))
        return try scores(count: count, batchSize: batchSize, deadline: deadline) { range in
            try model.matchLogits(text, withEach: tokens(range).to(model.device))
        }
    }

    /// Scores several texts, each against images of its own, in batches that mix them.
    ///
    /// - Parameters:
    ///   - texts: one encoded text each, and its number of images.
    ///   - tokens: gives the tokens of a range of a text's images.
    /// - Returns: the scores of each text.
    /// - Throws: ``ALBEFError`` if the model cannot match, `CancellationError` if the task is
    ///   cancelled, and what `tokens` throws.
    package func scores(
        _ texts: [(text: EncodedTexts, count: Int)],
        tokens: (_ text: Int, Range<Int>) throws -> ImageTokens
    ) throws -> [Scores] {
        let longest = texts.map { $0.text.states.size(1) }.max() ?? 1
        let batchSize = batchSize ?? batchSize(textLength: longest)
        var scores = texts.map { _ in Scores() }
        var batch = PairBatch()
        func read() throws {
            try Task.checkCancellation()
            let images = ImageTokens.concatenated(
                try batch.pieces.map { try tokens($0.text, $0.images).to(model.device) })
            let logits = try withoutGradients {
                try model.matchLogits(batch.texts(of: texts.map(\.text)), withEach: images)
            }
            var rows = MatchLogits.rows(of: logits)[...]
            for piece in batch.pieces {
                scores[piece.text].logits += rows.prefix(piece.images.count)
                rows = rows.dropFirst(piece.images.count)
            }
            batch = PairBatch()
        }
        for (text, item) in texts.enumerated() {
            var start = 0
            while start < item.count {
                let end = min(item.count, start + batchSize - batch.count)
                batch.pieces.append((text, start..<end))
                start = end
                if batch.count == batchSize { try read() }
            }
        }
        if batch.count > 0 { try read() }
        return scores
    }

    /// Scores one image against texts.
    ///
    /// - Parameters:
    ///   - tokens: the image's tokens, `[1, P + 1, D_v]`.
    ///   - count: number of texts.
    ///   - deadline: after it no further batch begins; the first always does. nil: no limit.
    ///   - texts: gives a range of the texts, encoded.
    /// - Throws: ``ALBEFError`` if the model cannot match, `CancellationError` if the task is
    ///   cancelled, and what `texts` throws.
    public func scores(
        image tokens: Tensor, count: Int, deadline: ContinuousClock.Instant? = nil,
        texts: (Range<Int>) throws -> EncodedTexts
    ) throws -> Scores {
        try scores(count: count, batchSize: batchSize ?? 64, deadline: deadline) { range in
            try model.matchLogits(each: texts(range), withOne: tokens)
        }
    }

    private func scores(
        count: Int, batchSize: Int, deadline: ContinuousClock.Instant?,
        logits: (Range<Int>) throws -> Tensor
    ) throws -> Scores {
        var scores = Scores()
        for start in stride(from: 0, to: count, by: batchSize) {
            try Task.checkCancellation()
            if start > 0, let deadline, ContinuousClock.now >= deadline { break }
            let range = start..<min(start + batchSize, count)
            scores.logits += MatchLogits.rows(of: try withoutGradients { try logits(range) })
        }
        return scores
    }

    private func batchSize(textLength length: Int) -> Int {
        let configuration = model.configuration
        let patches = configuration.vision.patchCount + 1
        let (width, heads) = (configuration.vision.width, configuration.text.heads)
        // The tokens; what each head asks and is answered; how much it looks where.
        let numbers = patches * width + heads * length * (2 * width + patches)
        return max(1, min(64, Self.batchBytes / (4 * numbers)))
    }
}

/// Pairs of texts and images that are read at once.
private struct PairBatch {
    var pieces: [(text: Int, images: Range<Int>)] = []

    var count: Int { pieces.reduce(0) { $0 + $1.images.count } }

    /// One text if all pairs have the same, else a text a pair, padded to equal length.
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
