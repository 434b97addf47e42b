import Foundation

/// The learning rate of each step: a warm-up within the first epoch, then a decay.
public struct LearningRateSchedule: Sendable, Hashable {
    /// The shape of the decay.
    public enum Shape: String, Sendable, Hashable, Codable, CaseIterable {
        /// Half a cosine over the epochs, constant within each epoch, after a warm-up that changes
        /// every 100 iterations, as in the original code.
        case cosinePerEpoch = "cosine_per_epoch"
        /// Half a cosine over the steps, after a linear warm-up.
        case cosinePerStep = "cosine_per_step"
        /// No decay after a linear warm-up.
        case constant
    }

    /// The shape of the decay.
    public var shape: Shape
    /// The rate after the warm-up.
    public var peak: Double
    /// The rate at the end of the run.
    public var minimum: Double
    /// The rate at the first step.
    public var warmupStart: Double
    /// The number of steps in the warm-up.
    public var warmupSteps: Int
    /// The number of epochs in the run.
    public var epochs: Int
    /// The number of steps in an epoch.
    public var stepsPerEpoch: Int

    /// Creates the schedule of a run.
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

    /// The number of iterations between changes in the original's warm-up.
    private static let interval = 100

    /// Returns the learning rate of a step.
    ///
    /// - Parameter step: The step, counted from 0 over the whole run.
    public func rate(at step: Int) -> Double {
        let epoch = step / max(1, stepsPerEpoch)
        switch shape {
        case .cosinePerEpoch:
            // The warm-up ends with the first epoch, even if it is incomplete.
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

/// The weight of the momentum teacher's targets, alpha, which rises linearly from 0.
public struct DistillationRamp: Sendable, Hashable {
    /// Alpha after the ramp.
    public var alpha: Double
    /// The length of the ramp in epochs: 1 in the original, 2 in LAVIS.
    public var epochs: Double
    /// The number of forward passes per epoch.
    public var iterationsPerEpoch: Int

    /// Creates a ramp.
    public init(alpha: Double, epochs: Double, iterationsPerEpoch: Int) {
        self.alpha = alpha
        self.epochs = epochs
        self.iterationsPerEpoch = iterationsPerEpoch
    }

    /// Returns alpha for a forward pass, counted from 0 over the whole run.
    public func alpha(at iteration: Int) -> Double {
        let length = epochs * Double(iterationsPerEpoch)
        guard length > 0 else { return alpha }
        return alpha * min(1, Double(iteration) / length)
    }
}
