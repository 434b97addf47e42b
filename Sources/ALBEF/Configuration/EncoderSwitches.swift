import Torch

/// The function between the two layers of a transformer block's MLP.
///
/// Weights do not tell which one they were trained with, so a model says it. The three differ by up
/// to 0.02 at one input, which ruins a model that gets another one than it was trained with.
public enum Activation: String, Sendable, Hashable, Codable, CaseIterable {
    /// x Φ(x), by the error function (Hendrycks and Gimpel, 2016): ViT, BERT, ALBEF.
    case gelu
    /// x σ(1.702 x): CLIP as OpenAI trained it, and Chinese-CLIP.
    case quickGELU = "quick_gelu"
    /// x Φ(x), approximated by the hyperbolic tangent: SigLIP.
    case tanhGELU = "gelu_tanh"

    /// Applies the function to every element.
    func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .gelu: x.gelu()
        case .quickGELU: x * (x * 1.702).sigmoid()
        case .tanhGELU: x.gelu(isApproximate: true)
        }
    }
}

/// How a tower's pooled state becomes the feature that recall compares.
public enum Projection: String, Sendable, Hashable, Codable, CaseIterable {
    /// A matrix and a bias.
    case linear
    /// A matrix alone: CLIP.
    case matrix
    /// Nothing: the pooled state is the feature, as wide as the tower. SigLIP's image tower.
    case none
}
