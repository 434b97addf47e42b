extension ALBEFConfiguration {
    /// The stack of text layers: text encoder below ``fusionLayer``, fusion encoder from there on.
    ///
    /// The defaults of all switches are those of BERT and ALBEF.
    public struct Text: Sendable, Hashable {
        /// Number of tokens (V).
        public var vocabularySize: Int
        /// Width of a token (D).
        public var width: Int
        /// Number of layers in all.
        public var depth: Int
        /// Index of the first layer with cross-attention.
        public var fusionLayer: Int
        /// Attention heads per layer; divides ``width``.
        public var heads: Int
        /// Width of each layer's feed-forward block.
        public var mlpWidth: Int
        /// Length of the position-embedding table; no text may be longer.
        public var positions: Int
        /// Epsilon of every LayerNorm; default 1e-12.
        public var layerNormEpsilon: Double
        /// Tokens that a caption is cut to, special ones included; default 30.
        public var maximumTokens: Int
        /// Whether the vocabulary is of the uncased kind; default true.
        public var lowercases: Bool

        /// Whether the vector of token type 0 is added; default true.
        ///
        /// LAVIS, BLIP and CLIP have none.
        public var hasTokenTypes = true
        /// Whether layers normalise what they give, or what they read; default what they give.
        public var normPlacement = NormPlacement.after
        /// Which tokens a token attends to; default all but padding.
        public var attention = Attention.unpadded
        /// The function inside each MLP; default GELU.
        public var activation = Activation.gelu
        /// Whose state the feature is made of; default the first token's.
        public var pooling = Pooling.start
        /// How it is made; default a matrix and a bias.
        public var projection = Projection.linear
        /// Length to which every text is padded; nil: to the longest of its batch.
        ///
        /// Where ``attention`` is ``Attention/all``, padding takes part, and the length matters.
        public var paddedLength: Int?
        /// The token that pads; default 0.
        public var paddingToken = 0
        /// The token at a text's end that ``Pooling/endOfText`` looks for.
        public var endToken: Int?
        /// Whether the layers from ``fusionLayer`` on also are the text encoder's, which runs them
        /// without cross-attention; default false.
        ///
        /// BLIP has one stack of both.
        public var sharesLayers = false
        /// The token that stands first where a text is read with an image, instead of the first;
        /// nil for the same one.
        ///
        /// BLIP's `[ENC]`.
        public var matchingToken: Int?

        /// Whether the tokenizer is BERT's WordPiece; default true.
        ///
        /// CLIP and SigLIP have others.
        public var hasWordPieces = true
        /// What happens to a text before the tokenizer; nil: what the dialect does.
        public var cleaning: Cleaning?

        /// What happens to a text before the tokenizer.
        public enum Cleaning: String, Sendable, Hashable, Codable, CaseIterable {
            /// Nothing.
            case none
            /// As a caption of the original ALBEF.
            case albef
            /// As a caption of LAVIS and BLIP.
            case lavis
            /// Lower case: SigLIP 2.
            case lowercase
            /// OpenCLIP's `lower`.
            case openCLIP = "openclip"
            /// OpenCLIP's `whitespace`.
            case openCLIPWhitespace = "openclip_whitespace"
            /// OpenCLIP's `canonicalize`.
            case openCLIPCanonical = "openclip_canonical"
            /// SigLIP's own: lower case, no ASCII punctuation, single spaces.
            case siglip
        }

        /// Where the LayerNorms of a layer stand.
        public enum NormPlacement: String, Sendable, Hashable, Codable, CaseIterable {
            /// After each sum: BERT.
            case after
            /// Before attention and MLP, and once after the last layer: CLIP, SigLIP.
            case before
        }

        /// Which tokens a token attends to.
        public enum Attention: String, Sendable, Hashable, Codable, CaseIterable {
            /// All but padding: BERT.
            case unpadded
            /// Those before it and itself: CLIP.
            case causal
            /// All, padding too: SigLIP.
            case all
        }

        /// Whose state a text's feature is made of.
        public enum Pooling: String, Sendable, Hashable, Codable, CaseIterable {
            /// The first token's: BERT's `[CLS]`.
            case start
            /// The first ``endToken``'s.
            case endOfText = "end_of_text"
            /// That of the token with the largest id, as OpenAI's CLIP finds the end.
            case largest = "largest_token"
            /// That of the last position, padding or not: SigLIP.
            case last
            /// The mean over all tokens but padding: sentence encoders such as MiniLM.
            case mean
        }

        /// Layers that read the text alone.
        public var textDepth: Int { sharesLayers ? depth : fusionLayer }

        /// Creates a text encoder's configuration; the defaults are BERT-base, 6 + 6 layers.
        ///
        /// The switches start as ALBEF has them, and are set afterwards.
        public init(
            vocabularySize: Int = 30_522, width: Int = 768, depth: Int = 12, fusionLayer: Int = 6,
            heads: Int = 12, mlpWidth: Int = 3072, positions: Int = 512,
            layerNormEpsilon: Double = 1e-12, maximumTokens: Int = 30, lowercases: Bool = true
        ) {
            self.vocabularySize = vocabularySize
            self.width = width
            self.depth = depth
            self.fusionLayer = fusionLayer
            self.heads = heads
            self.mlpWidth = mlpWidth
            self.positions = positions
            self.layerNormEpsilon = layerNormEpsilon
            self.maximumTokens = maximumTokens
            self.lowercases = lowercases
        }
    }
}

extension ALBEFConfiguration.Text: Codable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case vocabularySize = "vocabulary_size"
        case width, depth
        case fusionLayer = "fusion_layer"
        case heads
        case mlpWidth = "mlp_width"
        case positions
        case layerNormEpsilon = "layer_norm_epsilon"
        case maximumTokens = "maximum_tokens"
        case lowercases
        case hasTokenTypes = "token_types"
        case normPlacement = "norm_placement"
        case attention, activation, pooling, projection
        case paddedLength = "padded_length"
        case paddingToken = "padding_token"
        case endToken = "end_token"
        case sharesLayers = "shares_layers"
        case matchingToken = "matching_token"
        case hasWordPieces = "word_pieces"
        case cleaning

        /// Those that models of the first format do not have.
        static let switches: Set<CodingKeys> = [
            .hasTokenTypes, .normPlacement, .attention, .activation, .pooling, .projection,
            .paddedLength, .paddingToken, .endToken, .sharesLayers, .matchingToken,
            .hasWordPieces, .cleaning,
        ]
    }

    /// Reads a configuration; a switch that is not there has ALBEF's value.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        vocabularySize = try container.decode(Int.self, forKey: .vocabularySize)
        width = try container.decode(Int.self, forKey: .width)
        depth = try container.decode(Int.self, forKey: .depth)
        fusionLayer = try container.decode(Int.self, forKey: .fusionLayer)
        heads = try container.decode(Int.self, forKey: .heads)
        mlpWidth = try container.decode(Int.self, forKey: .mlpWidth)
        positions = try container.decode(Int.self, forKey: .positions)
        layerNormEpsilon = try container.decode(Double.self, forKey: .layerNormEpsilon)
        maximumTokens = try container.decode(Int.self, forKey: .maximumTokens)
        lowercases = try container.decode(Bool.self, forKey: .lowercases)
        try container.update(&hasTokenTypes, forKey: .hasTokenTypes)
        try container.update(&normPlacement, forKey: .normPlacement)
        try container.update(&attention, forKey: .attention)
        try container.update(&activation, forKey: .activation)
        try container.update(&pooling, forKey: .pooling)
        try container.update(&projection, forKey: .projection)
        paddedLength = try container.decodeIfPresent(Int.self, forKey: .paddedLength)
        try container.update(&paddingToken, forKey: .paddingToken)
        endToken = try container.decodeIfPresent(Int.self, forKey: .endToken)
        try container.update(&sharesLayers, forKey: .sharesLayers)
        matchingToken = try container.decodeIfPresent(Int.self, forKey: .matchingToken)
        try container.update(&hasWordPieces, forKey: .hasWordPieces)
        cleaning = try container.decodeIfPresent(Cleaning.self, forKey: .cleaning)
    }

    /// Writes every key, also those without a value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(vocabularySize, forKey: .vocabularySize)
        try container.encode(width, forKey: .width)
        try container.encode(depth, forKey: .depth)
        try container.encode(fusionLayer, forKey: .fusionLayer)
        try container.encode(heads, forKey: .heads)
        try container.encode(mlpWidth, forKey: .mlpWidth)
        try container.encode(positions, forKey: .positions)
        try container.encode(layerNormEpsilon, forKey: .layerNormEpsilon)
        try container.encode(maximumTokens, forKey: .maximumTokens)
        try container.encode(lowercases, forKey: .lowercases)
        try container.encode(hasTokenTypes, forKey: .hasTokenTypes)
        try container.encode(normPlacement, forKey: .normPlacement)
        try container.encode(attention, forKey: .attention)
        try container.encode(activation, forKey: .activation)
        try container.encode(pooling, forKey: .pooling)
        try container.encode(projection, forKey: .projection)
        try container.encode(paddedLength, forKey: .paddedLength)
        try container.encode(paddingToken, forKey: .paddingToken)
        try container.encode(endToken, forKey: .endToken)
        try container.encode(sharesLayers, forKey: .sharesLayers)
        try container.encode(matchingToken, forKey: .matchingToken)
        try container.encode(hasWordPieces, forKey: .hasWordPieces)
        try container.encode(cleaning, forKey: .cleaning)
    }
}
