import Foundation

/// The learning rate of each step: a rise within the first epoch, then a fall.
public struct LearningRateSchedule: Sendable, Hashable {
    /// How the rate falls.
    public enum Shape: String, Sendable, Hashable, Codable, CaseIterable {
        /// Half a cosine over the epochs, constant within each, and a rise in steps of 100
        /// iterations, as the original does it.
        case cosinePerEpoch = "cosine_per_epoch"
        /// Half a cosine over the steps after a straight rise.
        case cosinePerStep = "cosine_per_step"
        /// No fall.
        case constant
    }

    /// How the rate falls.
    public var shape: Shape
    /// The rate after the rise.
    public var peak: Double
    /// The rate at the end.
    public var minimum: Double
    /// The rate at the first step.
    public var warmupStart: Double
    /// Steps of the rise.
    public var warmupSteps: Int
    /// Epochs of the run.
    public var epochs: Int
    /// Steps of an epoch.
    public var stepsPerEpoch: Int

    /// Describes the rates of a run.
    public init(
        shape: Shape, peak: Double, minimum: Double, warmupStart: Double, warmupSteps: Int,
        epochs: Int, stepsPerEpoch: Int
    ) {
        self.shape = shape
        self.peak = peak
        self.minimum = minimum
        self.warmupStart = warmupStart
        self.warmupSteps = warmupSteps
        self.epochs = epochs
        self.stepsPerEpoch = stepsPerEpoch
    }

    /// The original's rise changes every so many iterations.
    private static let interval = 100

    /// The rate of a step.
    ///
    /// - Parameter step: counted from 0 over the whole run.
    public func rate(at step: Int) -> Double {
        let epoch = step / max(1, stepsPerEpoch)
        switch shape {
        case .cosinePerEpoch:
            // The rise ends with the first epoch, whether or not it was done.
            if epoch == 0 { return risen(step / Self.interval * Self.interval) }
            return fallen(Double(epoch) / Double(epochs))
        case .cosinePerStep:
            if step < warmupSteps { return risen(step) }
            let length = max(1, epochs * stepsPerEpoch - warmupSteps)
            return fallen(Double(step - warmupSteps) / Double(length))
        case .constant:
            return risen(step)
        }
    }

    private func risen(_ step: Int) -> Double {
        guard step < warmupSteps else { return peak }
        return warmupStart + (peak - warmupStart) * Double(step) / Double(warmupSteps)
    }

    private func fallen(_ share: Double) -> Double {
        minimum + 0.5 * (peak - minimum) * (1 + cos(.pi * min(1, share)))
    }
}

/// How much the teacher is listened to: alpha, rising in a straight line from 0.
public struct DistillationRamp: Sendable, Hashable {
    /// Alpha after the rise.
    public var alpha: Double
    /// Epochs of the rise: 1 in the original, 2 in LAVIS.
    public var epochs: Double
    /// Forward passes an epoch.
    public var iterationsPerEpoch: Int

    /// Describes a rise.
    public init(alpha: Double, epochs: Double, iterationsPerEpoch: Int) {
        self.alpha = alpha
        self.epochs = epochs
        self.iterationsPerEpoch = iterationsPerEpoch
    }

    /// Alpha of a forward pass, counted from 0 over the whole run.
    public func alpha(at iteration: Int) -> Double {
        let length = epochs * Double(iterationsPerEpoch)
        guard length > 0 else { return alpha }
        return alpha * min(1, Double(iteration) / length)
    }
}
