import Torch

/// The function between the two layers of a transformer block's MLP.
///
/// Weights do not determine it, so the configuration states it. The three functions differ by up to
/// 0.02 at one input, which ruins a model that was trained with another one.
public enum Activation: String, Sendable, Hashable, Codable, CaseIterable {
    /// x Φ(x) by the error function (Hendrycks and Gimpel, 2016), as in ViT, BERT and ALBEF.
    case gelu
    /// x σ(1.702 x), as in OpenAI's CLIP and Chinese-CLIP.
    case quickGELU = "quick_gelu"
    /// x Φ(x) approximated by the hyperbolic tangent, as in SigLIP.
    case tanhGELU = "gelu_tanh"

    /// Applies a linear layer to `[…, I]`, and the function to every element of its result.
    func callAsFunction(of layer: Linear, _ x: Tensor) -> Tensor {
        switch self {
        case .gelu: return layer(x, .gelu)
        case .quickGELU:
            let y = layer(x)
            return y * (y * 1.702).sigmoid()
        case .tanhGELU: return layer(x, .tanhGELU)
        }
    }
}

/// The map from a tower's pooled state to the feature that recall compares.
public enum Projection: String, Sendable, Hashable, Codable, CaseIterable {
    /// A matrix and a bias.
    case linear
    /// A matrix alone, as in CLIP.
    case matrix
    /// The identity, as in SigLIP's image tower: the feature is as wide as the tower.
    case none
}
