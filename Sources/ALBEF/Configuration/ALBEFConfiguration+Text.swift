extension ALBEFConfiguration {
    /// The stack of text layers: the text encoder below ``fusionLayer``, and the fusion encoder
    /// above.
    ///
    /// The defaults of all switches are those of BERT and ALBEF.
    public struct Text: Sendable, Hashable {
        /// The number of tokens (V).
        public var vocabularySize: Int
        /// The width of a token (D).
        public var width: Int
        /// The total number of layers.
        public var depth: Int
        /// The index of the first layer with cross-attention.
        public var fusionLayer: Int
        /// The number of attention heads per layer; divides ``width``.
        public var heads: Int
        /// The width of each layer's feed-forward block.
        public var mlpWidth: Int
        /// The length of the position-embedding table, and the limit for texts.
        public var positions: Int
        /// The epsilon of every LayerNorm; 1e-12 by default.
        public var layerNormEpsilon: Double
        /// The number of tokens to which captions are cut, including special ones; 30 by default.
        public var maximumTokens: Int
        /// Whether the vocabulary is uncased; `true` by default.
        public var lowercases: Bool

        /// Whether the vector of token type 0 is added; `true` by default.
        ///
        /// LAVIS, BLIP and CLIP have no token types.
        public var hasTokenTypes = true
        /// The place of the LayerNorms; after each sum by default.
        public var normPlacement = NormPlacement.after
        /// The tokens that a token attends to; all except padding by default.
        public var attention = Attention.unpadded
        /// The activation of each MLP; GELU by default.
        public var activation = Activation.gelu
        /// The state from which the feature is computed; that of the first token by default.
        public var pooling = Pooling.start
        /// The projection of that state to the feature; a matrix and a bias by default.
        public var projection = Projection.linear
        /// The length to which every text is padded; nil for that of the longest text of a batch.
        ///
        /// If ``attention`` is ``Attention/all``, padding affects the result, and so does the
        /// length.
        public var paddedLength: Int?
        /// The token that pads; 0 by default.
        public var paddingToken = 0
        /// The last token of a text, at which ``Pooling/endOfText`` pools.
        public var endToken: Int?
        /// Whether the layers from ``fusionLayer`` on also form the text encoder, which runs them
        /// without cross-attention; `false` by default.
        ///
        /// BLIP has one stack for both.
        public var sharesLayers = false
        /// The token that replaces the first one if a text is read with an image; nil to keep it.
        ///
        /// In BLIP it is `[ENC]`.
        public var matchingToken: Int?

        /// Whether the tokenizer is BERT's WordPiece; `true` by default.
        ///
        /// CLIP and SigLIP have other tokenizers.
        public var hasWordPieces = true
        /// The cleaning of a text before the tokenizer; nil for that of the dialect.
        public var cleaning: Cleaning?

        /// A cleaning of texts before the tokenizer.
        public enum Cleaning: String, Sendable, Hashable, Codable, CaseIterable {
            /// No cleaning.
            case none
            /// The cleaning of captions in the original ALBEF.
            case albef
            /// The cleaning of captions in LAVIS and BLIP.
            case lavis
            /// Lower case, as in SigLIP 2.
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

        /// The place of a layer's LayerNorms.
        public enum NormPlacement: String, Sendable, Hashable, Codable, CaseIterable {
            /// After each sum, as in BERT.
            case after
            /// Before attention and MLP, and once after the last layer, as in CLIP and SigLIP.
            case before
        }

        /// The tokens that a token attends to.
        public enum Attention: String, Sendable, Hashable, Codable, CaseIterable {
            /// All except padding, as in BERT.
            case unpadded
            /// The token itself and those before it, as in CLIP.
            case causal
            /// All, including padding, as in SigLIP.
            case all
        }

        /// The state from which a text's feature is computed.
        public enum Pooling: String, Sendable, Hashable, Codable, CaseIterable {
            /// The state of the first token, which is BERT's `[CLS]`.
            case start
            /// The state of the first ``endToken``.
            case endOfText = "end_of_text"
            /// The state of the token with the largest id, by which OpenAI's CLIP finds the end.
            case largest = "largest_token"
            /// The state of the last position, which may be padding, as in SigLIP.
            case last
            /// The mean over all tokens except padding, as in sentence encoders such as MiniLM.
            case mean
        }

        /// The answer decoder of VQA: as many layers as the fusion encoder has, of which each token
        /// attends to those before it.
        var decoder: Text {
            var decoder = self
            decoder.depth = depth - fusionLayer
            decoder.fusionLayer = 0
            decoder.attention = .causal
            decoder.sharesLayers = false
            decoder.matchingToken = nil
            return decoder
        }

        /// The number of layers of the text encoder.
        public var textDepth: Int { sharesLayers ? depth : fusionLayer }

        /// Creates the configuration of a text encoder; the defaults are BERT-base, 6 + 6 layers.
        ///
        /// All switches have ALBEF's values until they are set.
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

        /// The keys that format 1 does not have.
        static let switches: Set<CodingKeys> = [
            .hasTokenTypes, .normPlacement, .attention, .activation, .pooling, .projection,
            .paddedLength, .paddingToken, .endToken, .sharesLayers, .matchingToken,
            .hasWordPieces, .cleaning,
        ]
    }

    /// Decodes a configuration; a missing switch has ALBEF's value.
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

    /// Encodes all keys, including those whose value is nil.
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
