public import ALBEF
public import ImageText
import SystemPackage
import Torch

/// Evaluates a model on sentences with one image or two: visual entailment and NLVR2.
///
/// The metric is the share of sentences whose class is found, as in the original.
public struct ClassificationEvaluator: Sendable {
    /// The class that a model gives a sentence.
    public struct Prediction: Sendable, Hashable {
        /// The position of the item in the data.
        public let item: Int
        /// The class with the highest probability.
        public let label: Int
        /// The probability of each class.
        public let probabilities: [Float]
    }

    /// The predictions of an evaluation.
    public struct Result: Sendable {
        /// The predictions in the order of the data, without items whose images are damaged.
        public let predictions: [Prediction]
        /// The number of items by their class, and then by the predicted class.
        public let confusion: [[Int]]
        /// The errors of the images that could not be read.
        public let unreadable: [ImageError]

        /// The share of sentences whose class was found; its standard error counts by image, because
        /// the sentences of one image are not independent.
        public let accuracy: MeasuredShare
        /// The share of the most frequent class, in percent.
        public var majority: Double {
            let largest = confusion.map { $0.reduce(0, +) }.max() ?? 0
            return 100 * Double(largest) / Double(max(1, predictions.count))
        }
    }

    private let items: [ClassificationItem]
    private let files: [[FilePath]]
    private let source: String
    private let texts: TaskTexts
    private let encoder: ItemEncoder

    /// Prepares an evaluation.
    ///
    /// - Parameters:
    ///   - items: The sentences with their images and classes.
    ///   - source: The name of the data in errors, such as its files.
    ///   - image: The preparation of the model's images.
    ///   - texts: The preparation of the model's texts.
    /// - Throws: ``TrainingError`` if there are no items.
    public init(
        _ items: [ClassificationItem], source: String = "the data set", image: ImageTransform,
        texts: TaskTexts
    ) throws(TrainingError) {
        guard !items.isEmpty else {
            throw .nothingToEvaluate(source, "sentences", "the data contains none")
        }
        self.items = items
        files = items.map(\.images)
        self.source = source
        self.texts = texts
        encoder = ItemEncoder(image)
    }

    /// Predicts the class of every sentence.
    ///
    /// - Parameters:
    ///   - model: A model for the task of the items.
    ///   - skipsUnreadable: Whether to leave out items with a damaged image. Default: false.
    ///   - progress: Called with the number of items done and the total.
    /// - Throws: `ImageError` that names a file; `ALBEFError` if the model is for another task;
    ///   ``TrainingError`` if a probability is not finite or no image can be read; `TorchError` if
    ///   there is not enough memory; `CancellationError`.
    /// - Complexity: One pass of the fusion encoder per item, and one of the image encoder per
    ///   image of a batch.
    public func evaluate(
        _ model: ALBEFModel, skipsUnreadable: Bool = false,
        progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> Result {
        let classes = model.configuration.task.classCount ?? 0
        var (predictions, unreadable) = try await encoder.predictions(
            of: files, model, skipsUnreadable: skipsUnreadable, progress: progress
        ) { try predict($0, model, classes) }
        guard !predictions.isEmpty else {
            throw TrainingError.nothingToEvaluate(source, "sentences", "no image can be read")
        }
        var confusion = [[Int]](repeating: Array(repeating: 0, count: classes), count: classes)
        for prediction in predictions {
            confusion[items[prediction.item].label][prediction.label] += 1
        }
        predictions.sort { $0.item < $1.item }
        return Result(
            predictions: predictions, confusion: confusion, unreadable: unreadable,
            accuracy: MeasuredShare(
                of: predictions.map { items[$0.item].label == $0.label ? 1 : 0 },
                groups: ItemEncoder.groups(of: predictions.map { files[$0.item] })))
    }

    private func predict(
        _ encoded: ItemEncoder.Encoded, _ model: ALBEFModel, _ classes: Int
    ) throws -> [Prediction] {
        let (ids, mask) = texts.sentences(encoded.items.map { items[$0].sentence })
            .tensors(on: model.device)
        let values: [Float] = try recovering {
            try withoutGradients {
                try model.classLogits(ids, mask: mask, images: encoded.images)
                    .to(.float32).softmax(1).values()
            }
        }
        return try encoded.items.enumerated().map { row, item in
            let own = Array(values[row * classes..<(row + 1) * classes])
            guard own.allSatisfy(\.isFinite),
                let best = own.indices.max(by: { (own[$0], $1) < (own[$1], $0) })
            else {
                throw TrainingError.scoreNotFinite("\(items[item].file): \(items[item].entry)")
            }
            return Prediction(item: item, label: best, probabilities: own)
        }
    }
}

extension ClassificationEvaluator: RunEvaluator {
    func evaluate(
        _ model: ALBEFModel, at step: (step: Int, epoch: Int),
        report: @escaping (Int, Int) -> Void
    ) async throws -> RunEvaluation {
        let result = try await evaluate(model, progress: report)
        return RunEvaluation(
            "accuracy", result.accuracy, items: result.predictions.count, at: step)
    }
}
