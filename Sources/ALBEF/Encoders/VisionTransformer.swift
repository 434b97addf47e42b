public import Torch

/// The image encoder: a ViT that keeps every output token (Dosovitskiy et al., 2021).
///
/// `[B, 3, S, S]` pixels become `[B, P + 1, D_v]` tokens, the class token first, or `[B, P, D_v]`
/// tokens in a model without a class token. With a trunk the patches are the places of its feature
/// map, as in the hybrid of that paper.
public final class VisionTransformer: Sendable {
    /// The network whose feature map is cut into patches; nil if the pixels are.
    public let trunk: EfficientNet?
    /// The map from patches of pixels, or features of places, to token vectors.
    public let patchEmbedding: PatchEmbedding
    /// The transformer blocks, first to last.
    public let blocks: [VisionBlock]
    /// The final LayerNorm, over all tokens or over the pooled one.
    public let norm: LayerNorm
    private let classToken: Parameter?
    private let positions: Parameter
    private let embeddingNorm: LayerNorm?
    private let attentionPooling: AttentionPooling?
    private let configuration: ALBEFConfiguration.Vision

    /// Creates an encoder with the parameters of a scope.
    ///
    /// - Parameters:
    ///   - scope: the source of parameters.
    ///   - configuration: the sizes and conventions.
    ///   - prefix: the first part of the parameters' names; `visual_encoder` by default.
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

    /// Prepends the class token to the patches `[B, P, D_v]` and adds the positions.
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
    /// - Parameters:
    ///   - pixels: normalised pixels.
    ///   - isCheckpointed: whether to recompute each block in the backward pass, which takes about
    ///     a third more time and stores one tensor per block instead of about fifteen. The default
    ///     is `false`.
    public func callAsFunction(_ pixels: Tensor, isCheckpointed: Bool = false) -> Tensor {
        tokens(
            ofMap: trunkMap(pixels, isCheckpointed: isCheckpointed), isCheckpointed: isCheckpointed)
    }

    /// Applies the trunk to normalised pixels `[B, 3, S, S]`.
    ///
    /// The result depends on the trunk's parameters alone, so encoders that share them can share
    /// it.
    ///
    /// - Parameters:
    ///   - pixels: normalised pixels.
    ///   - isCheckpointed: as in ``callAsFunction(_:isCheckpointed:)``.
    /// - Returns: a feature map `[B, C, h, w]`; without a trunk, the pixels themselves.
    public func trunkMap(_ pixels: Tensor, isCheckpointed: Bool = false) -> Tensor {
        trunk.map { $0(pixels, isCheckpointed: isCheckpointed) } ?? pixels
    }

    /// Applies the trunk, or the rest of it, to images of which part may already be computed.
    package func trunkMap(_ input: ImageInput, isCheckpointed: Bool = false) -> Tensor {
        switch input {
        case .pixels(let pixels): trunkMap(pixels, isCheckpointed: isCheckpointed)
        case .stageMap(let map, let stages):
            trunk?(map, afterStages: stages, isCheckpointed: isCheckpointed) ?? map
        }
    }

    /// Encodes the result of ``trunkMap(_:isCheckpointed:)`` as tokens `[B, P + 1, D_v]`.
    ///
    /// - Parameters:
    ///   - map: a feature map `[B, C, h, w]`; without a trunk, normalised pixels `[B, 3, S, S]`.
    ///   - isCheckpointed: as in ``callAsFunction(_:isCheckpointed:)``.
    public func tokens(ofMap map: Tensor, isCheckpointed: Bool = false) -> Tensor {
        let patches = patchEmbedding(trunk.map { $0.tokens(of: map) } ?? map)
        let x = blocks.reduce(embedded(patches)) { x, block in
            isCheckpointed ? x.checkpointed { block($0) } : block(x)
        }
        return configuration.normalizesTokens ? norm(x) : x
    }

    /// Returns the class token's state, by which images are compared, and lets a closure replace its
    /// attention in some blocks.
    ///
    /// - Parameters:
    ///   - map: a feature map of N images, as in ``tokens(ofMap:isCheckpointed:)``.
    ///   - rows: the image of each row of the result, `[R]` indices; nil for one row per image.
    ///   - watched: the watched blocks; those below the first of them run without gradients, and
    ///     once per image.
    ///   - weights: receives a watched block and the class token's attention probabilities
    ///     `[R, H, 1, P + 1]`, and returns those to use.
    /// - Returns: `[R, D_v]`.
    /// - Precondition: the class token is what is compared.
    func classState(
        ofMap map: Tensor, rows: Tensor?, watching watched: Set<Int>,
        _ weights: @escaping (Int, Tensor) -> Tensor
    ) -> Tensor {
        let first = watched.min() ?? blocks.count
        let below = withoutGradients {
            let start = embedded(patchEmbedding(trunk.map { $0.tokens(of: map) } ?? map))
            return blocks[..<first].reduce(start) { x, block in block(x) }
        }
        let state = (first..<blocks.count).reduce(rows.map { below[$0] } ?? below) { x, index in
            blocks[index](
                x, startOnly: index == blocks.count - 1,
                weights: watched.contains(index) ? { weights(index, $0) } : nil)
        }
        return pooled(configuration.normalizesTokens ? norm(state) : state)
    }

    /// Returns the states `[B, D_v]` by which images are compared, from tokens `[B, P + 1, D_v]`.
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

/// A linear map of patches to token vectors.
///
/// It maps each patch of `[B, 3, S, S]` pixels, row by row, to `[B, P, D_v]`. Behind a trunk it
/// maps the normalised features of each place, `[B, P, C]`, instead.
public final class PatchEmbedding: Sendable {
    private let norm: LayerNorm?
    private let product: LinearProduct
    private let patchSize: Int

    init(
        _ scope: ParameterScope, _ name: String, _ configuration: ALBEFConfiguration.Vision
    ) throws {
        patchSize = configuration.patchSize
        let width = configuration.width
        let weight: Parameter
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
        let bias =
            configuration.hasPatchBias
            ? try scope.parameter("\(name).proj.bias", [width], .zeros) : nil
        product = LinearProduct(weight, bias, scope)
    }

    /// Embeds the patches of images `[B, 3, S, S]`, or the features `[B, P, C]` of places.
    public func callAsFunction(_ input: Tensor) -> Tensor {
        product(norm.map { $0(input) } ?? cut(input))
    }

    /// Returns the pixels of each patch, `[B, P, 3 s²]`.
    ///
    /// Patches do not overlap, so the original's convolution is a matrix product, which libraries
    /// compute several times as fast.
    private func cut(_ pixels: Tensor) -> Tensor {
        let (batch, rows) = (pixels.size(0), pixels.size(2) / patchSize)
        let columns = pixels.size(3) / patchSize
        return pixels.reshaped(batch, 3, rows, patchSize, columns, patchSize)
            .permuted(0, 2, 4, 1, 3, 5)
            .reshaped(batch, rows * columns, 3 * patchSize * patchSize)
    }
}

/// A pre-norm transformer block over `[B, P + 1, D_v]`.
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
        return attended + fc2(activation(of: fc1, norm2(attended)))
    }

    /// Applies the block, and lets a closure replace the class token's attention.
    ///
    /// - Parameters:
    ///   - x: token states `[B, P + 1, D_v]`, the class token first.
    ///   - startOnly: whether to compute the new state of the class token alone, as `[B, 1, D_v]`.
    ///   - weights: receives the class token's attention probabilities `[B, H, 1, P + 1]` and returns
    ///     those to use; nil to use them unchanged.
    func callAsFunction(
        _ x: Tensor, startOnly: Bool, weights: ((Tensor) -> Tensor)?
    ) -> Tensor {
        let parts = projected(norm1(x)).map { $0.to(.float32) }
        let memory = KeysAndValues(keys: parts[1], values: parts[2])
        let probabilities = memory.probabilities(of: parts[0].narrowed(2, from: 0, length: 1))
        // The class token's row alone is computed explicitly, because a matrix of all rows is P + 1
        // times as large.
        var context = (weights.map { $0(probabilities) } ?? probabilities).matmul(memory.values)
        if !startOnly {
            let others = parts[0].narrowed(2, from: 1, length: x.size(1) - 1)
            context = Tensor.concatenated(
                [context, Tensor.attention(others, memory.keys, memory.values)], 2)
        }
        let attended = (startOnly ? x.narrowed(1, from: 0, length: 1) : x) + joined(context)
        return attended + fc2(activation(of: fc1, norm2(attended)))
    }

    private func selfAttention(_ x: Tensor) -> Tensor {
        let parts = projected(x)
        return joined(Tensor.attention(parts[0], parts[1], parts[2]))
    }

    /// Returns the queries, keys and values of tokens `[B, L, D]`, `[B, H, L, D / H]` each.
    private func projected(_ x: Tensor) -> [Tensor] {
        let (batch, length, width) = (x.size(0), x.size(1), x.size(2))
        // Chunks of the last dimension join their gradients with a single copy.
        return qkv(x).chunked(3, 2).map {
            $0.reshaped(batch, length, heads, width / heads).transposed(1, 2)
        }
    }

    /// Joins heads `[B, H, L, D / H]` and projects them, `[B, L, D]`.
    private func joined(_ context: Tensor) -> Tensor {
        projection(context.transposed(1, 2).reshaped(context.size(0), context.size(2), -1))
    }
}
