import Torch

/// Keeps half-precision gradients from vanishing: the loss is multiplied before the backward pass,
/// the gradients divided after it (Micikevicius et al., 2018, "Mixed precision training").
///
/// PyTorch's constants: starts at 65,536, halves after an overflow, doubles after 2,000 steps
/// without one. A scale of 1 that never moves serves the other precisions.
struct LossScaler {
    private(set) var scale: Double
    private(set) var goodSteps: Int
    private let isDynamic: Bool

    private static let growthInterval = 2000

    init(isDynamic: Bool, scale: Double = 65_536, goodSteps: Int = 0) {
        self.isDynamic = isDynamic
        self.scale = isDynamic ? scale : 1
        self.goodSteps = goodSteps
    }

    /// The loss to take gradients of.
    func scaled(_ loss: Tensor) -> Tensor { isDynamic ? loss * scale : loss }

    /// Takes note of whether the gradients were finite; says whether the step may be taken.
    mutating func update(gradientsAreFinite: Bool) -> Bool {
        guard isDynamic else { return true }
        if !gradientsAreFinite {
            scale = max(1, scale / 2)
            goodSteps = 0
            return false
        }
        goodSteps += 1
        if goodSteps == Self.growthInterval {
            scale *= 2
            goodSteps = 0
        }
        return true
    }
}
