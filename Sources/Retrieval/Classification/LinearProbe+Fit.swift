import Foundation
import ImageText
internal import Torch

extension LinearProbe {
    /// A trained classifier, and how it was found.
    public struct Fit: Sendable {
        /// The classifier.
        public let probe: LinearProbe
        /// The strength λ of the L2 regularization: the mean cross-entropy plus λ/2 times the sum of
        /// the squared weights was minimized.
        ///
        /// scikit-learn's `C` for n rows is 1 / (λ · n).
        public let l2: Double
        /// The strengths that were compared, in the order of the trials; empty if one was given.
        public let trials: [Trial]
        /// The number of steps of L-BFGS for the classifier.
        public let iterations: Int
        /// The largest component of the gradient at the classifier, for features of variance 1.
        public let gradientSize: Double
        /// Whether the gradient is within the tolerance.
        public let isConverged: Bool
    }

    /// A strength of the regularization, measured on rows that were held out.
    public struct Trial: Sendable, Hashable, Codable {
        /// The strength λ.
        public let l2: Double
        /// The share of the held-out rows that were right.
        public let accuracy: Double
        /// The mean cross-entropy of the held-out rows.
        public let crossEntropy: Double

        enum CodingKeys: String, CodingKey {
            case l2, accuracy
            case crossEntropy = "cross_entropy"
        }

        /// Whether this strength is better: more rows are right, or as many with less surprise.
        fileprivate func isBetter(than other: Trial?) -> Bool {
            guard let other else { return true }
            return (accuracy, -crossEntropy) > (other.accuracy, -other.crossEntropy)
        }
    }

    /// Trains a classifier by L-BFGS over all rows.
    ///
    /// Without a strength, a fifth of each class is held out, chosen by a fixed seed, and the
    /// strength that does best there is used for all rows: powers of ten from strong to weak, until
    /// two in a row are not better, and then steps of a half, a quarter and an eighth around the
    /// best. Equal data give equal classifiers.
    ///
    /// - Parameters:
    ///   - data: The features and their classes.
    ///   - l2: The strength λ of the regularization; nil to choose it.
    ///   - progress: Called before every training with the number of trainings so far.
    /// - Throws: ``ProbeError`` if there are not two classes, or no class has a second row to hold
    ///   out; `TorchError` if there is not enough memory; `CancellationError`.
    /// - Complexity: O(N · D · C) per step of L-BFGS for N rows, D features and C classes; some
    ///   hundred steps per training, and about fifteen trainings to choose a strength. Memory holds
    ///   16 bytes per feature of all rows.
    public static func fit(
        _ data: LabelledFeatures, l2: Double? = nil, progress: (Int) -> Void = { _ in }
    ) throws -> Fit {
        guard data.counts.count(where: { $0 > 0 }) > 1 else { throw ProbeError.oneClass(data) }
        return try recovering {
            try withoutGradients {
                var trainings = 0
                func train(
                    _ objective: ProbeObjective, _ l2: Double, from start: Tensor,
                    to tolerance: Double = 1e-5
                ) throws -> LBFGS.Minimum {
                    progress(trainings)
                    trainings += 1
                    var optimizer = LBFGS()
                    optimizer.gradientTolerance = tolerance
                    return try optimizer.minimize(from: start) { point in
                        try Task.checkCancellation()
                        try TorchError.throwPending()
                        return objective(point, l2: l2)
                    }
                }
                let whole = ProbeObjective(data)
                let square = whole.scale * whole.scale
                let chosen =
                    try l2.map { (strength: $0 / square, trials: [Trial]()) }
                    ?? choose(data) { try train($0, $1, from: $2) }
                let found = try train(
                    whole, chosen.strength, from: whole.origin, to: finalTolerance)
                return Fit(
                    probe: whole.probe(at: found.point), l2: chosen.strength * square,
                    trials: chosen.trials, iterations: found.iterations,
                    gradientSize: found.gradientSize,
                    isConverged: found.isConverged)
            }
        }
    }

    /// The largest component of the gradient at the classifier, as small as double precision allows
    /// with room to spare: a weak regularization leaves the function flat.
    private static let finalTolerance = 1e-8
    /// The powers of ten that are tried as strengths for features of variance 1.
    private static let exponents = (-6...2).reversed().map(Double.init)
    /// The number of strengths in a row that end the search if they are not better.
    private static let patience = 2

    /// Chooses a strength for features of variance 1 by rows that are held out.
    private static func choose(
        _ data: LabelledFeatures,
        _ train: (ProbeObjective, Double, Tensor) throws -> LBFGS.Minimum
    ) throws -> (strength: Double, trials: [Trial]) {
        let (kept, held) = heldOut(data)
        guard !held.isEmpty else { throw ProbeError.nothingHeldOut }
        let (objective, validation) = (ProbeObjective(data.rows(kept)), data.rows(held))
        let truths = Tensor(validation.classes)
        var trials: [Trial] = []
        var best: (exponent: Double, trial: Trial, point: Tensor)?
        /// Measures a strength, and returns whether it is the best so far.
        func attempt(_ exponent: Double, from start: Tensor) throws -> (isBest: Bool, Tensor) {
            let strength = pow(10, exponent)
            let point = try train(objective, strength, start).point
            let shares = objective.probe(at: point).logits(validation.features).logSoftmax(1)
            let right = shares.argmax(1).isEqual(to: truths).to(.float64).mean().scalar()
            let surprise = -shares.gathered(1, truths.unsqueezed(1)).mean().scalar()
            let trial = Trial(
                l2: strength * objective.scale * objective.scale, accuracy: right,
                crossEntropy: surprise)
            trials.append(trial)
            guard trial.isBetter(than: best?.trial) else { return (false, point) }
            best = (exponent, trial, point)
            return (true, point)
        }
        // A weaker regularization starts where the stronger one ended.
        var (point, failures) = (objective.origin, 0)
        for exponent in exponents where failures < patience {
            let (isBest, end) = try attempt(exponent, from: point)
            (point, failures) = (end, isBest ? 0 : failures + 1)
        }
        for step in [0.5, 0.25, 0.125] {
            guard let centre = best else { break }
            for exponent in [centre.exponent + step, centre.exponent - step] {
                _ = try attempt(exponent, from: centre.point)
            }
        }
        return (best.map { pow(10, $0.exponent) } ?? 1, trials)
    }

    /// Divides rows into those to train on and a fifth of each class to measure on.
    private static func heldOut(_ data: LabelledFeatures) -> (kept: [Int], held: [Int]) {
        var (kept, held) = ([Int](), [Int]())
        let rows = Dictionary(grouping: data.classes.indices) { data.classes[$0] }
        for (label, rows) in rows.sorted(by: { $0.key < $1.key }) {
            var rows = rows
            var random = SplitMix64(seed: 0, stream: label)
            random.shuffle(&rows)
            let count = rows.count > 1 ? max(1, rows.count / 5) : 0
            held += rows.prefix(count)
            kept += rows.dropFirst(count)
        }
        return (kept.sorted(), held.sorted())
    }
}

/// An error that prevents the training or the test of a ``LinearProbe``.
public struct ProbeError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable { case oneClass, nothingHeldOut, classes }

    private let code: Code
    /// The problem and the remedy, in one line.
    public let description: String

    static func oneClass(_ data: LabelledFeatures) -> ProbeError {
        let known = data.classes.first.map { ", '\(data.labels[$0])'" } ?? ""
        return ProbeError(
            code: .oneClass,
            description: "the training images are of \(data.classes.isEmpty ? "no" : "one")"
                + " class\(known); a probe needs at least two")
    }

    static let nothingHeldOut = ProbeError(
        code: .nothingHeldOut,
        description: "every class has a single training image, so that none can be held out to"
            + " choose the strength of the regularization; name the strength, or add images")

    /// Returns the error for images of classes that the probe was not trained on.
    package static func unknown(_ label: String, of source: String) -> ProbeError {
        ProbeError(
            code: .classes,
            description: "\(source): the class '\(label)' has no training image; add some, or name"
                + " the classes to use")
    }
}
