public import ALBEF
public import ImageText
public import SystemPackage
import Torch

/// A pretraining run, from its settings to its last checkpoint.
public final class PretrainingRun {
    /// How a run ended.
    public enum Outcome: Sendable, Hashable {
        /// All steps were taken.
        case finished
        /// The task was cancelled; a checkpoint holds everything up to its last step.
        case interrupted
    }

    /// What a run tells while it goes on.
    public enum Event: Sendable {
        /// A step was taken.
        case step(StepMetrics)
        /// The model was judged.
        case evaluation(EvaluationMetrics)
        /// A file could not be read; another row took its place.
        case failure(ImageError)
        /// Pictures of an evaluation, done and in all.
        case evaluating(done: Int, of: Int)
    }

    /// Where the run keeps its files.
    public let directory: RunDirectory
    /// The settings.
    public let configuration: PretrainingConfiguration
    /// Steps of the whole run.
    public let totalSteps: Int
    /// Steps taken so far.
    public var step: Int { state.progress.step }
    /// The model being trained.
    public var model: ALBEFModel { state.student }
    private var state: TrainingState
    private var scaler: LossScaler
    private let loader: BatchLoader
    private let evaluator: RetrievalEvaluator?
    let text: TextPreprocessor
    private let schedule: LearningRateSchedule
    private let ramp: DistillationRamp
    private let report: @Sendable (Event) -> Void
    /// The step of the last checkpoint; nil where there is none.
    private var savedStep: Int?

    /// Begins a run in a new directory, or goes on with one.
    ///
    /// - Parameters:
    ///   - path: the run's directory.
    ///   - settings: nil to go on with the run that is there, by its own settings.
    ///   - report: called as the run goes on, from any thread.
    /// - Throws: ``TrainingError``, `DatasetError` and others that name what is wrong with a
    ///   setting or a file.
    public init(
        _ path: FilePath, settings: PretrainingConfiguration?,
        report: @escaping @Sendable (Event) -> Void = { _ in }
    ) throws {
        directory = RunDirectory(path)
        if let settings {
            try settings.validate()
            guard !directory.isBegun else { throw TrainingError.occupied(path.string) }
            // As they come back from the file: a number of very many digits is rounded there.
            configuration = try SettingsFile.asStored(settings)
        } else {
            guard directory.isBegun else {
                throw TrainingError.notARun(path.string, "configuration.yaml")
            }
            configuration = try SettingsFile.stored(directory.settings)
        }
        self.report = report
        let device = try Device(named: configuration.training.device)

        // Everything that can be wrong with the settings shows before the directory is made.
        let words: FilePath
        if !directory.isBegun {
            let start = configuration.model.start.map { FilePath($0) }
            words =
                try configuration.model.vocabulary.map { FilePath($0) }
                ?? start.map { try ModelDirectory.open($0).vocabulary } ?? directory.vocabulary
        } else {
            words = directory.vocabulary
        }
        let vocabulary = try Vocabulary(contentsOf: words)
        let isCheckpoint = directory.hasCheckpoint
        state = try TrainingState(
            configuration, vocabulary: vocabulary, device: device,
            source: isCheckpoint ? directory.last : configuration.model.start.map { FilePath($0) },
            isCheckpoint: isCheckpoint)
        savedStep = isCheckpoint ? state.progress.step : nil
        scaler = LossScaler(
            isDynamic: configuration.training.precision == .float16,
            scale: state.progress.lossScale, goodSteps: state.progress.goodSteps)
        let sizes = state.student.configuration
        text = TextPreprocessor(
            rules: sizes.dialect == .albef ? .albef : .lavis,
            tokenizer: WordPieceTokenizer(
                vocabulary: vocabulary, isUncased: sizes.text.lowercases))
        loader = try configuration.loader(for: sizes.vision) { report(.failure($0)) }
        evaluator = try configuration.evaluator(for: sizes.vision, text: text)

        let accumulation = configuration.training.accumulation
        let stepsPerEpoch = loader.batchesPerEpoch / accumulation
        guard stepsPerEpoch > 0 else {
            throw TrainingError.tooFewRows(
                rows: loader.rowCount, batchSize: configuration.training.batchSize * accumulation)
        }
        totalSteps = stepsPerEpoch * configuration.training.epochs
        let optimizer = configuration.optimizer
        schedule = LearningRateSchedule(
            shape: optimizer.schedule, peak: optimizer.learningRate,
            minimum: optimizer.minimumLearningRate, warmupStart: optimizer.warmupLearningRate,
            warmupSteps: optimizer.warmupSteps, epochs: configuration.training.epochs,
            stepsPerEpoch: stepsPerEpoch)
        ramp = DistillationRamp(
            alpha: configuration.objectives.teacher.alpha,
            epochs: configuration.objectives.teacher.rampEpochs,
            iterationsPerEpoch: stepsPerEpoch * accumulation)
        if !directory.isBegun { try directory.begin(configuration, vocabulary: words) }
    }

    // MARK: The loop

    /// Trains until the last step, or until the task is cancelled.
    ///
    /// - Throws: ``TrainingError`` for a loss that is not finite; the data's error for files that
    ///   cannot be read.
    public func run() async throws -> Outcome {
        keepFreedMemory()
        directory.prune()
        let observer = try RunObserver(
            directory.path, resumingAfter: step > 0 || directory.isObserved ? step : nil,
            totalSteps: totalSteps, totalEpochs: configuration.training.epochs)
        var meter = StepMeter(after: observer.resumedFrom)
        let accumulation = configuration.training.accumulation
        let stepsPerEpoch = schedule.stepsPerEpoch
        var outcome = Outcome.finished
        do {
            if state.progress.isEvaluationDue {
                let isBest = try await evaluate(observer)
                try observer.flush()
                try save(isBest: isBest)
            }
            var waiting: [TrainingBatch] = []
            var batches = loader.batches(from: state.progress.position).makeAsyncIterator()
            while step < totalSteps {
                try Task.checkCancellation()
                guard let batch = try await batches.next() else { break }
                // What does not fill the last step of an epoch is left out.
                guard batch.index < stepsPerEpoch * accumulation else { continue }
                waiting.append(batch)
                guard waiting.count == accumulation else { continue }
                let (epoch, isEpochEnd) = (
                    batch.epoch, batch.index == stepsPerEpoch * accumulation - 1
                )
                let isLogged = (step + 1) % configuration.training.logSteps == 0 || isEpochEnd

                let measured = try take(waiting, measuringGradients: isLogged)
                waiting.removeAll(keepingCapacity: true)
                state.progress.step += 1
                state.progress.position = .init(epoch: batch.epoch, batch: batch.index + 1)

                meter.add(measured)
                let metrics = meter.metrics(step: step, epoch: epoch + 1)
                report(.step(metrics))
                if isLogged {
                    try observer.record(metrics)
                    meter.startInterval()
                }
                state.progress.isEvaluationDue =
                    configuration.evaluation.steps > 0
                    ? step % configuration.evaluation.steps == 0 || step == totalSteps : isEpochEnd
                let isBest =
                    state.progress.isEvaluationDue ? try await evaluate(observer) : false
                if isBest || isEpochEnd || step % configuration.training.checkpointSteps == 0 {
                    try observer.flush()
                    try save(isBest: isBest)
                }
            }
        } catch is CancellationError {
            outcome = .interrupted
            try observer.flush()
            if savedStep != step { try save(isBest: false) }
        } catch {
            try? observer.close(.failed)
            throw error
        }
        try observer.close(outcome == .finished ? .finished : .interrupted)
        return outcome
    }

    /// Takes one step: rate, losses, gradients, clipping, weights.
    private func take(
        _ batches: [TrainingBatch], measuringGradients: Bool
    ) throws -> StepMeter.Step {
        let (objective, optimizer) = (state.objective, state.optimizer)
        let device = state.student.device
        optimizer.learningRate = schedule.rate(at: step)
        optimizer.clearGradients()
        let easySteps =
            configuration.objectives.matching.easyEpochs * Double(schedule.stepsPerEpoch)
        let isEasy = Double(step) < easySteps
        var measured = StepMeter.Step(learningRate: optimizer.learningRate)
        for (index, batch) in batches.enumerated() {
            let alpha = ramp.alpha(at: step * batches.count + index)
            let losses = try withAutocast(configuration.training.precision.autocast, on: device) {
                try objective(
                    inputs(batch), alpha: alpha, negatives: isEasy ? .shifted : nil)
            }
            measured.add(losses, alpha: alpha, pairs: batch.captions.count, of: batches.count)
            guard measured.loss.isFinite else {
                throw TrainingError.notFinite(
                    step: step + 1, loss: measured.loss,
                    report: try NonFiniteReport(step: step + 1, measured, batches)
                        .write(to: directory.path).string)
            }
            try scaler.scaled(losses.total / Double(batches.count)).backward()
        }
        let clipNorm = configuration.optimizer.clipNorm
        var mayMove = true
        if clipNorm > 0 || measuringGradients || configuration.training.precision == .float16 {
            let gradients = optimizer.gradients
            let scaledNorm = gradients.totalNorm()?.scalar() ?? 0
            let norm = scaledNorm / scaler.scale
            measured.gradientNorm = norm
            let shortening = clipNorm > 0 && norm > clipNorm ? clipNorm / (norm + 1e-6) : 1
            let factor = shortening / scaler.scale
            mayMove = scaler.update(gradientsAreFinite: scaledNorm.isFinite)
            if mayMove, factor != 1 {
                gradients.scaleInPlace(.full([], factor, device: device))
            }
        }
        if mayMove { try optimizer.step() }
        measured.temperature = state.student.temperature?.value.scalar()
        return measured
    }

    /// A batch as the objectives take it.
    private func inputs(_ batch: TrainingBatch) -> PretrainingBatch {
        let device = state.student.device
        let side = state.student.configuration.vision.imageSize
        let tokens = text.batch(
            batch.captions, maximumTokens: state.student.configuration.text.maximumTokens)
        let shape = [tokens.count, tokens.length]
        let knowsTruths = configuration.objectives.contrastive.positives == .caption
        return PretrainingBatch(
            pixels: Tensor(batch.pixels, shape: [tokens.count, 3, side, side], device: device),
            ids: Tensor(tokens.ids, shape: shape, device: device),
            mask: Tensor(tokens.mask, shape: shape, device: device),
            imageIDs: Tensor(batch.ids, device: device),
            truths: knowsTruths
                ? Tensor(
                    batch.truths.map { $0 ? 1 : 0 }, shape: [tokens.count, tokens.count],
                    device: device
                ).isEqual(to: 1) : nil)
    }

    // MARK: Between steps

    /// Judges the model; says whether it is the best so far.
    private func evaluate(_ observer: RunObserver) async throws -> Bool {
        guard let evaluator else {
            state.progress.isEvaluationDue = false
            return false
        }
        let result = try await evaluator.evaluate(
            state.student,
            depths: configuration.objectives.matching.weight > 0
                && configuration.evaluation.depth > 0 ? [configuration.evaluation.depth] : []
        ) { [report] done, total in report(.evaluating(done: done, of: total)) }
        let metrics = EvaluationMetrics(
            step: step, epoch: state.progress.position.epoch + 1, split: "validation",
            images: evaluator.imageCount,
            texts: evaluator.textCount, rerankDepth: result.reranked.first?.depth,
            dual: result.dual, reranked: result.reranked.first?.metrics)
        try observer.record(metrics)
        try observer.record(samples: result.samples)
        report(.evaluation(metrics))
        state.progress.isEvaluationDue = false
        let recall = (metrics.reranked ?? metrics.dual).mean
        guard recall > state.progress.bestRecall ?? -1 else { return false }
        state.progress.bestRecall = recall
        return true
    }

    private func save(isBest: Bool) throws {
        state.progress.lossScale = scaler.scale
        state.progress.goodSteps = scaler.goodSteps
        try directory.addCheckpoint(step: step, isBest: isBest) {
            try state.write(to: $0, vocabulary: directory.vocabulary)
        }
        savedStep = step
        directory.prune()
    }
}

extension PretrainingConfiguration.Training.Precision {
    /// What products are cast to; nil for nothing.
    fileprivate var autocast: DType? {
        switch self {
        case .float32: nil
        case .bfloat16: .bfloat16
        case .float16: .float16
        }
    }
}
