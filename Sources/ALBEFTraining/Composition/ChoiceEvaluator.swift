public import ALBEF
public import ImageText

/// Evaluates a model by the texts that it chooses for images, both with the two towers and with the
/// fusion encoder.
///
/// A model that treats captions as bags of words finds the right image for "black top, white
/// trousers", but cannot decide which of two such captions is true. Benchmarks such as SugarCrepe,
/// ARO and VL-CheckList test this.
public struct ChoiceEvaluator: Sendable {
    /// The outcomes of an evaluation, with their metrics.
    public struct Result: Sendable {
        /// The outcomes of all items whose images could be read, in the order of the data set.
        public let outcomes: [ChoiceOutcome]
        /// How often the model chooses correctly.
        public let metrics: ChoiceMetrics
        /// The number of images, or parts of images, that were encoded.
        public let images: Int
        /// The errors of the images that could not be read; their items are left out.
        public let unreadable: [ImageError]
        /// The number of items that are wrong only because two scores are equal.
        public let ties: Int
    }

    private let dataset: ChoiceDataset
    private let source: String
    private let scorer: TextScorer

    /// Prepares an evaluation.
    ///
    /// - Parameters:
    ///   - dataset: The items to evaluate.
    ///   - source: The name of the data set in errors, such as its files.
    ///   - preprocessing: The preprocessing of the model's images and texts.
    ///   - recall: Another model whose features give the towers' scores; nil for the evaluated
    ///     model's own features.
    /// - Throws: ``TrainingError`` if the data set has no items.
    public init(
        _ dataset: ChoiceDataset, source: String = "the data set",
        preprocessing: ModelPreprocessing, recall: RecallModel? = nil
    ) throws(TrainingError) {
        guard !dataset.items.isEmpty else {
            throw .nothingToEvaluate(
                source, "items",
                dataset.missingCount > 0
                    ? "the images of all \(dataset.missingCount) are missing"
                    : "the data contains none")
        }
        self.dataset = dataset
        self.source = source
        scorer = TextScorer(preprocessing: preprocessing, recall: recall)
    }

    /// Scores the texts of every item against its image.
    ///
    /// Items are read in the order of their images, so each image is encoded only once.
    ///
    /// - Parameters:
    ///   - model: The model to evaluate.
    ///   - ranking: Computes the score by which the fusion encoder orders texts; nil to evaluate
    ///     the towers alone.
    ///   - skipsUnreadable: Whether to leave out items whose images are damaged. Default: false.
    ///   - progress: Called with the number of images done and the total.
    /// - Returns: The outcome of each item, with metrics over all of them.
    /// - Throws: `ImageError` that names a file; ``TrainingError`` if a score is not finite or no
    ///   image can be read; `ALBEFError` if the model has no matching head; `TorchError` if there
    ///   is not enough memory; `CancellationError`.
    /// - Complexity: One pass of the image encoder per image, one of the text encoder per distinct
    ///   text of a batch, and one of the fusion encoder per pair of an image and a text.
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
