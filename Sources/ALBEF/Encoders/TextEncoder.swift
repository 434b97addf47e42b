public import Torch

/// The BERT stack that serves as two encoders.
///
/// Layers below `fusion_layer` read the text alone: the text encoder. The layers from there on
/// also attend to an image: the fusion encoder. Parameters live under `text_encoder.bert.`.
public final class TextEncoder: Sendable {
    /// Turns token ids into vectors.
    public let embeddings: BertEmbeddings
    /// The layers of the text encoder, first to last.
    public let textLayers: [BertLayer]
    /// The layers of the fusion encoder, first to last.
    public let fusionLayers: [BertLayer]

    /// Takes the parameters from a scope.
    ///
    /// - Throws: an error that names a missing or misshapen parameter.
    public init(
        _ scope: ParameterScope, _ configuration: ALBEFConfiguration,
        prefix: String = "text_encoder.bert"
    ) throws {
        let text = configuration.text
        embeddings = try BertEmbeddings(
            scope, "\(prefix).embeddings", text, dialect: configuration.dialect)
        textLayers = try (0..<text.fusionLayer).map { index in
            try BertLayer(scope, "\(prefix).encoder.layer.\(index)", text, imageWidth: nil)
        }
        fusionLayers = try (text.fusionLayer..<text.depth).map { index in
            try BertLayer(
                scope, "\(prefix).encoder.layer.\(index)", text,
                imageWidth: configuration.vision.width)
        }
    }

    /// Encodes a text without an image.
    ///
    /// - Parameters:
    ///   - ids: token ids `[B, L]`.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    /// - Returns: token states `[B, L, D]`.
    public func encode(_ ids: Tensor, mask: Tensor) -> Tensor {
        let additive = Self.additive(mask)
        return textLayers.reduce(embeddings(ids)) { x, layer in layer(x, mask: additive) }
    }

    /// Reads text states together with an image.
    ///
    /// - Parameters:
    ///   - states: what ``encode(_:mask:)`` returned, `[B, L, D]`.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    ///   - image: image tokens `[B, P + 1, D_v]`.
    /// - Returns: fused token states `[B, L, D]`.
    public func fuse(_ states: Tensor, mask: Tensor, image: Tensor) -> Tensor {
        let additive = Self.additive(mask)
        return fusionLayers.reduce(states) { x, layer in layer(x, mask: additive, image: image) }
    }

    /// -10000 where the mask `[B, L]` is 0, as BERT does it; `[B, 1, 1, L]`.
    public static func additive(_ mask: Tensor) -> Tensor {
        ((mask.to(.float32) - 1) * 10_000)[.all, .new, .new]
    }
}
