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
        /// Two towers that were only aligned, such as CLIP's: projections alone. Search has the
        /// order of recall.
        case alignment

        /// Whether models of the task compare features of images and texts.
        public var aligns: Bool {
            [.pretraining, .retrieval, .grounding, .alignment].contains(self)
        }

        /// Whether models of the task have an ITM head.
        public var matches: Bool { [.pretraining, .retrieval, .grounding].contains(self) }
    }

    /// Creates a configuration from its parts; the defaults are the paper's model.
    ///
    /// Token types are turned off in a dialect that has none.
    public init(
        dialect: Dialect = .albef, task: Task = .pretraining, vision: Vision = Vision(),
        text: Text = Text(), embeddingWidth: Int = 256, isTrained: Bool = true
    ) {
        self.dialect = dialect
        self.task = task
        self.vision = vision
        self.text = text
        if !dialect.hasTokenTypes { self.text.hasTokenTypes = false }
        self.embeddingWidth = embeddingWidth
        self.isTrained = isTrained
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case dialect, task, vision, text
        case embeddingWidth = "embedding_width"
        case isTrained = "is_trained"
    }

    /// Whether a bias is added to the logit of a pair: SigLIP's.
    public var hasLogitBias: Bool { dialect == .siglip && task.aligns }

    /// The paper's model: ViT-B/16, BERT-base with 6 + 6 layers, 256 aligned features.
    public static let base = ALBEFConfiguration()
}
