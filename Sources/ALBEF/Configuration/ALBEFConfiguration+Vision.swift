extension ALBEFConfiguration {
    /// The image encoder: a ViT, with the switches in which published ones differ.
    ///
    /// The defaults of all switches are those of ViT, DeiT and ALBEF.
    public struct Vision: Sendable, Hashable {
        /// Side of the square input, in pixels; a multiple of ``patchSize`` without a ``trunk``.
        public var imageSize: Int
        /// Side of a patch, in pixels; default 16.
        ///
        /// With a ``trunk`` its stride.
        public var patchSize: Int
        /// Width of a patch token (D_v).
        public var width: Int
        /// Number of blocks.
        public var depth: Int
        /// Attention heads per block; divides ``width``.
        public var heads: Int
        /// Width of the hidden layer of each block's MLP.
        public var mlpWidth: Int
        /// Epsilon of every LayerNorm; default 1e-6.
        public var layerNormEpsilon: Double
        /// Per-channel mean of the input in [0, 1]; default CLIP's.
        public var mean: [Double]
        /// Per-channel standard deviation of the input in [0, 1]; default CLIP's.
        public var standardDeviation: [Double]

        /// A convolutional network whose feature map the ViT reads instead of pixels; default nil.
        ///
        /// Patches are the places of its map then, or the cells of its pooling grids, normalised and
        /// mapped to ``width``.
        public var trunk: EfficientNetConfiguration?

        /// Whether a class token stands before the patches; default true.
        ///
        /// SigLIP has none.
        public var hasClassToken = true
        /// Whether the map of the patches has a bias; default true.
        ///
        /// CLIP's has none.
        public var hasPatchBias = true
        /// Whether the embeddings are normalised before the first block; default false.
        ///
        /// CLIP's are.
        public var normalizesEmbeddings = false
        /// Whether the last LayerNorm is over all tokens, or over the pooled one only; default true.
        ///
        /// The feature is the same. CLIP's patch tokens, which a fusion encoder would read, leave
        /// the last block as they are.
        public var normalizesTokens = true
        /// The function inside each MLP; default GELU.
        public var activation = Activation.gelu
        /// What the feature is made of; default the class token.
        public var pooling = Pooling.classToken
        /// How it is made; default a matrix and a bias.
        public var projection = Projection.linear
        /// How an image that is not square becomes the square input; default squeezed.
        public var fit = Fit.squeeze
        /// The filter of the resize; default bicubic.
        public var filter = Filter.bicubic
        /// How the positions are resized for inputs of another size; default bicubic.
        public var positionFilter = PositionFilter.bicubic

        /// What an image's feature is made of.
        public enum Pooling: String, Sendable, Hashable, Codable, CaseIterable {
            /// The class token.
            case classToken = "class_token"
            /// One learned query that attends to all tokens (SigLIP; "MAP head").
            case attention
            /// The mean of the patch tokens.
            case mean
        }

        /// How an image that is not square becomes the square input.
        public enum Fit: String, Sendable, Hashable, Codable, CaseIterable {
            /// Resized to the square, whatever its aspect ratio: ALBEF, BLIP, SigLIP, Chinese-CLIP.
            case squeeze
            /// The shorter side resized, the middle of the longer cut out: CLIP.
            case crop
        }

        /// The filter of the resize; both are Pillow's, with antialiasing.
        public enum Filter: String, Sendable, Hashable, Codable, CaseIterable {
            /// Cubic, a = -0.5.
            case bicubic
            /// Triangle.
            case bilinear
        }

        /// How a grid of positions is resized; PyTorch's cubic, a = -0.75.
        public enum PositionFilter: String, Sendable, Hashable, Codable, CaseIterable {
            /// Without antialiasing: ALBEF, BLIP, Hugging Face.
            case bicubic
            /// With antialiasing: timm and OpenCLIP.
            case antialiased = "bicubic_antialiased"
        }

        /// Patches along one side of the input; nil where they are of several grids.
        public var gridSide: Int? {
            guard let trunk else { return imageSize / patchSize }
            return trunk.poolingGrids.isEmpty ? trunk.featureSide(imageSize: imageSize) : nil
        }
        /// Number of patches P, without the class token.
        public var patchCount: Int {
            let side = imageSize / patchSize
            return trunk?.tokenCount(imageSize: imageSize) ?? side * side
        }
        /// Tokens before those of the patches: 1 with a class token.
        public var prefixCount: Int { hasClassToken ? 1 : 0 }
        /// Number of tokens that an image becomes, P + 1 with a class token.
        public var tokenCount: Int { patchCount + prefixCount }

        /// Creates an image encoder's configuration; the defaults are ViT-B/16 at 256 pixels.
        ///
        /// The switches start as ALBEF has them, and are set afterwards.
        public init(
            imageSize: Int = 256, patchSize: Int = 16, width: Int = 768, depth: Int = 12,
            heads: Int = 12, mlpWidth: Int = 3072, layerNormEpsilon: Double = 1e-6,
            mean: [Double] = [0.48145466, 0.4578275, 0.40821073],
            standardDeviation: [Double] = [0.26862954, 0.26130258, 0.27577711]
        ) {
            self.imageSize = imageSize
            self.patchSize = patchSize
            self.width = width
            self.depth = depth
            self.heads = heads
            self.mlpWidth = mlpWidth
            self.layerNormEpsilon = layerNormEpsilon
            self.mean = mean
            self.standardDeviation = standardDeviation
        }

        /// Creates the configuration of an image encoder with a trunk: its features are averaged
        /// after the blocks, without a class token.
        ///
        /// - Parameters:
        ///   - depth: number of blocks above the trunk, which may be 0.
        ///   - mean: per-channel mean of the input in [0, 1]; default ImageNet's.
        ///   - standardDeviation: per-channel deviation of the input; default ImageNet's.
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

        /// Those that models of the first format do not have.
        static let switches: Set<CodingKeys> = [
            .trunk, .hasClassToken, .hasPatchBias, .normalizesEmbeddings, .normalizesTokens,
            .activation, .pooling, .projection, .fit, .filter, .positionFilter,
        ]
    }

    /// Reads a configuration; a switch that is not there has ALBEF's value.
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

    /// Writes every key, also those without a value.
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
    /// Reads a value that may be left out, and then stays.
    func update<Value: Decodable>(_ value: inout Value, forKey key: Key) throws {
        if let found = try decodeIfPresent(Value.self, forKey: key) { value = found }
    }
}
