public import Torch

/// The masked language modelling (MLM) head, whose output matrix is that of the word embeddings.
public final class MaskedLanguageHead: Sendable {
    private let dense: Linear
    private let norm: LayerNorm
    private let bias: Parameter
    private let words: Embedding

    init(
        _ scope: ParameterScope, _ configuration: ALBEFConfiguration.Text, words: Embedding,
        prefix: String = "text_encoder.cls.predictions"
    ) throws {
        dense = try Linear(
            scope, "\(prefix).transform.dense", inputs: configuration.width,
            outputs: configuration.width, computeType: .float32)
        norm = try LayerNorm(
            scope, "\(prefix).transform.LayerNorm", width: configuration.width,
            epsilon: configuration.layerNormEpsilon)
        bias = try scope.parameter("\(prefix).bias", [configuration.vocabularySize], .zeros)
        self.words = words
    }

    /// Returns logits `[…, V]` over the vocabulary from states `[…, D]`.
    public func callAsFunction(_ states: Tensor) -> Tensor {
        norm(dense(states).gelu()).linear(words.weight.value, bias.value)
    }
}
