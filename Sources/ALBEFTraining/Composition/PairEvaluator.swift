public import ALBEF
public import ImageText

/// Evaluates a model by Winoground's rules, on pairs of two images and two captions that use the
/// same words.
///
/// The source is "Winoground: Probing Vision and Language Models for Visio-Linguistic
/// Compositionality" (Thrush et al., CVPR 2022).
public struct PairEvaluator: Sendable {
    /// The outcomes of an evaluation, with their metrics.
    public struct Result: Sendable {
        /// The outcomes of all pairs whose images could be read, in the order of the data set.
        public let outcomes: [PairOutcome]
        /// How often the model is right.
        public let metrics: PairMetrics
        /// The number of images that were encoded.
        public let images: Int
        /// The errors of the images that could not be read; their pairs are left out.
        public let unreadable: [ImageError]
    }

    private let dataset: PairDataset
    private let source: String
    private let scorer: TextScorer

    /// Prepares an evaluation.
    ///
    /// - Parameters:
    ///   - dataset: The pairs to evaluate.
    ///   - source: The name of the data set in errors, such as its files.
    ///   - preprocessing: The preprocessing of the model's images and texts.
    ///   - recall: Another model whose features give the towers' scores; nil for the evaluated
    ///     model's own features.
    /// - Throws: ``TrainingError`` if the data set has no pairs.
    public init(
        _ dataset: PairDataset, source: String = "the data set",
        preprocessing: ModelPreprocessing, recall: RecallModel? = nil
    ) throws(TrainingError) {
        guard !dataset.items.isEmpty else {
            throw .nothingToEvaluate(
                source, "pairs",
                dataset.missingCount > 0
                    ? "images of all \(dataset.missingCount) are missing"
                    : "the data contains none")
        }
        self.dataset = dataset
        self.source = source
        scorer = TextScorer(preprocessing: preprocessing, recall: recall)
    }

    /// Scores both captions of every pair against both images.
    ///
    /// - Parameters:
    ///   - model: The model to evaluate.
    ///   - ranking: Computes the score by which the fusion encoder orders texts; nil to evaluate
    ///     the towers alone.
    ///   - tag: The kind of tag to group pairs by; nil for the first kind that the data has.
    ///   - skipsUnreadable: Whether to leave out pairs with a damaged image. Default: false.
    ///   - progress: Called with the number of images done and the total.
    /// - Returns: The outcome of each pair, with metrics over all of them.
    /// - Throws: The errors of ``ChoiceEvaluator/evaluate(_:ranking:skipsUnreadable:progress:)``.
    /// - Complexity: Four passes of the fusion encoder per pair, besides one pass of a tower per
    ///   distinct image and caption.
    public func evaluate(
        _ model: ALBEFModel, ranking: RankingScore?, by tag: PairItem.Tag? = nil,
        skipsUnreadable: Bool = false, progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> Result {
        let requests = dataset.items.flatMap { item in
            item.images.map { image in
                TextScorer.Request(
                    image: image, texts: item.captions, name: "\(item.file): \(item.entry)")
            }
        }
        let found = try await scorer.scores(
            requests, model, ranking: ranking, skipsUnreadable: skipsUnreadable, progress: progress)
        let outcomes = dataset.items.enumerated().compactMap { index, item -> PairOutcome? in
            guard let first = found.scores[2 * index], let second = found.scores[2 * index + 1]
            else { return nil }
            let fusion = [first, second].compactMap(\.fusion)
            return PairOutcome(
                item: item, towers: PairScores([first.towers, second.towers]),
                fusion: fusion.count == 2 ? PairScores(fusion) : nil)
        }
        guard !outcomes.isEmpty else {
            throw TrainingError.nothingToEvaluate(source, "pairs", "no image can be read")
        }
        return Result(
            outcomes: outcomes, metrics: PairMetrics(outcomes, by: tag), images: found.images,
            unreadable: found.unreadable)
    }
}
