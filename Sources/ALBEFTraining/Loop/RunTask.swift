import ALBEF
import ImageText
import SystemPackage
import Torch

/// The part of a run that depends on its task: the losses of a batch, and what the evaluation
/// measures.
///
/// The run does the rest in the same way for all tasks: it draws batches, updates the weights from
/// the losses, and writes logs and checkpoints.
protocol RunTask {
    /// Computes the losses of a batch, and moves the teacher.
    ///
    /// - Parameters:
    ///   - batch: The whole batch, except that it has the pixels of this process's part alone.
    ///   - part: The part of the batch that this process loaded; the same for a single process.
    ///   - alpha: The weight of the teacher's predictions.
    ///   - epoch: The number of epochs so far.
    func losses(
        of batch: RunBatch, part: RunBatch, alpha: Double, epoch: Double
    ) throws -> TrainingLosses

    /// Returns the images and texts of a batch, for the report of a step that failed; by default
    /// those of captioned images.
    func examples(of batch: RunBatch) -> [NonFiniteReport.Pair]
}

/// A measurement of a run's model on its validation data.
protocol RunEvaluator {
    /// Evaluates a model.
    ///
    /// - Parameters:
    ///   - model: The model in training.
    ///   - step: The last step that the model has seen, and its epoch, from 1.
    ///   - report: Called with the number of images done and the total.
    func evaluate(
        _ model: ALBEFModel, at step: (step: Int, epoch: Int),
        report: @escaping (Int, Int) -> Void
    ) async throws -> RunEvaluation
}

/// The result of an evaluation.
struct RunEvaluation {
    /// The measurements of an evaluation.
    enum Metrics {
        /// Recall.
        case retrieval(EvaluationMetrics)
        /// The metric of a downstream task.
        case task(TaskMetrics)
    }

    /// The measurements.
    let metrics: Metrics
    /// The number by which checkpoints are compared, in percent.
    let score: Double
    /// Queries with their results; nil if the task has no queries.
    var samples: [SampleRetrieval]?
}

extension RunEvaluation {
    /// Creates the result of a downstream task.
    ///
    /// - Parameters:
    ///   - metric: The name of the metric; see ``TaskMetrics/metric``.
    ///   - share: The value with its standard error.
    ///   - items: The number of items.
    ///   - step: The last step that the model has seen, and its epoch, from 1.
    init(_ metric: String, _ share: MeasuredShare, items: Int, at step: (step: Int, epoch: Int)) {
        self.init(
            metrics: .task(
                TaskMetrics(
                    step: step.step, epoch: step.epoch, split: "validation", items: items,
                    metric: metric, value: share.percent, standardError: share.standardError)),
            score: share.percent)
    }
}

extension RunTask {
    /// Returns the images of a batch with their captions.
    func examples(of batch: RunBatch) -> [NonFiniteReport.Pair] {
        guard let batch = batch.pairs else { return [] }
        return zip(batch.images, batch.captions).map { .init(image: $0.string, caption: $1) }
    }
}
