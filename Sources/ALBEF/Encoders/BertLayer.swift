public import Torch

/// A transformer layer over text states `[B, L, D]`; the fusion layers also attend to an image.
public final class BertLayer: Sendable {
    private let attention: BertAttention
    /// Attends to the image's tokens; nil in a layer of the text encoder.
    let crossAttention: BertAttention?
    private let intermediate: Linear
    private let output: Linear
    private let norm: LayerNorm
    private let normalizesInput: Bool
    private let activation: Activation

    /// Creates a layer from the parameters below a name.
    ///
    /// - Parameters:
    ///   - imageWidth: the width of what the layer reads beside the text; nil if nothing.
    ///   - source: the layer whose projections of that it shares; nil for its own.
    init(
        _ scope: ParameterScope, _ name: String, _ configuration: ALBEFConfiguration.Text,
        imageWidth: Int?, sharing source: String? = nil
    ) throws {
        let width = configuration.width
        normalizesInput = configuration.normPlacement == .before
        activation = configuration.activation
        attention = try BertAttention(
            scope, "\(name).attention", configuration, sourceWidth: width)
        crossAttention = try imageWidth.map { imageWidth in
            try BertAttention(
                scope, "\(name).crossattention", configuration, sourceWidth: imageWidth,
                sharing: source.map { "\($0).crossattention" })
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

    /// Applies the layer; a layer of the text encoder ignores the image.
    ///
    /// - Parameters:
    ///   - x: token states `[B, L, D]`.
    ///   - mask: added to the self-attention scores, `[B, 1, 1, L]`; nil if every token is attended
    ///     to.
    ///   - image: image tokens `[B, P + 1, D_v]`.
    /// - Returns: token states `[B, L, D]`.
    public func callAsFunction(_ x: Tensor, mask: Tensor?, image: Tensor) -> Tensor {
        guard let crossAttention else { return self(x, mask: mask) }
        return self(
            x, mask: mask, image: .projected(crossAttention.keysAndValues(of: image), .aligned))
    }

    /// Applies the layer.
    ///
    /// - Parameters:
    ///   - x: token states `[R, L, D]`.
    ///   - selection: the tokens whose new states are needed.
    ///   - rows: the texts to continue with after self-attention, `[S]` indices; nil for all in
    ///     their order. The rest of the layer depends on the image too, so a text may occur several
    ///     times.
    ///   - mask: added to the self-attention scores, `[R, 1, 1, L]`.
    ///   - image: the images that a fusion layer reads; nil to read the text alone.
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
        let change = output(activation(of: intermediate, normalizesInput ? norm(x) : x))
        let sum = x + (dropout?(change) ?? change)
        return normalizesInput ? sum : norm(sum)
    }
}

/// The form in which a fusion layer receives its images.
enum ImageSource {
    /// Keys and values, and the image that each row reads.
    case projected(KeysAndValues, ImagePairing)
    /// Tokens of N images, which one text reads.
    case tokens(ImageTokens)
    /// Keys and values of one image per row, and a closure that may replace the attention weights.
    case watched(KeysAndValues, weights: (Tensor) -> Tensor)
}
