/// Everything that fixes the shape and the conventions of a model; `config.json` beside its weights.
///
/// Every size is free. ``base`` is the model of the paper.
public struct ALBEFConfiguration: Sendable, Hashable, Codable {
    /// Which implementation's conventions the weights follow.
    public var dialect: Dialect
    /// The task the weights were trained for, which decides the heads that are present.
    public var task: Task
    /// The image encoder.
    public var vision: Vision
    /// The text encoder and, above ``Text/fusionLayer``, the fusion encoder.
    public var text: Text
    /// Length of the aligned feature vectors (D_e); default 256.
    public var embeddingWidth: Int
    /// False for a model that was only initialised: its answers mean nothing.
    public var isTrained: Bool

    /// The task a checkpoint was trained for.
    public enum Task: String, Sendable, Hashable, Codable, CaseIterable {
        /// Pretraining: projections, ITM head, MLM head.
        case pretraining
        /// Image–text retrieval: projections and ITM head.
        case retrieval
        /// Weakly supervised grounding (RefCOCO+): as retrieval.
        case grounding
        /// Visual question answering: an answer decoder instead of the projections.
        case vqa
        /// Reasoning over two images (NLVR2): a doubled fusion encoder and a two-way head.
        case nlvr
        /// Visual entailment (SNLI-VE): a three-way head.
        case entailment
    }

    /// The ViT image encoder.
    public struct Vision: Sendable, Hashable, Codable {
        /// Side of the square input, in pixels; a multiple of ``patchSize``.
        public var imageSize: Int
        /// Side of a patch, in pixels; default 16.
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

        /// Number of patches P, without the class token.
        public var patchCount: Int { (imageSize / patchSize) * (imageSize / patchSize) }

        /// Creates an image encoder's configuration; the defaults are ViT-B/16 at 256 pixels.
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

        enum CodingKeys: String, CodingKey, CaseIterable {
            case imageSize = "image_size"
            case patchSize = "patch_size"
            case width, depth, heads
            case mlpWidth = "mlp_width"
            case layerNormEpsilon = "layer_norm_epsilon"
            case mean
            case standardDeviation = "standard_deviation"
        }
    }

    /// The BERT stack: text encoder below ``fusionLayer``, fusion encoder from there on.
    public struct Text: Sendable, Hashable, Codable {
        /// Number of WordPiece tokens (V).
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
        /// Tokens that a caption is cut to, `[CLS]` included; default 30.
        public var maximumTokens: Int
        /// Whether the vocabulary is of the uncased kind; default true.
        public var lowercases: Bool

        /// Creates a text encoder's configuration; the defaults are BERT-base, 6 + 6 layers.
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
        }
    }

    /// Creates a configuration from its parts; the defaults are the paper's model.
    public init(
        dialect: Dialect = .albef, task: Task = .pretraining, vision: Vision = Vision(),
        text: Text = Text(), embeddingWidth: Int = 256, isTrained: Bool = true
    ) {
        self.dialect = dialect
        self.task = task
        self.vision = vision
        self.text = text
        self.embeddingWidth = embeddingWidth
        self.isTrained = isTrained
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case dialect, task, vision, text
        case embeddingWidth = "embedding_width"
        case isTrained = "is_trained"
    }

    /// The paper's model: ViT-B/16, BERT-base with 6 + 6 layers, 256 aligned features.
    public static let base = ALBEFConfiguration()
}
