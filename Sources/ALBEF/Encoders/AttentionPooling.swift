import Torch

/// Pooling `[B, P, D_v]` to `[B, D_v]` by one learned query that attends to all tokens, followed by
/// an MLP: the "MAP head" of SigLIP (Zhai et al., 2022, "Scaling Vision Transformers").
///
/// Its parameters have timm's names.
final class AttentionPooling: Sendable {
    private let latent: Parameter
    private let query: Linear
    private let keysAndValues: Linear
    private let projection: Linear
    private let norm: LayerNorm
    private let fc1: Linear
    private let fc2: Linear
    private let heads: Int
    private let activation: Activation

    init(
        _ scope: ParameterScope, _ name: String, _ configuration: ALBEFConfiguration.Vision
    ) throws {
        let width = configuration.width
        heads = configuration.heads
        activation = configuration.activation
        latent = try scope.parameter(
            "\(name).latent", [1, 1, width], .truncatedNormal(width: width))
        query = try Linear(scope, "\(name).q", inputs: width, outputs: width)
        keysAndValues = try Linear(scope, "\(name).kv", inputs: width, outputs: 2 * width)
        projection = try Linear(scope, "\(name).proj", inputs: width, outputs: width)
        norm = try LayerNorm(
            scope, "\(name).norm", width: width, epsilon: configuration.layerNormEpsilon)
        fc1 = try Linear(
            scope, "\(name).mlp.fc1", inputs: width, outputs: configuration.mlpWidth)
        fc2 = try Linear(
            scope, "\(name).mlp.fc2", inputs: configuration.mlpWidth, outputs: width, width: width)
    }

    /// Pools tokens `[B, P, D_v]` to `[B, D_v]`.
    func callAsFunction(_ tokens: Tensor) -> Tensor {
        let queries = split(query(latent.value)).expanded(tokens.size(0), -1, -1, -1)
        let sources = keysAndValues(tokens).chunked(2, 2).map(split)
        let context = Tensor.attention(queries, sources[0], sources[1])
            .transposed(1, 2).reshaped(tokens.size(0), -1)
        let state = projection(context).to(.float32)
        return state + fc2(activation(of: fc1, norm(state)))
    }

    /// Splits `[B, L, D]` into heads, `[B, H, L, D / H]`.
    private func split(_ x: Tensor) -> Tensor {
        x.reshaped(x.size(0), x.size(1), heads, x.size(2) / heads).transposed(1, 2)
    }
}
