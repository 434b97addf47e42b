import Torch

/// Attention probabilities, weighted by the gradient of a score with respect to them.
enum WeightedAttention {
    /// Computes a score and returns `A · max(∂y/∂A, 0)` for the attention A of several layers, where
    /// y is the sum of the scores.
    ///
    /// Gradients are recorded even inside `withoutGradients`.
    ///
    /// - Parameters:
    ///   - layers: the layers; the result is in their order.
    ///   - forward: computes an output and the scores `[B]` from it. It calls its argument with each
    ///     of the layers, lowest first, and with its attention, and goes on with what that returns.
    /// - Returns: the output, and one tensor per layer with the shape of its attention, both without
    ///   a history.
    static func of(
        _ layers: [Int],
        _ forward: (@escaping (Int, Tensor) -> Tensor) throws -> (output: Tensor, score: Tensor)
    ) throws -> (output: Tensor, heat: [Tensor]) {
        try withGradients {
            var watched: [Int: Tensor] = [:]
            let (output, score) = try forward { layer, attention in
                // The lowest layer begins the history. A higher one keeps its own, so that the
                // gradient of a lower one includes the way through it.
                let kept = watched.isEmpty ? attention.requiringGrad() : attention
                watched[layer] = kept
                return kept
            }
            let attention = layers.compactMap { watched[$0] }
            precondition(attention.count == layers.count, "a layer was not watched")
            let gradients = try score.sum().gradients(withRespectTo: attention)
            return withoutGradients {
                let heat = zip(attention, gradients).map { attention, gradient in
                    attention.detached() * (gradient?.relu() ?? attention.detached() * 0)
                }
                return (output.detached(), heat)
            }
        }
    }
}
