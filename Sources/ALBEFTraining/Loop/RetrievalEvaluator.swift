public import ALBEF
public import ImageText
import SystemPackage
import Torch

/// Evaluates a model by retrieval on captioned images, with the two towers alone and after
/// re-ranking.
///
/// With a recall model, that model's towers find the candidates and the evaluated model re-ranks
/// them.
public struct RetrievalEvaluator: Sendable {
    /// The ranks of the right answers, with samples of the results.
    public struct Result: Sendable {
        /// The ranks by the two towers alone.
        public let towers: RecallRanks
        /// The ranks after re-ranking, for each number of candidates; empty if nothing was
        /// re-ranked.
        public let reranked: [Reranked]
        /// The results of some of the texts, after re-ranking at the greatest depth.
        public let samples: [SampleRetrieval]
    }

    /// The ranks after re-ranking the best candidates of each query.
    public struct Reranked: Sendable {
        /// The number of candidates (k).
        public let depth: Int
        /// The ranks of the right answers.
        public let ranks: RecallRanks
    }

    /// The number of images.
    public var imageCount: Int { gallery.paths.count }
    /// The number of captions.
    public var textCount: Int { gallery.captions.count }
    private let gallery: RetrievalTestSet

    private static let sampleDepth = 8

    /// Prepares an evaluation on a data set.
    ///
    /// - Parameters:
    ///   - dataset: The captioned images.
    ///   - source: The name of the data set in errors, such as its files.
    ///   - limit: The number of images to use, from the beginning of the data; 0 for all.
    ///   - preprocessing: The preprocessing of the model's images and texts.
    ///   - recall: Another model whose features find the candidates; nil for the model's own
    ///     features.
    /// - Throws: ``TrainingError`` if there are no images, or none of them has a caption.
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
    ///   - model: The model to evaluate.
    ///   - depths: The numbers of candidates to re-rank (k), one evaluation per number; empty for
    ///     the towers alone.
    ///   - ranking: Computes the score that orders re-ranked candidates; nil for the score of the
    ///     model's dialect, without the cosine if that comes from another model.
    ///   - samples: The number of texts, spread over all, whose results are returned; nil for all
    ///     texts. Default: 12.
    ///   - progress: Called with the number of images done and the total.
    /// - Returns: The ranks of the right answers, and samples of the results.
    /// - Throws: `ImageError` that names a file; `TorchError` if there is not enough memory;
    ///   `CancellationError`.
    /// - Complexity: One pass of a tower per image and per text. Re-ranking adds one pass of the
    ///   fusion encoder per candidate of each query, in both directions, at the greatest depth.
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

    /// Returns the results of some texts, for people to look at.
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
