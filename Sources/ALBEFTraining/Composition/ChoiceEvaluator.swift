public import ALBEF
public import ImageText

/// Judges a model by the texts that it chooses for images: by the towers, and by the fusion encoder.
///
/// A model that takes captions for bags of words finds the right image for "black top, white trousers"
/// and cannot say which of two such captions is true. Benchmarks such as SugarCrepe, ARO and
/// VL-CheckList ask that.
public struct ChoiceEvaluator: Sendable {
    /// What was found.
    public struct Result: Sendable {
        /// Every item whose image could be read, in the order of the data set.
        public let outcomes: [ChoiceOutcome]
        /// How often the model is right.
        public let metrics: ChoiceMetrics
        /// How many images, or parts of images, were encoded.
        public let images: Int
        /// Images that cannot be read, whose items were left out.
        public let unreadable: [ImageError]
        /// Items that are wrong because the model reads texts of both sorts alike.
        public let ties: Int
    }

    private let dataset: ChoiceDataset
    private let source: String
    private let scorer: TextScorer

    /// Prepares an evaluation.
    ///
    /// - Parameters:
    ///   - source: what errors call the data set, such as its files.
    ///   - preprocessing: what the model's inputs go through.
    ///   - recall: another model, whose features the towers' scores are of; nil for the model's own.
    /// - Throws: ``TrainingError`` if there is no item.
    public init(
        _ dataset: ChoiceDataset, source: String = "the data set",
        preprocessing: ModelPreprocessing, recall: RecallModel? = nil
    ) throws(TrainingError) {
        guard !dataset.items.isEmpty else {
            throw .nothingToEvaluate(
                source, "items",
                dataset.missingCount > 0
                    ? "the images of all \(dataset.missingCount) are missing"
                    : "there are none in the data")
        }
        self.dataset = dataset
        self.source = source
        scorer = TextScorer(preprocessing: preprocessing, recall: recall)
    }

    /// Scores every item's texts with its image.
    ///
    /// Items are read in the order of their images, each of which is encoded once.
    ///
    /// - Parameters:
    ///   - ranking: what the fusion encoder's answers are ordered by; nil for the towers alone.
    ///   - skipsUnreadable: whether items whose image is damaged are left out.
    ///   - progress: told the images done and in all.
    /// - Throws: `ImageError` that names a file; ``TrainingError`` if a score is not finite or no image
    ///   can be read; `ALBEFError` if the model cannot match; `TorchError` if there is not enough
    ///   memory; `CancellationError`.
    public func evaluate(
        _ model: ALBEFModel, ranking: RankingScore?, skipsUnreadable: Bool = false,
        progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> Result {
        let requests = dataset.items.map { item in
            TextScorer.Request(
                image: item.image, box: item.box, texts: item.positives + item.negatives,
                name: "\(item.file): \(item.entry)")
        }
        let found = try await scorer.scores(
            requests, model, ranking: ranking, skipsUnreadable: skipsUnreadable, progress: progress)
        let outcomes = zip(dataset.items, found.scores).compactMap { item, scores in
            scores.map { scores in
                func split(_ values: [Float]) -> ChoiceOutcome.Scores {
                    ChoiceOutcome.Scores(
                        positives: Array(values.prefix(item.positives.count)),
                        negatives: Array(values.dropFirst(item.positives.count)))
                }
                return ChoiceOutcome(
                    item: item, towers: split(scores.towers), fusion: scores.fusion.map(split))
            }
        }
        guard !outcomes.isEmpty else {
            throw TrainingError.nothingToEvaluate(source, "items", "no image can be read")
        }
        return Result(
            outcomes: outcomes,
            metrics: ChoiceMetrics(outcomes, minimumKindSize: dataset.minimumKindSize),
            images: found.images, unreadable: found.unreadable,
            ties: outcomes.count { $0.towers.isTied || $0.fusion?.isTied == true })
    }
}
