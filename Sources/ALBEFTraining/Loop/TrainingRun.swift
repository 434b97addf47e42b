public import ALBEF
public import ImageText
import OrderedCollections
import Storage
public import SystemPackage
public import Torch

/// A run of pretraining or fine-tuning, from its settings to its last checkpoint.
public final class TrainingRun {
    /// The way in which a run ended.
    public enum Outcome: Sendable, Hashable {
        /// All steps were taken.
        case finished
        /// The task was cancelled; a checkpoint contains everything up to the last step.
        case interrupted
    }

    /// An event that a run reports.
    public enum Event: Sendable {
        /// A step was taken.
        case step(StepMetrics)
        /// The model was evaluated on retrieval.
        case evaluation(EvaluationMetrics)
        /// The model was evaluated on a downstream task.
        case taskEvaluation(TaskMetrics)
        /// A file could not be read, so another row replaced its row in the batch.
        case failure(ImageError)
        /// The rest of a shard of the training data cannot be used and is skipped.
        case damagedShard(ShardDamage)
        /// The number of shards whose samples have been counted, and the total.
        case counting(done: Int, of: Int)
        /// The number of images that an evaluation has processed, and the total.
        case evaluating(done: Int, of: Int)
    }

    /// The directory with the run's files.
    public let directory: RunDirectory
    /// The settings of the run.
    public let configuration: TrainingConfiguration
    /// The number of steps of the whole run.
    public let totalSteps: Int
    /// The number of steps taken so far.
    public var step: Int { state.progress.step }
    /// The model in training.
    public var model: ALBEFModel { state.student }
    /// The parts of the model that are trained, with their learning rates.
    public var parts: TrainedParts {
        TrainedParts(state.plan, peak: configuration.optimizer.learningRate)
    }
    /// How processes divide the shards; nil if the training data are annotations.
    public var shardSplit: ShardSplit? { source.shardSplit }
    var state: TrainingState
    var scaler: LossScaler
    package let preprocessing: ModelPreprocessing
    /// The part of a step that depends on the task.
    let task: any RunTask
    let schedule: LearningRateSchedule
    let ramp: DistillationRamp
    /// The cached feature maps of the images' views; nil if the frozen part of the trunk runs in
    /// every step.
    let maps: TrunkMaps?
    let source: TrainingSource
    let data: TrainingData
    private let evaluator: (any RunEvaluator)?
    private let report: @Sendable (Event) -> Void
    /// The step of the last checkpoint; nil before the first.
    private var savedStep: Int?
    /// nil in all processes but the first.
    private let lock: FileLock?
    /// The processes that take the steps together.
    let ranks: TrainingRanks
    /// Averages the gradients of the processes; nil before the first step, and in a single process.
    private var averager: GradientAverager?
    /// The step, and the operator within it, at which tests simulate running out of memory.
    package var plannedFailure: (step: Int, atOperator: Int, failure: PlannedFailure)?

    /// Begins a run in a new directory, or resumes an existing run.
    ///
    /// The run's directory is locked for as long as this object exists, because only one process at
    /// a time can train in it.
    ///
    /// - Parameters:
    ///   - path: The run's directory.
    ///   - settings: The settings of a new run; nil to resume the run in the directory with its own
    ///     settings.
    ///   - newParts: The names of the parameters that were randomly initialized in the model that
    ///     the settings start from; nil to read them from the model's directory. Ignored if the run
    ///     has a checkpoint, which records them.
    ///   - opener: Opens the shards of training data; by default files and commands.
    ///   - group: The processes that train together, each with this call; nil for a single process.
    ///     The first one writes the run's directory. To resume, all must be able to read it.
    ///   - report: Called for each event, from any thread. Only the first process evaluates.
    /// - Throws: ``TrainingError``, `DatasetError` and other errors that name an invalid setting or
    ///   file; ``TrainingError`` also if another process trains in the directory.
    public init(
        _ path: FilePath, settings: TrainingConfiguration?, newParts: Set<String>? = nil,
        opener: ShardOpener = ShardOpener(), group: ProcessGroup? = nil,
        report: @escaping @Sendable (Event) -> Void = { _ in }
    ) throws {
        let ranks = TrainingRanks(group)
        self.ranks = ranks
        directory = RunDirectory(path)
        var lock: FileLock?
        if let settings {
            try settings.validate()
            guard !ranks.isFirst || !directory.isBegun else {
                throw TrainingError.occupied(path.string)
            }
            // Use the values as they will be read back: YAML rounds numbers with many digits.
            configuration = try SettingsFile.asStored(settings)
        } else {
            guard directory.isBegun else {
                throw TrainingError.notARun(path.string, "configuration.yaml")
            }
            if ranks.isFirst { lock = try directory.lock() }
            configuration = try SettingsFile.stored(directory.settings)
        }
        self.report = report
        try configuration.validate(for: ranks)
        try ranks.compare(configuration)
        let device = try group?.device ?? Device(named: configuration.training.device)

        // Check everything that depends on the settings before creating the directory.
        let words: FilePath
        if settings != nil {
            words = try configuration.model.vocabularyFile() ?? directory.vocabulary
        } else {
            words = directory.vocabulary
        }
        let vocabulary = try Vocabulary(contentsOf: words)
        let isCheckpoint = settings == nil && directory.hasCheckpoint
        state = try TrainingState(
            configuration, vocabulary: vocabulary, device: device,
            source: isCheckpoint ? directory.last : configuration.model.start.map { FilePath($0) },
            isCheckpoint: isCheckpoint, newParts: newParts, ranks: ranks)
        savedStep = isCheckpoint ? state.progress.step : nil
        scaler = LossScaler(
            isDynamic: configuration.training.precision == .float16,
            scale: state.progress.lossScale, goodSteps: state.progress.goodSteps)
        let sizes = state.student.configuration
        preprocessing = ModelPreprocessing(vocabulary: vocabulary, configuration: sizes)
        data = try TrainingData(
            configuration, counts: directory.shardCounts, opener: opener, ranks: ranks,
            report: report)
        let common = configuration.data.trunkMaps.map { FilePath($0) } ?? directory.trunkMaps
        // Each process caches the maps that it computes.
        let kept = ranks.isFirst ? common : FilePath("\(common).\(ranks.rank)")
        maps = try TrunkMaps.Plan(configuration, state, data.annotations).map {
            try TrunkMaps($0, at: kept)
        }
        source = try configuration.source(
            data, for: sizes.vision, maps: maps, opener: opener, ranks: ranks, report: report)
        evaluator = try configuration.evaluator(
            preprocessing: preprocessing, vocabulary: vocabulary, sizes: sizes)
        task = try configuration.task(state, data, preprocessing, vocabulary, maps: maps)

        let accumulation = configuration.training.accumulation
        let stepsPerEpoch = source.batchesPerEpoch / accumulation
        guard stepsPerEpoch > 0 else {
            throw TrainingError.tooFewRows(
                rows: source.rowCount, batchSize: configuration.training.batchSize * accumulation)
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
        var held = lock
        try ranks.first { [directory, configuration, data] in
            held = try held ?? directory.begin(configuration, vocabulary: words)
            try data.writeCounts(to: directory.shardCounts)
        }
        self.lock = held
        try maps?.open()
    }

    // MARK: The loop

    /// Trains until the last step, or until the task is cancelled.
    ///
    /// A checkpoint precedes every evaluation, so a run whose evaluation fails loses no steps.
    ///
    /// - Returns: Whether the run finished or was interrupted.
    /// - Throws: ``TrainingError`` if a loss or a gradient is not finite, an evaluation fails, or
    ///   there is not enough memory for a step; the errors of the data for files that cannot be
    ///   read. A checkpoint never contains anything newer than the last good step.
    /// - Complexity: ``totalSteps`` steps, each with `training.accumulation` forward and backward
    ///   passes.
    public func run() async throws -> Outcome {
        keepFreedMemory()
        // Batches that are still being prepared refer to the maps, but no longer need them.
        defer { maps?.close() }
        var observer: RunObserver?
        try ranks.first {
            directory.prune()
            observer = try RunObserver(
                directory.path, resumingAfter: step > 0 || directory.isObserved ? step : nil,
                isEvaluated: !state.progress.isEvaluationDue,
                totalSteps: totalSteps, totalEpochs: configuration.training.epochs)
            try parts.write(to: directory.path)
        }
        var outcome = Outcome.finished
        do {
            try await takeSteps(observer)
        } catch is CancellationError {
            outcome = .interrupted
            try saveIfNeeded(observer)
        } catch let error where Self.isOutOfMemory(error) {
            defer { try? observer?.close(.failed) }
            throw TrainingError.outOfMemory(
                step: step + 1, batchSize: configuration.training.batchSize,
                saved: ranks.group == nil ? Result { try saveIfNeeded(observer) } : nil)
        } catch {
            try? observer?.close(.failed)
            // Inside of a backward pass, libtorch turns the failure of the group into its own.
            guard let failure = ranks.group?.failure else {
                guard let error = error as? TorchError, error.isDeviceFailure else { throw error }
                throw TrainingError.device(
                    step: step + 1, "\(error)",
                    checkpoint: savedStep.map { (directory.last.string, $0) })
            }
            throw TrainingError.ranks(
                step: step + 1, failure.description,
                checkpoint: savedStep.map { (directory.last.string, $0) })
        }
        try observer?.close(outcome == .finished ? .finished : .interrupted)
        return outcome
    }

    /// Whether libtorch or a loader did not get its memory.
    private static func isOutOfMemory(_ error: any Error) -> Bool {
        (error as? TorchError)?.isOutOfMemory ?? (error as? DatasetError)?.isOutOfMemory ?? false
    }

    private func takeSteps(_ observer: RunObserver?) async throws {
        var meter = StepMeter(after: observer?.resumedFrom)
        let accumulation = configuration.training.accumulation
        let stepsPerEpoch = schedule.stepsPerEpoch
        let evaluationSteps = configuration.evaluation.steps
        if state.progress.isEvaluationDue { try await evaluate(observer) }
        var waiting: [RunBatch] = []
        var batches = source.batches(
            from: state.progress.position, begunWith: state.progress.epochRanks ?? 1)
        while step < totalSteps {
            try ranks.checkCancellation()
            guard let batch = try await batches.next(isolation: #isolation) else { break }
            // The last batches of an epoch that do not fill a step are left out.
            guard batch.index < stepsPerEpoch * accumulation else { continue }
            waiting.append(batch)
            guard waiting.count == accumulation else { continue }
            let (epoch, isEpochEnd) = (
                batch.epoch, batch.index == stepsPerEpoch * accumulation - 1
            )

            let measured = try take(waiting)
            waiting.removeAll(keepingCapacity: true)
            state.progress.step += 1
            state.progress.position = .init(epoch: batch.epoch, batch: batch.index + 1)
            if batch.index < accumulation { state.progress.epochRanks = ranks.count }

            meter.add(measured)
            let metrics = meter.metrics(step: step, epoch: epoch + 1)
            report(.step(metrics))
            if step % configuration.training.logSteps == 0 || isEpochEnd {
                try observer?.record(metrics)
                meter.startInterval()
            }
            let isTurn =
                evaluationSteps > 0
                ? step % evaluationSteps == 0 || step == totalSteps : isEpochEnd
            state.progress.isEvaluationDue = evaluator != nil && isTurn
            if state.progress.isEvaluationDue || isEpochEnd
                || step % configuration.training.checkpointSteps == 0
            {
                try save(observer)
            }
            if state.progress.isEvaluationDue { try await evaluate(observer) }
        }
    }

    // MARK: Between steps

    /// Evaluates the newest checkpoint, and records whether it is the best so far.
    private func evaluate(_ observer: RunObserver?) async throws {
        if let evaluator {
            try await ranks.first(running: { try await evaluate(evaluator, observer) })
        }
        state.progress.isEvaluationDue = false
    }

    private func evaluate(_ evaluator: any RunEvaluator, _ observer: RunObserver?) async throws {
        let result: RunEvaluation
        do {
            let place = (step, state.progress.position.epoch + 1)
            result = try await evaluator.evaluate(state.student, at: place) {
                [report] done, total in report(.evaluating(done: done, of: total))
            }
            try record(result, observer)
            // The evaluation's allocations differ in size from those of a step, so no step could
            // reuse them.
            returnFreedMemory()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw TrainingError.evaluation(step: step, error)
        }
        state.progress.isEvaluationDue = false
        let isBest = result.score > state.progress.bestScore ?? -1
        if isBest { state.progress.bestScore = result.score }
        try directory.finishEvaluation(state.progress, isBest: isBest)
    }

    private func record(_ result: RunEvaluation, _ observer: RunObserver?) throws {
        switch result.metrics {
        case .retrieval(let metrics):
            try observer?.record(metrics)
            report(.evaluation(metrics))
        case .task(let metrics):
            try observer?.record(metrics)
            report(.taskEvaluation(metrics))
        }
        if let samples = result.samples { try observer?.record(samples: samples) }
        try observer?.flush()
    }

    private func saveIfNeeded(_ observer: RunObserver?) throws {
        if savedStep != step { try save(observer) }
    }

    /// Writes a checkpoint of the last step, after flushing the log to disk.
    private func save(_ observer: RunObserver?) throws {
        state.progress.lossScale = scaler.scale
        state.progress.goodSteps = scaler.goodSteps
        let states = try state.optimizerStates()
        try ranks.first {
            try observer?.flush()
            try directory.addCheckpoint(step: step) {
                try state.write(to: $0, vocabulary: directory.vocabulary, optimizer: states)
            }
        }
        savedStep = step
        returnFreedMemory()
    }

    /// Returns what averages the gradients of a step; nil in a single process.
    ///
    /// The parameters record gradients from the first step on.
    func gradientAverager() throws -> GradientAverager? {
        if averager == nil, let group = ranks.group {
            let trained = Set(state.optimizer.groups.flatMap(\.parameters).map(\.name))
            averager = try GradientAverager(
                state.student.parameters.values.filter { trained.contains($0.name) }, group: group,
                bucketBytes: Int(configuration.distributed.bucketMegabytes * 1e6))
        }
        return averager
    }
}
