public import ALBEFTraining
public import ALBEF
import Foundation

/// The headline numbers of a run, which are the JSON of `albef report --json`.
public struct RunSummary: Encodable, Sendable {
    /// The best evaluation of one split and stage.
    public struct Best: Encodable, Sendable {
        /// The split's name.
        public let split: String
        /// `dual` or `reranked`.
        public let stage: String
        /// The step that was evaluated.
        public let step: Int
        /// Its recalls; the best is the one whose mean is highest.
        public let scores: RecallMetrics
    }

    /// The losses of the last steps, smoothed as the report's curves are.
    public struct Losses: Encodable, Sendable {
        /// The sum.
        public let total: Double?
        /// The contrastive loss.
        public let itc: Double?
        /// The matching loss.
        public let itm: Double?
        /// The masked language modelling loss.
        public let mlm: Double?
    }

    /// The directory's name.
    public let run: String
    /// Where the run stands.
    public let state: TrainingRun.Activity
    /// The last step.
    public let step: Int
    /// How many steps the run is to have, where it says so.
    public let totalSteps: Int?
    /// The last step's epoch.
    public let epoch: Int?
    /// How many epochs the run is to have, where it says so.
    public let totalEpochs: Int?
    /// Seconds of training.
    public let seconds: Double?
    /// Image-text pairs seen, where it was recorded.
    public let pairsSeen: Int?
    /// The median rate.
    public let pairsPerSecond: Double?
    /// The most memory that any step found in use, in megabytes.
    public let peakMegabytes: Double?
    /// Smoothed losses at the last step.
    public let losses: Losses
    /// Steps whose loss is not a number.
    public let brokenSteps: Int
    /// The last step as recorded.
    public let lastStep: StepMetrics?
    /// The best evaluations, split by split, re-ranked after dual.
    public let best: [Best]
    /// The last evaluation of each split.
    public let lastEvaluations: [EvaluationMetrics]

    /// Seconds that the remaining steps take at the mean pace so far; `nil` where unknown.
    public var secondsLeft: Double? {
        guard let totalSteps, let seconds, step > 0, totalSteps > step else { return nil }
        return seconds / Double(step) * Double(totalSteps - step)
    }

    /// Sums a run up.
    public init(_ run: TrainingRun) {
        self.run = run.name
        state = run.activity
        let last = run.steps.last
        step = max(last?.step ?? 0, run.evaluations.last?.step ?? 0)
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
    }

    /// The summary as JSON, indented; numbers that are none are the strings `NaN` and `Infinity`.
    public func json() throws -> String {
        String(decoding: try RunJSON.encoder(.prettyPrinted).encode(self), as: UTF8.self)
    }

    /// The names of the splits, in order of their first evaluation.
    static func splits(_ run: TrainingRun) -> [String] {
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
        // The first of equals: it took the fewest steps.
        .reduce(nil) { best, next in
            guard let best, best.scores.mean >= next.scores.mean else { return next }
            return best
        }
    }

    private static func smoothed(_ run: TrainingRun, _ value: (StepMetrics) -> Double?) -> Double? {
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
    }
}
