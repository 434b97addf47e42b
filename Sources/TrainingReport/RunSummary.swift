public import ALBEF
public import ALBEFTraining
import Foundation

/// The headline numbers of a run; also the JSON of `albef report --json`.
public struct RunSummary: Encodable, Sendable {
    /// The best evaluation of one split and stage.
    public struct Best: Encodable, Sendable {
        /// The name of the split.
        public let split: String
        /// The stage: `dual` or `reranked`.
        public let stage: String
        /// The step of the evaluation.
        public let step: Int
        /// The recalls in percent; the best evaluation has the highest mean.
        public let scores: RecallMetrics
    }

    /// The losses at the last step, smoothed like the report's curves; `nil` if not recorded.
    public struct Losses: Encodable, Sendable {
        /// The sum of the losses.
        public let total: Double?
        /// The image-text contrastive loss (ITC).
        public let itc: Double?
        /// The image-text matching loss (ITM).
        public let itm: Double?
        /// The masked language modelling loss (MLM).
        public let mlm: Double?
    }

    /// The name of the run's directory.
    public let run: String
    /// The state of the run.
    public let state: RecordedRun.Activity
    /// The last step.
    public let step: Int
    /// The planned number of steps, if recorded.
    public let totalSteps: Int?
    /// The epoch of the last step.
    public let epoch: Int?
    /// The planned number of epochs, if recorded.
    public let totalEpochs: Int?
    /// The training time in seconds.
    public let seconds: Double?
    /// The number of image-text pairs trained on, if recorded.
    public let pairsSeen: Int?
    /// The median rate of training in pairs per second.
    public let pairsPerSecond: Double?
    /// The largest memory recorded at any step, in megabytes.
    public let peakMegabytes: Double?
    /// The smoothed losses at the last step.
    public let losses: Losses
    /// The number of steps whose loss is not finite.
    public let brokenSteps: Int
    /// The last step as recorded.
    public let lastStep: StepMetrics?
    /// The best evaluations of each split, dual before re-ranked.
    public let best: [Best]
    /// The last evaluation of each split.
    public let lastEvaluations: [EvaluationMetrics]
    /// The best evaluation of a downstream task; `nil` if there is none.
    public let bestTask: TaskMetrics?

    /// The time for the remaining steps in seconds, at the mean pace so far; `nil` if unknown.
    public var secondsLeft: Double? {
        guard let totalSteps, let seconds, step > 0, totalSteps > step else { return nil }
        return seconds / Double(step) * Double(totalSteps - step)
    }

    /// Summarises a run.
    public init(_ run: RecordedRun) {
        self.run = run.name
        state = run.activity
        let last = run.steps.last
        step = max(
            last?.step ?? 0, run.evaluations.last?.step ?? 0, run.tasks.last?.step ?? 0)
        totalSteps = run.status?.totalSteps
        epoch = last?.epoch ?? run.evaluations.last?.epoch
        totalEpochs = run.status?.totalEpochs
        seconds = last?.seconds
        pairsSeen = last?.pairsSeen
        let rates = run.steps.map(\.pairsPerSecond).filter(\.isFinite).sorted()
        pairsPerSecond = rates.isEmpty ? nil : rates[rates.count / 2]
        peakMegabytes = run.steps.map(\.residentMegabytes).filter(\.isFinite).max()
        losses = Losses(
            total: Self.smoothed(run, \.loss), itc: Self.smoothed(run, \.itc),
            itm: Self.smoothed(run, \.itm), mlm: Self.smoothed(run, \.mlm))
        brokenSteps = run.steps.count { !$0.loss.isFinite }
        lastStep = last
        best = Self.splits(run).flatMap { split in
            let evaluations = run.evaluations.filter { $0.split == split }
            return [("dual", { $0.dual }), ("reranked", { $0.reranked })].compactMap {
                Self.best(of: evaluations, split, stage: $0.0, $0.1)
            }
        }
        lastEvaluations = Self.splits(run).compactMap { split in
            run.evaluations.last { $0.split == split }
        }
        // Of equals the first is the best, because it took the fewest steps.
        bestTask = run.tasks.reduce(nil) { best, next in
            guard let best, best.value >= next.value else { return next }
            return best
        }
    }

    /// Returns the summary as indented JSON; non-finite numbers are the strings `NaN`, `Infinity`
    /// and `-Infinity`.
    public func json() throws -> String {
        String(decoding: try RunJSON.encoder(.prettyPrinted).encode(self), as: UTF8.self)
    }

    /// Returns the names of the splits, in order of their first evaluation.
    static func splits(_ run: RecordedRun) -> [String] {
        run.evaluations.reduce(into: []) { splits, evaluation in
            if !splits.contains(evaluation.split) { splits.append(evaluation.split) }
        }
    }

    private static func best(
        of evaluations: [EvaluationMetrics], _ split: String, stage: String,
        _ scores: (EvaluationMetrics) -> RecallMetrics?
    ) -> Best? {
        evaluations.compactMap { evaluation in
            scores(evaluation).map {
                Best(split: split, stage: stage, step: evaluation.step, scores: $0)
            }
        }
        // Of equals the first is the best, because it took the fewest steps.
        .reduce(nil) { best, next in
            guard let best, best.scores.mean >= next.scores.mean else { return next }
            return best
        }
    }

    private static func smoothed(_ run: RecordedRun, _ value: (StepMetrics) -> Double?) -> Double? {
        Series(run.steps, value)?.smoothed.points.last { $0.y.isFinite }?.y
    }

    enum CodingKeys: String, CodingKey {
        case run, state, step
        case totalSteps = "total_steps"
        case epoch
        case totalEpochs = "total_epochs"
        case seconds
        case pairsSeen = "pairs_seen"
        case pairsPerSecond = "pairs_per_second"
        case peakMegabytes = "peak_megabytes"
        case losses
        case brokenSteps = "broken_steps"
        case lastStep = "last_step"
        case best
        case lastEvaluations = "last_evaluations"
        case bestTask = "best_task"
    }
}
