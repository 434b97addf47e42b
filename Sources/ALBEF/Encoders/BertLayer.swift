public import Torch

/// A layer over text states `[B, L, D]`; the fusion layers also attend to an image.
public final class BertLayer: Sendable {
    private let attention: BertAttention
    /// Attends to the image's tokens; nil in a layer of the text encoder.
    let crossAttention: BertAttention?
    private let intermediate: Linear
    private let output: Linear
    private let norm: LayerNorm
    private let normalizesInput: Bool
    private let activation: Activation

    init(
        _ scope: ParameterScope, _ name: String, _ configuration: ALBEFConfiguration.Text,
        imageWidth: Int?
    ) throws {
        let width = configuration.width
        normalizesInput = configuration.normPlacement == .before
        activation = configuration.activation
        attention = try BertAttention(
            scope, "\(name).attention", configuration, sourceWidth: width)
        crossAttention = try imageWidth.map { imageWidth in
            try BertAttention(
                scope, "\(name).crossattention", configuration, sourceWidth: imageWidth)
        }
        intermediate = try Linear(
            scope, "\(name).intermediate.dense", inputs: width, outputs: configuration.mlpWidth)
        output = try Linear(
            scope, "\(name).output.dense", inputs: configuration.mlpWidth, outputs: width,
            width: width)
        norm = try LayerNorm(
            scope, "\(name).output.LayerNorm", width: width,
            epsilon: configuration.layerNormEpsilon)
    }

    /// Applies the layer, ignoring the image if it is one of the text encoder.
    ///
    /// - Parameters:
    ///   - x: token states `[B, L, D]`.
    ///   - mask: added to the self-attention scores, `[B, 1, 1, L]`.
    ///   - image: image tokens `[B, P + 1, D_v]`.
    public func callAsFunction(_ x: Tensor, mask: Tensor?, image: Tensor) -> Tensor {
        guard let crossAttention else { return self(x, mask: mask) }
        return self(
            x, mask: mask, image: .projected(crossAttention.keysAndValues(of: image), .aligned))
    }

    /// Applies the layer.
    ///
    /// - Parameters:
    ///   - x: token states `[R, L, D]`.
    ///   - selection: which tokens are wanted.
    ///   - rows: the texts to go on with after self-attention, `[S]` indices; nil for all as they
    ///     are. What follows depends on the image too, so a text may be wanted several times.
    ///   - mask: added to the self-attention scores, `[R, 1, 1, L]`.
    ///   - image: what a fusion layer reads; nil where it reads the text alone.
    ///   - dropout: nil in evaluation.
    /// - Returns: `[R, K, D]`, or `[S, K, D]`.
    func callAsFunction(
        _ x: Tensor, _ selection: TokenSelection = .all, mask: Tensor?, rows: Tensor? = nil,
        image: ImageSource? = nil, dropout: Dropout? = nil
    ) -> Tensor {
        var x = attention(x, selection, mask: mask, dropout: dropout)
        if let rows { x = x[rows] }
        if let crossAttention, let image {
            switch image {
            case .projected(let memory, let pairing):
                x = crossAttention(x, memory, pairing, dropout: dropout)
            case .tokens(let tokens): x = crossAttention(x, reading: tokens)
            case .watched(let memory, let weights):
                x = crossAttention(x, memory, weights: weights)
            }
        }
        let change = output(activation(intermediate(normalizesInput ? norm(x) : x)))
        let sum = x + (dropout?(change) ?? change)
        return normalizesInput ? sum : norm(sum)
    }
}

/// In which form a fusion layer is given its images.
enum ImageSource {
    /// Keys and values, and which rows read which image's.
    case projected(KeysAndValues, ImagePairing)
    /// Tokens of N images, which one text reads.
    case tokens(ImageTokens)
    /// Keys and values of one image a row, and what becomes of the attention to them.
    case watched(KeysAndValues, weights: (Tensor) -> Tensor)
}
