public import Torch

/// A post-norm BERT layer over `[B, L, D]`; the fusion layers also attend to an image.
public final class BertLayer: Sendable {
    private let attention: BertAttention
    /// Attends to the image's tokens; nil in a layer of the text encoder.
    private let crossAttention: BertAttention?
    private let intermediate: Linear
    private let output: Linear
    private let norm: LayerNorm

    init(
        _ scope: ParameterScope, _ name: String, _ configuration: ALBEFConfiguration.Text,
        imageWidth: Int?
    ) throws {
        let width = configuration.width
        attention = try BertAttention(
            scope, "\(name).attention", configuration, sourceWidth: width)
        crossAttention = try imageWidth.map { imageWidth in
            try BertAttention(
                scope, "\(name).crossattention", configuration, sourceWidth: imageWidth)
        }
        intermediate = try Linear(
            scope, "\(name).intermediate.dense", inputs: width, outputs: configuration.mlpWidth)
        output = try Linear(
            scope, "\(name).output.dense", inputs: configuration.mlpWidth, outputs: width)
        norm = try LayerNorm(
            scope, "\(name).output.LayerNorm", width: width,
            epsilon: configuration.layerNormEpsilon)
    }

    /// Applies the layer.
    ///
    /// - Parameters:
    ///   - x: token states `[B, L, D]`.
    ///   - mask: added to the self-attention scores, `[B, 1, 1, L]`.
    ///   - image: image tokens `[B, P + 1, D_v]`; a fusion layer needs them, others ignore them.
    public func callAsFunction(_ x: Tensor, mask: Tensor?, image: Tensor? = nil) -> Tensor {
        var x = attention(x, source: x, mask: mask)
        if let crossAttention {
            guard let image else { preconditionFailure("a fusion layer needs an image") }
            x = crossAttention(x, source: image, mask: nil)
        }
        return norm(x + output(intermediate(x).gelu()))
    }
}

/// Multi-head attention with its output projection, residual and LayerNorm.
public final class BertAttention: Sendable {
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let dense: Linear
    private let norm: LayerNorm
    private let heads: Int

    init(
        _ scope: ParameterScope, _ name: String, _ configuration: ALBEFConfiguration.Text,
        sourceWidth: Int
    ) throws {
        let width = configuration.width
        heads = configuration.heads
        query = try Linear(scope, "\(name).self.query", inputs: width, outputs: width)
        key = try Linear(scope, "\(name).self.key", inputs: sourceWidth, outputs: width)
        value = try Linear(scope, "\(name).self.value", inputs: sourceWidth, outputs: width)
        dense = try Linear(scope, "\(name).output.dense", inputs: width, outputs: width)
        norm = try LayerNorm(
            scope, "\(name).output.LayerNorm", width: width,
            epsilon: configuration.layerNormEpsilon)
    }

    /// Attends from `x` `[B, L, D]` to `source` `[B, S, D_s]`; returns `[B, L, D]`.
    public func callAsFunction(_ x: Tensor, source: Tensor, mask: Tensor?) -> Tensor {
        let context = Tensor.attention(
            split(query(x)), split(key(source)), split(value(source)), mask: mask)
        let joined = context.transposed(1, 2).reshaped(x.shape)
        return norm(x + dense(joined))
    }

    /// `[B, L, D]` to `[B, H, L, D / H]`.
    private func split(_ x: Tensor) -> Tensor {
        x.reshaped(x.size(0), x.size(1), heads, x.size(2) / heads).transposed(1, 2)
    }
}
