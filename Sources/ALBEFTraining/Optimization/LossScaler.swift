import Torch

/// Scales losses so that half-precision gradients do not vanish: the loss is multiplied before the
/// backward pass, and the gradients are divided after it (Micikevicius et al., 2018, "Mixed
/// precision training").
///
/// The constants are PyTorch's: the scale starts at 65,536, halves after an overflow and doubles
/// after 2,000 steps without one. The other precisions use a fixed scale of 1.
package struct LossScaler: Sendable {
    /// The decision about a step.
    package enum Decision: Sendable, Hashable {
        /// The gradients are finite, so the step may update the weights.
        case take
        /// The scaled gradients overflowed: the step is skipped, and the scale has been reduced.
        case skip
        /// The gradients are not finite at any scale, so the run must stop.
        case stop
    }

    /// The factor of the loss.
    package private(set) var scale: Double
    /// The number of steps since the scale last changed.
    package private(set) var goodSteps: Int
    private let isDynamic: Bool

    private static let growthInterval = 2000

    /// Creates a scaler with an initial or a restored scale.
    ///
    /// - Parameters:
    ///   - isDynamic: Whether the scale adapts, as half precision requires; otherwise it is 1.
    ///   - scale: The scale to start from. Default: 65,536.
    ///   - goodSteps: The number of steps since the scale last changed. Default: 0.
    package init(isDynamic: Bool, scale: Double = 65_536, goodSteps: Int = 0) {
        self.isDynamic = isDynamic
        self.scale = isDynamic ? scale : 1
        self.goodSteps = goodSteps
    }

    /// Returns the scaled loss, whose gradients are computed.
    func scaled(_ loss: Tensor) -> Tensor { isDynamic ? loss * scale : loss }

    /// Decides about a step by its scaled gradients, and updates the scale for the next step.
    package mutating func update(gradientsAreFinite: Bool) -> Decision {
        guard gradientsAreFinite else {
            // At a scale of 1 the gradients themselves are not finite.
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
