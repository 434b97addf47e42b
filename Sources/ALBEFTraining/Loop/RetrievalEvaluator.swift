public import ALBEF
public import ImageText
import SystemPackage
import Torch

/// Evaluates a model by retrieval on captioned images: the towers alone, and re-ranked.
///
/// Of two models one has the towers, the other re-ranks what they recall.
public struct RetrievalEvaluator: Sendable {
    /// What was found.
    public struct Result: Sendable {
        /// Where the two towers alone place the answers.
        public let towers: RecallRanks
        /// The same after re-ranking, for each number of candidates; none where nothing was re-ranked.
        public let reranked: [Reranked]
        /// What some of the texts found, re-ranked as deep as was asked for.
        public let samples: [SampleRetrieval]
    }

    /// What was found after re-ranking the best of each row.
    public struct Reranked: Sendable {
        /// The number of candidates (k).
        public let depth: Int
        /// Where re-ranking places the answers.
        public let ranks: RecallRanks
    }

    /// Number of images.
    public var imageCount: Int { gallery.paths.count }
    /// Number of captions.
    public var textCount: Int { gallery.captions.count }
    private let gallery: RetrievalTestSet

    private static let sampleDepth = 8

    /// Prepares an evaluation on a data set.
    ///
    /// - Parameters:
    ///   - source: what errors call the data set, such as its files.
    ///   - limit: images used, the first ones; 0 for all.
    ///   - preprocessing: what the model's inputs go through.
    ///   - recall: another model, whose features find the candidates; nil for the model's own.
    /// - Throws: ``TrainingError`` if there is no image, or none with a caption.
    public init(
        _ dataset: CaptionDataset, source: String = "the data set", limit: Int = 0,
        preprocessing: ModelPreprocessing, recall: RecallModel? = nil
    ) throws(TrainingError) {
        gallery = try RetrievalTestSet(
            dataset, source: source, limit: limit, preprocessing: preprocessing, recall: recall)
    }

    /// Encodes and compares everything, by the protocol of the model's dialect.
    ///
    /// - Parameters:
    ///   - depths: numbers of candidates to re-rank; none for the towers alone.
    ///   - ranking: what they are ordered by; nil for what the model's dialect does, without the
    ///     cosine where that is another model's.
    ///   - samples: of how many texts the findings are returned, spread over all; nil for all.
    ///   - progress: gets the images done and in all.
    /// - Throws: `ImageError` that names a file; `TorchError` if there is not enough memory;
    ///   `CancellationError`.
    public func evaluate(
        _ model: ALBEFModel, depths: [Int], ranking: RankingScore? = nil, samples: Int? = 12,
        progress: @escaping (Int, Int) -> Void = { _, _ in }
    ) async throws -> Result {
        let scores = try await gallery.scores(model)
        let standard = RankingScore.standard(model.configuration.dialect)
        return try recovering {
            try result(
                scores, depths: depths,
                ranking: ranking ?? (gallery.recall == nil ? standard : standard.withoutSimilarity),
                samples: samples
            ) { done in
                try Task.checkCancellation()
                progress(done, imageCount)
            }
        }
    }

    private func result(
        _ scores: RetrievalScores, depths: [Int], ranking: RankingScore, samples: Int?,
        progress: (Int) throws -> Void
    ) throws -> Result {
        let rightImages = gallery.captions.map(\.image)
        let texts = gallery.cleanedCaptions
        let reranked =
            try depths.isEmpty
            ? []
            : scores.reranked(depths: depths, ranking: ranking, progress: progress)
        let deepest = zip(depths, reranked).max { $0.0 < $1.0 }?.1
        return Result(
            towers: scores.dual(images: rightImages, texts: texts),
            reranked: zip(depths, reranked).map { depth, found in
                Reranked(
                    depth: depth,
                    ranks: RecallRanks(
                        imageToText: found.imageToText, textToImage: found.textToImage,
                        images: rightImages, texts: texts))
            },
            samples: try self.samples(samples ?? textCount, scores, deepest?.textToImage))
    }

    /// What some of the texts find, for people to look at.
    private func samples(
        _ count: Int, _ scores: RetrievalScores, _ reranked: Tensor?
    ) throws -> [SampleRetrieval] {
        let count = max(0, min(count, textCount))
        return try (0..<count).map { index in
            try Task.checkCancellation()
            let text = index * textCount / count
            let cosines: [Float] = scores.similarities[.all, text].contiguous().values()
            let ranked: [Float]? = reranked.map { $0[text].values() }
            return try SampleRetrieval(
                query: gallery.captions[text].text, right: gallery.captions[text].image,
                paths: gallery.paths,
                cosines: cosines, scores: ranked, depth: Self.sampleDepth
            ) { try scores.matchLogits(text: text, images: $0).map { MatchCalibration()($0) } }
        }
    }
}
