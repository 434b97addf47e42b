import Torch

/// Keeps half-precision gradients from vanishing: the loss is multiplied before the backward pass,
/// the gradients divided after it (Micikevicius et al., 2018, "Mixed precision training").
///
/// PyTorch's constants: starts at 65,536, halves after an overflow, doubles after 2,000 steps
/// without one. A scale of 1 that never moves serves the other precisions.
package struct LossScaler: Sendable {
    /// What becomes of a step.
    package enum Decision: Sendable, Hashable {
        /// The gradients are finite: the weights may move.
        case take
        /// The scaled gradients overflowed: the step is left out, the scale is lower now.
        case skip
        /// The gradients are not finite, and no scale can help: the run must stop.
        case stop
    }

    /// The factor of the loss.
    package private(set) var scale: Double
    /// Steps since the scale last changed.
    package private(set) var goodSteps: Int
    private let isDynamic: Bool

    private static let growthInterval = 2000

    /// Starts at a scale, or continues from one.
    ///
    /// - Parameter isDynamic: whether the scale moves, as half precision needs it.
    package init(isDynamic: Bool, scale: Double = 65_536, goodSteps: Int = 0) {
        self.isDynamic = isDynamic
        self.scale = isDynamic ? scale : 1
        self.goodSteps = goodSteps
    }

    /// The loss to take gradients of.
    func scaled(_ loss: Tensor) -> Tensor { isDynamic ? loss * scale : loss }

    /// Decides about a step by its scaled gradients, and moves the scale for the next one.
    package mutating func update(gradientsAreFinite: Bool) -> Decision {
        guard gradientsAreFinite else {
            // At a scale of 1 the gradients are not finite by themselves.
            guard isDynamic, scale > 1 else { return .stop }
            scale = max(1, scale / 2)
            goodSteps = 0
            return .skip
        }
        guard isDynamic else { return .take }
        goodSteps += 1
        if goodSteps == Self.growthInterval {
            scale *= 2
            goodSteps = 0
        }
        return .take
    }
}
