public import ALBEF
public import ImageText

/// Judges a model by Winoground's rule: two images and two captions of the same words.
///
/// "Winoground: Probing Vision and Language Models for Visio-Linguistic Compositionality" (Thrush et
/// al., CVPR 2022).
public struct PairEvaluator: Sendable {
    /// What was found.
    public struct Result: Sendable {
        /// Every pair whose images could be read, in the order of the data set.
        public let outcomes: [PairOutcome]
        /// How often the model is right.
        public let metrics: PairMetrics
        /// How many images were encoded.
        public let images: Int
        /// Images that cannot be read, whose pairs were left out.
        public let unreadable: [ImageError]
    }

    private let dataset: PairDataset
    private let source: String
    private let scorer: TextScorer

    /// Prepares an evaluation.
    ///
    /// - Parameters:
    ///   - source: what errors call the data set, such as its files.
    ///   - preprocessing: what the model's inputs go through.
    ///   - recall: another model, whose features the towers' scores are of; nil for the model's own.
    /// - Throws: ``TrainingError`` if there is no pair.
    public init(
        _ dataset: PairDataset, source: String = "the data set",
        preprocessing: ModelPreprocessing, recall: RecallModel? = nil
    ) throws(TrainingError) {
        guard !dataset.items.isEmpty else {
            throw .nothingToEvaluate(
                source, "pairs",
                dataset.missingCount > 0
                    ? "images of all \(dataset.missingCount) are missing"
                    : "there are none in the data")
        }
        self.dataset = dataset
        self.source = source
        scorer = TextScorer(preprocessing: preprocessing, recall: recall)
    }

    /// Scores both captions of every pair with both images.
    ///
    /// - Parameters:
    ///   - ranking: what the fusion encoder's answers are ordered by; nil for the towers alone.
    ///   - tag: what the pairs are told apart by; nil for what the data has.
    ///   - skipsUnreadable: whether pairs with a damaged image are left out.
    ///   - progress: told the images done and in all.
    /// - Throws: as ``ChoiceEvaluator/evaluate(_:ranking:skipsUnreadable:progress:)``.
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
