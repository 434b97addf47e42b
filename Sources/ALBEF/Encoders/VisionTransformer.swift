public import Torch

/// The image encoder: a ViT whose every output token is kept (Dosovitskiy et al., 2021).
///
/// `[B, 3, S, S]` pixels become `[B, P + 1, D_v]` tokens, the class token first; `[B, P, D_v]` in
/// models without one. With a trunk the patches are the places of its feature map, the hybrid of
/// that paper.
public final class VisionTransformer: Sendable {
    /// What makes the feature map that is cut into patches; nil where pixels are.
    public let trunk: EfficientNet?
    /// Cuts the image into patches and projects each; or projects the features of each place.
    public let patchEmbedding: PatchEmbedding
    /// The transformer blocks, first to last.
    public let blocks: [VisionBlock]
    /// The final LayerNorm, over all tokens or the pooled one.
    public let norm: LayerNorm
    private let classToken: Parameter?
    private let positions: Parameter
    private let embeddingNorm: LayerNorm?
    private let attentionPooling: AttentionPooling?
    private let configuration: ALBEFConfiguration.Vision

    /// Takes the parameters under `visual_encoder.` from a scope.
    ///
    /// - Throws: an error that names a missing or misshapen parameter.
    public init(
        _ scope: ParameterScope, _ configuration: ALBEFConfiguration.Vision,
        prefix: String = "visual_encoder"
    ) throws {
        self.configuration = configuration
        let (width, epsilon) = (configuration.width, configuration.layerNormEpsilon)
        classToken =
            configuration.hasClassToken
            ? try scope.parameter("\(prefix).cls_token", [1, 1, width], .truncatedNormal(0.02))
            : nil
        positions = try scope.parameter(
            "\(prefix).pos_embed", [1, configuration.tokenCount, width],
            .truncatedNormal(width: width))
        trunk = try configuration.trunk.map {
            try EfficientNet(scope, $0, prefix: "\(prefix).trunk")
        }
        patchEmbedding = try PatchEmbedding(scope, "\(prefix).patch_embed", configuration)
        embeddingNorm =
            configuration.normalizesEmbeddings
            ? try LayerNorm(scope, "\(prefix).norm_pre", width: width, epsilon: epsilon) : nil
        blocks = try (0..<configuration.depth).map { index in
            try VisionBlock(scope, "\(prefix).blocks.\(index)", configuration)
        }
        norm = try LayerNorm(scope, "\(prefix).norm", width: width, epsilon: epsilon)
        attentionPooling =
            configuration.pooling == .attention
            ? try AttentionPooling(scope, "\(prefix).attn_pool", configuration) : nil
    }

    /// Puts the class token before the patches `[B, P, D_v]` and adds the positions.
    public func embedded(_ patches: Tensor) -> Tensor {
        var x = patches
        if let classToken {
            x = Tensor.concatenated([classToken.value.expanded(patches.size(0), -1, -1), x], 1)
        }
        x = x + positions.value
        return embeddingNorm?(x) ?? x
    }

    /// Encodes normalised pixels `[B, 3, S, S]` as tokens `[B, P + 1, D_v]`.
    ///
    /// - Parameter isCheckpointed: whether each block is computed again for its gradients, which
    ///   costs a third more time and keeps one tensor a block instead of about fifteen.
    public func callAsFunction(_ pixels: Tensor, isCheckpointed: Bool = false) -> Tensor {
        tokens(
            ofMap: trunkMap(pixels, isCheckpointed: isCheckpointed), isCheckpointed: isCheckpointed)
    }

    /// What the trunk makes of normalised pixels `[B, 3, S, S]`: a feature map `[B, C, h, w]`, or
    /// without a trunk the pixels themselves.
    ///
    /// It depends on the trunk's parameters alone, so that encoders which share them can share it.
    ///
    /// - Parameter isCheckpointed: as in ``callAsFunction(_:isCheckpointed:)``.
    public func trunkMap(_ pixels: Tensor, isCheckpointed: Bool = false) -> Tensor {
        trunk.map { $0(pixels, isCheckpointed: isCheckpointed) } ?? pixels
    }

    /// What the trunk makes of images of which it has seen a part already.
    package func trunkMap(_ input: ImageInput, isCheckpointed: Bool = false) -> Tensor {
        switch input {
        case .pixels(let pixels): trunkMap(pixels, isCheckpointed: isCheckpointed)
        case .stageMap(let map, let stages):
            trunk?(map, afterStages: stages, isCheckpointed: isCheckpointed) ?? map
        }
    }

    /// The tokens `[B, P + 1, D_v]` of what ``trunkMap(_:isCheckpointed:)`` gives.
    ///
    /// - Parameter isCheckpointed: as in ``callAsFunction(_:isCheckpointed:)``.
    public func tokens(ofMap map: Tensor, isCheckpointed: Bool = false) -> Tensor {
        let patches = patchEmbedding(trunk.map { $0.tokens(of: map) } ?? map)
        let x = blocks.reduce(embedded(patches)) { x, block in
            isCheckpointed ? x.checkpointed { block($0) } : block(x)
        }
        return configuration.normalizesTokens ? norm(x) : x
    }

    /// The state `[B, D_v]` that images are compared by, of tokens `[B, P + 1, D_v]`.
    public func pooled(_ tokens: Tensor) -> Tensor {
        let state =
            switch configuration.pooling {
            case .classToken: tokens[.all, 0]
            case .attention: attentionPooling?(tokens) ?? tokens.mean(1)
            case .mean: tokens[.all, configuration.prefixCount...].mean(1)
            }
        return configuration.normalizesTokens ? state : norm(state)
    }
}

/// A linear map of each patch, `[B, 3, S, S]` to `[B, P, D_v]`, row by row; or of the normalised
/// features of each place of a trunk's map, `[B, P, C]` to `[B, P, D_v]`.
public final class PatchEmbedding: Sendable {
    private let norm: LayerNorm?
    private let weight: Parameter
    private let bias: Parameter?
    private let patchSize: Int

    init(
        _ scope: ParameterScope, _ name: String, _ configuration: ALBEFConfiguration.Vision
    ) throws {
        patchSize = configuration.patchSize
        let width = configuration.width
        if let features = configuration.trunk?.featureWidth {
            norm = try LayerNorm(
                scope, "\(name).norm", width: features, epsilon: configuration.layerNormEpsilon)
            weight = try scope.parameter(
                "\(name).proj.weight", [width, features], .truncatedNormal(width: features))
        } else {
            norm = nil
            weight = try scope.parameter(
                "\(name).proj.weight", [width, 3, patchSize, patchSize], .truncatedNormal(0.02))
        }
        bias =
            configuration.hasPatchBias
            ? try scope.parameter("\(name).proj.bias", [width], .zeros) : nil
    }

    /// Embeds the patches of images, or the features of places.
    public func callAsFunction(_ input: Tensor) -> Tensor {
        let patches = norm.map { $0(input) } ?? cut(input)
        return patches.linear(weight.value.flattened(from: 1), bias?.value)
    }

    /// The pixels of each patch, `[B, P, 3 s²]`.
    ///
    /// Patches do not overlap, so the original's convolution is a plain product, which libraries
    /// compute several times as fast.
    private func cut(_ pixels: Tensor) -> Tensor {
        let (batch, rows) = (pixels.size(0), pixels.size(2) / patchSize)
        let columns = pixels.size(3) / patchSize
        return pixels.reshaped(batch, 3, rows, patchSize, columns, patchSize)
            .permuted(0, 2, 4, 1, 3, 5)
            .reshaped(batch, rows * columns, 3 * patchSize * patchSize)
    }
}

/// A transformer block over `[B, P + 1, D_v]` that normalises what it reads.
public final class VisionBlock: Sendable {
    private let norm1: LayerNorm
    private let norm2: LayerNorm
    private let qkv: Linear
    private let projection: Linear
    private let fc1: Linear
    private let fc2: Linear
    private let heads: Int
    private let activation: Activation

    init(
        _ scope: ParameterScope, _ name: String, _ configuration: ALBEFConfiguration.Vision
    ) throws {
        let width = configuration.width
        activation = configuration.activation
        let epsilon = configuration.layerNormEpsilon
        heads = configuration.heads
        norm1 = try LayerNorm(scope, "\(name).norm1", width: width, epsilon: epsilon)
        qkv = try Linear(scope, "\(name).attn.qkv", inputs: width, outputs: 3 * width)
        projection = try Linear(scope, "\(name).attn.proj", inputs: width, outputs: width)
        norm2 = try LayerNorm(scope, "\(name).norm2", width: width, epsilon: epsilon)
        fc1 = try Linear(
            scope, "\(name).mlp.fc1", inputs: width, outputs: configuration.mlpWidth)
        fc2 = try Linear(
            scope, "\(name).mlp.fc2", inputs: configuration.mlpWidth, outputs: width, width: width)
    }

    /// Applies the block.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        let attended = x + selfAttention(norm1(x))
        return attended + fc2(activation(fc1(norm2(attended))))
    }

    private func selfAttention(_ x: Tensor) -> Tensor {
        let (batch, length, width) = (x.size(0), x.size(1), x.size(2))
        // [B, L, 3D] -> three of [B, H, L, D / H]; cut along the last dimension, their gradients
        // are put together by one copy.
        let parts = qkv(x).chunked(3, 2).map {
            $0.reshaped(batch, length, heads, width / heads).transposed(1, 2)
        }
        let context = Tensor.attention(parts[0], parts[1], parts[2])
        return projection(context.transposed(1, 2).reshaped(batch, length, width))
    }
}
