import ALBEF
import ImageText
import Torch

/// Training on images with captions: ITC, ITM and MLM.
struct PairTask: RunTask {
    let objective: PretrainingObjective
    let configuration: TrainingConfiguration
    let preprocessing: ModelPreprocessing
    /// The cached feature maps of the images' views; nil if the frozen part of the trunk runs in
    /// every step.
    let maps: TrunkMaps?

    func losses(
        of batch: RunBatch, part: RunBatch, alpha: Double, epoch: Double
    ) throws -> TrainingLosses {
        guard let batch = batch.pairs, let part = part.pairs else {
            preconditionFailure("a batch of items in training on captions")
        }
        let matching = configuration.objectives.matching
        let easy = epoch - matching.easyEpochs
        let hardness = matching.rampEpochs > 0 ? min(1, easy / matching.rampEpochs) : 1
        // Feature maps are computed in full precision, whatever precision the step uses, so compute
        // them outside autocast.
        let inputs = try inputs(batch, part)
        return try withAutocast(configuration.training.precision.autocast, on: device) {
            try objective(
                inputs, alpha: alpha, negatives: easy < 0 ? .shifted : nil, hardness: hardness
            ).byName
        }
    }

    private var device: Device { objective.student.device }

    /// Converts a batch to the input of the objectives: the texts of the whole batch, and the images
    /// of this process's part.
    private func inputs(
        _ batch: TrainingBatch, _ part: TrainingBatch
    ) throws -> PretrainingBatch {
        let side = objective.student.configuration.vision.imageSize
        let tokens = preprocessing.text.batch(batch.captions)
        let (ids, mask) = tokens.tensors(on: device)
        let pixels = Tensor(
            part.pixels, shape: [part.pixelRows.count, 3, side, side], device: device)
        let knowsTruths = configuration.objectives.contrastive.positives == .caption
        return PretrainingBatch(
            images: try maps.map {
                try $0.input(part, pixels, of: objective.student.visualEncoder)
            } ?? .pixels(pixels),
            ids: ids, mask: mask, imageIDs: Tensor(batch.ids, device: device),
            truths: knowsTruths
                ? Tensor(
                    batch.truths.map { $0 ? 1 : 0 }, shape: [tokens.count, tokens.count],
                    device: device
                ).isEqual(to: 1) : nil)
    }
}

/// The evaluation of retrieval during training.
struct PairEvaluation: RunEvaluator {
    let evaluator: RetrievalEvaluator
    let configuration: TrainingConfiguration

    func evaluate(
        _ model: ALBEFModel, at step: (step: Int, epoch: Int),
        report: @escaping (Int, Int) -> Void
    ) async throws -> RunEvaluation {
        let settings = configuration.evaluation
        let reranks = configuration.objectives.matching.weight > 0 && settings.depth > 0
        let result = try await evaluator.evaluate(
            model, depths: reranks ? [settings.depth] : [], progress: report)
        let metrics = EvaluationMetrics(
            step: step.step, epoch: step.epoch, split: "validation",
            images: evaluator.imageCount, texts: evaluator.textCount,
            rerankDepth: result.reranked.first?.depth, dual: result.towers.metrics,
            reranked: result.reranked.first?.ranks.metrics)
        return RunEvaluation(
            metrics: .retrieval(metrics),
            score: settings.selection.score(metrics.reranked ?? metrics.dual),
            samples: result.samples)
    }
}

extension TrainingConfiguration.Evaluation.Selection {
    /// Returns the recall that this selection compares, in percent.
    func score(_ recall: RecallMetrics) -> Double {
        switch self {
        case .mean: recall.mean
        case .textToImage: recall.textToImage.mean
        case .imageToText: recall.imageToText.mean
        }
    }
}

extension TrainingConfiguration.Training.Precision {
    /// The type that autocast uses for products and convolutions; nil for no autocast.
    var autocast: DType? {
        switch self {
        case .float32: nil
        case .bfloat16: .bfloat16
        case .float16: .float16
        }
    }
}
