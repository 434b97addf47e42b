import ImageText

extension ALBEFConfiguration {
    /// The image encoder: a ViT, with the switches in which published ones differ.
    ///
    /// The defaults of all switches are those of ViT, DeiT and ALBEF.
    public struct Vision: Sendable, Hashable {
        /// The side of the square input in pixels; a multiple of ``patchSize`` without a ``trunk``.
        public var imageSize: Int
        /// The side of a patch in pixels, or the stride of the ``trunk``; 16 by default.
        public var patchSize: Int
        /// The width of a patch token (D_v).
        public var width: Int
        /// The number of blocks.
        public var depth: Int
        /// The number of attention heads per block; divides ``width``.
        public var heads: Int
        /// The width of the hidden layer of each block's MLP.
        public var mlpWidth: Int
        /// The epsilon of every LayerNorm; 1e-6 by default.
        public var layerNormEpsilon: Double
        /// The mean of each channel of the input in [0, 1]; CLIP's by default.
        public var mean: [Double]
        /// The standard deviation of each channel of the input in [0, 1]; CLIP's by default.
        public var standardDeviation: [Double]

        /// A convolutional network whose feature map the ViT reads instead of pixels; nil by
        /// default.
        ///
        /// The patches are then the places of its map, or the cells of its pooling grids,
        /// normalised and projected to ``width``.
        public var trunk: EfficientNetConfiguration?

        /// Whether a class token precedes the patches; `true` by default.
        ///
        /// SigLIP has no class token.
        public var hasClassToken = true
        /// Whether the projection of the patches has a bias; `true` by default.
        ///
        /// CLIP has no such bias.
        public var hasPatchBias = true
        /// Whether the embeddings are normalised before the first block, as in CLIP; `false` by
        /// default.
        public var normalizesEmbeddings = false
        /// Whether the last LayerNorm applies to all tokens, instead of only to the pooled one;
        /// `true` by default.
        ///
        /// The feature is the same for both. The patch tokens, which a fusion encoder would read,
        /// are not normalised in CLIP.
        public var normalizesTokens = true
        /// The activation of each MLP; GELU by default.
        public var activation = Activation.gelu
        /// The state from which the feature is computed; that of the class token by default.
        public var pooling = Pooling.classToken
        /// The projection of that state to the feature; a matrix and a bias by default.
        public var projection = Projection.linear
        /// The fit of images to the square input; squeezed by default.
        public var fit = Fit.squeeze
        /// The filter that resizes images; bicubic by default.
        public var filter = Filter.bicubic
        /// The filter that resizes positions to another image size; bicubic by default.
        public var positionFilter = PositionFilter.bicubic

        /// The state from which an image's feature is computed.
        public enum Pooling: String, Sendable, Hashable, Codable, CaseIterable {
            /// The state of the class token.
            case classToken = "class_token"
            /// The result of one learned query that attends to all tokens, SigLIP's "MAP head".
            case attention
            /// The mean of the patch tokens.
            case mean
        }

        /// The fit of an image to the square input.
        public enum Fit: String, Sendable, Hashable, Codable, CaseIterable {
            /// Resizes regardless of the aspect ratio, as in ALBEF, BLIP, SigLIP and Chinese-CLIP.
            case squeeze
            /// Resizes the shorter side and cuts the middle out of the longer one, as in CLIP.
            case crop
        }

        /// A filter that resizes images; both are Pillow's, with antialiasing.
        public enum Filter: String, Sendable, Hashable, Codable, CaseIterable {
            /// The cubic filter with a = -0.5.
            case bicubic
            /// The triangle filter.
            case bilinear
        }

        /// A filter that resizes a grid of positions: PyTorch's cubic with a = -0.75.
        public enum PositionFilter: String, Sendable, Hashable, Codable, CaseIterable {
            /// Without antialiasing, as in ALBEF, BLIP and Hugging Face's libraries.
            case bicubic
            /// With antialiasing, as in timm and OpenCLIP.
            case antialiased = "bicubic_antialiased"
        }

        /// The number of patches along one side of the input; nil if they come from several grids.
        public var gridSide: Int? {
            guard let trunk else { return imageSize / patchSize }
            return trunk.poolingGrids.isEmpty ? trunk.featureSide(imageSize: imageSize) : nil
        }
        /// The number of patches P, without the class token.
        public var patchCount: Int {
            let side = imageSize / patchSize
            return trunk?.tokenCount(imageSize: imageSize) ?? side * side
        }
        /// The number of tokens before the patches: 1 with a class token, else 0.
        public var prefixCount: Int { hasClassToken ? 1 : 0 }
        /// The number of tokens per image: P + 1 with a class token, else P.
        public var tokenCount: Int { patchCount + prefixCount }

        /// Creates the configuration of an image encoder; the defaults are ViT-B/16 at 256 pixels.
        ///
        /// All switches have ALBEF's values until they are set.
        ///
        /// - Parameters:
        ///   - mean: The channels' means for samples from 0 to 1; nil for CLIP's.
        ///   - standardDeviation: The channels' standard deviations; nil for CLIP's.
        public init(
            imageSize: Int = 256, patchSize: Int = 16, width: Int = 768, depth: Int = 12,
            heads: Int = 12, mlpWidth: Int = 3072, layerNormEpsilon: Double = 1e-6,
            mean: [Double]? = nil, standardDeviation: [Double]? = nil
        ) {
            self.imageSize = imageSize
            self.patchSize = patchSize
            self.width = width
            self.depth = depth
            self.heads = heads
            self.mlpWidth = mlpWidth
            self.layerNormEpsilon = layerNormEpsilon
            self.mean = mean ?? ImageTransform.clipMean.elements
            self.standardDeviation =
                standardDeviation ?? ImageTransform.clipStandardDeviation.elements
        }

        /// Creates the configuration of an image encoder with a trunk.
        ///
        /// The feature is the mean of the tokens after the blocks, and there is no class token.
        ///
        /// - Parameters:
        ///   - trunk: the configuration of the trunk.
        ///   - imageSize: the side of the square input in pixels; 224 by default.
        ///   - width: the width of a token (D_v).
        ///   - depth: the number of blocks above the trunk, which may be 0; 1 by default.
        ///   - heads: the number of attention heads per block.
        ///   - mean: the mean of each channel of the input in [0, 1]; ImageNet's by default.
        ///   - standardDeviation: the standard deviation of each channel; ImageNet's by default.
        public init(
            trunk: EfficientNetConfiguration, imageSize: Int = 224, width: Int, depth: Int = 1,
            heads: Int, mean: [Double] = [0.485, 0.456, 0.406],
            standardDeviation: [Double] = [0.229, 0.224, 0.225]
        ) {
            self.init(
                imageSize: imageSize, patchSize: trunk.featureStride, width: width, depth: depth,
                heads: heads, mlpWidth: 4 * width, mean: mean,
                standardDeviation: standardDeviation)
            self.trunk = trunk
            hasClassToken = false
            pooling = .mean
        }
    }
}

extension ALBEFConfiguration.Vision: Codable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case imageSize = "image_size"
        case patchSize = "patch_size"
        case width, depth, heads
        case mlpWidth = "mlp_width"
        case layerNormEpsilon = "layer_norm_epsilon"
        case mean
        case standardDeviation = "standard_deviation"
        case trunk
        case hasClassToken = "class_token"
        case hasPatchBias = "patch_bias"
        case normalizesEmbeddings = "embedding_norm"
        case normalizesTokens = "token_norm"
        case activation, pooling, projection, fit, filter
        case positionFilter = "position_filter"

        /// The keys that format 1 does not have.
        static let switches: Set<CodingKeys> = [
            .trunk, .hasClassToken, .hasPatchBias, .normalizesEmbeddings, .normalizesTokens,
            .activation, .pooling, .projection, .fit, .filter, .positionFilter,
        ]
    }

    /// Decodes a configuration; a missing switch has ALBEF's value.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        imageSize = try container.decode(Int.self, forKey: .imageSize)
        patchSize = try container.decode(Int.self, forKey: .patchSize)
        width = try container.decode(Int.self, forKey: .width)
        depth = try container.decode(Int.self, forKey: .depth)
        heads = try container.decode(Int.self, forKey: .heads)
        mlpWidth = try container.decode(Int.self, forKey: .mlpWidth)
        layerNormEpsilon = try container.decode(Double.self, forKey: .layerNormEpsilon)
        mean = try container.decode([Double].self, forKey: .mean)
        standardDeviation = try container.decode([Double].self, forKey: .standardDeviation)
        trunk = try container.decodeIfPresent(EfficientNetConfiguration.self, forKey: .trunk)
        try container.update(&hasClassToken, forKey: .hasClassToken)
        try container.update(&hasPatchBias, forKey: .hasPatchBias)
        try container.update(&normalizesEmbeddings, forKey: .normalizesEmbeddings)
        try container.update(&normalizesTokens, forKey: .normalizesTokens)
        try container.update(&activation, forKey: .activation)
        try container.update(&pooling, forKey: .pooling)
        try container.update(&projection, forKey: .projection)
        try container.update(&fit, forKey: .fit)
        try container.update(&filter, forKey: .filter)
        try container.update(&positionFilter, forKey: .positionFilter)
    }

    /// Encodes all keys, including those whose value is nil.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(imageSize, forKey: .imageSize)
        try container.encode(patchSize, forKey: .patchSize)
        try container.encode(width, forKey: .width)
        try container.encode(depth, forKey: .depth)
        try container.encode(heads, forKey: .heads)
        try container.encode(mlpWidth, forKey: .mlpWidth)
        try container.encode(layerNormEpsilon, forKey: .layerNormEpsilon)
        try container.encode(mean, forKey: .mean)
        try container.encode(standardDeviation, forKey: .standardDeviation)
        try container.encode(trunk, forKey: .trunk)
        try container.encode(hasClassToken, forKey: .hasClassToken)
        try container.encode(hasPatchBias, forKey: .hasPatchBias)
        try container.encode(normalizesEmbeddings, forKey: .normalizesEmbeddings)
        try container.encode(normalizesTokens, forKey: .normalizesTokens)
        try container.encode(activation, forKey: .activation)
        try container.encode(pooling, forKey: .pooling)
        try container.encode(projection, forKey: .projection)
        try container.encode(fit, forKey: .fit)
        try container.encode(filter, forKey: .filter)
        try container.encode(positionFilter, forKey: .positionFilter)
    }
}

extension KeyedDecodingContainer {
    /// Decodes a value if its key exists, and leaves it unchanged otherwise.
    func update<Value: Decodable>(_ value: inout Value, forKey key: Key) throws {
        if let found = try decodeIfPresent(Value.self, forKey: key) { value = found }
    }
}

extension SIMD3 {
    /// The three numbers as an array.
    fileprivate var elements: [Scalar] { indices.map { self[$0] } }
}
