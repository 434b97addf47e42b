public import ALBEF
public import ImageText
import SystemPackage
import Torch

/// Evaluates a model on questions about images, by the accuracy of VQAv2.
///
/// The model chooses among the answers of a list, as in the original, or writes its answers freely.
public struct AnswerEvaluator: Sendable {
    /// The answers to one question.
    public struct Prediction: Sendable, Hashable {
        /// The position of the item in the data.
        public let item: Int
        /// The best answers, best first; at least one.
        public let answers: [ScoredAnswer]
        /// The accuracy of the best answer, from 0 to 1; nil if people gave none.
        public let accuracy: Double?
    }

    /// The answers of an evaluation.
    public struct Result: Sendable {
        /// The predictions in the order of the data, without items whose images are damaged.
        public let predictions: [Prediction]
        /// The errors of the images that could not be read.
        public let unreadable: [ImageError]

        /// The mean accuracy; nil if people gave no answers.
        ///
        /// Its standard error counts by image, because the questions of one image are not independent.
        public let accuracy: MeasuredShare?
    }

    private let items: [QuestionItem]
    private let files: [[FilePath]]
    private let source: String
    private let reader: AnswerReader
    private let encoder: ItemEncoder

    /// Prepares an evaluation.
    ///
    /// - Parameters:
    ///   - items: The questions.
    ///   - source: The name of the data in errors, such as its files.
    ///   - reader: The way in which the model finds answers.
    ///   - image: The preparation of the model's images.
    /// - Throws: ``TrainingError`` if there are no items.
    public init(
        _ items: [QuestionItem], source: String = "the data set", reader: AnswerReader,
        image: ImageTransform
    ) throws(TrainingError) {
        guard !items.isEmpty else {
            throw .nothingToEvaluate(source, "questions", "the data contains none")
        }
        self.items = items
        files = items.map { [$0.image] }
        self.source = source
        self.reader = reader
        encoder = ItemEncoder(image)
    }

    /// Answers every question.
    ///
    /// - Parameters:
    ///   - model: A model for VQA.
    ///   - skipsUnreadable: Whether to leave out questions with a damaged image. Default: false.
    ///   - progress: Called with the number of questions done and the total.
    /// - Throws: `ImageError` that names a file; `ALBEFError` if the model is for another task;
    ///   ``TrainingError`` if a score is not finite or no image can be read; `TorchError` if there
    ///   is not enough memory; `CancellationError`.
    /// - Complexity: One pass of the fusion encoder per question, and one of the decoder per
    ///   candidate, or per beam and token.
    public func evaluate(
        _ model: ALBEFModel, skipsUnreadable: Bool = false,
        progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> Result {
        var (predictions, unreadable) = try await encoder.predictions(
            of: files, model, skipsUnreadable: skipsUnreadable, progress: progress
        ) { encoded in
            let questions = encoded.items.map { items[$0].question }
            let found = try recovering {
                try reader.answers(to: questions, tokens: encoded.images[0], model)
            }
            return try zip(encoded.items, found).map { try prediction($0, $1) }
        }
        guard !predictions.isEmpty else {
            throw TrainingError.nothingToEvaluate(source, "questions", "no image can be read")
        }
        predictions.sort { $0.item < $1.item }
        let known = predictions.filter { $0.accuracy != nil }
        return Result(
            predictions: predictions, unreadable: unreadable,
            accuracy: known.isEmpty
                ? nil
                : MeasuredShare(
                    of: known.compactMap(\.accuracy),
                    groups: ItemEncoder.groups(of: known.map { files[$0.item] })))
    }

    private func prediction(_ item: Int, _ answers: [ScoredAnswer]) throws -> Prediction {
        let question = items[item]
        guard let best = answers.first, best.score.isFinite else {
            throw TrainingError.scoreNotFinite("\(question.file): \(question.entry)")
        }
        return Prediction(
            item: item, answers: answers,
            accuracy: question.answers.isEmpty
                ? nil : AnswerAccuracy.score(best.text, people: question.answers))
    }
}

extension AnswerEvaluator: RunEvaluator {
    func evaluate(
        _ model: ALBEFModel, at step: (step: Int, epoch: Int),
        report: @escaping (Int, Int) -> Void
    ) async throws -> RunEvaluation {
        let result = try await evaluate(model, progress: report)
        return RunEvaluation(
            "vqa_accuracy", result.accuracy ?? MeasuredShare(percent: 0, standardError: 0),
            items: result.predictions.count, at: step)
    }
}
