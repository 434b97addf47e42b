/// The shape and conventions of a model, stored as `config.json` beside its weights.
///
/// All sizes are free. ``base`` is the model of the paper.
public struct ALBEFConfiguration: Sendable, Hashable, Codable {
    /// The implementation whose conventions the weights follow.
    public var dialect: Dialect
    /// The task for which the weights were trained, which decides the heads of the model.
    public var task: Task
    /// The image encoder.
    public var vision: Vision
    /// The text encoder and, above ``Text/fusionLayer``, the fusion encoder.
    public var text: Text
    /// The length of the aligned feature vectors (D_e); 256 by default.
    public var embeddingWidth: Int
    /// Whether the weights were trained; the scores of a model that was only initialised are
    /// meaningless.
    public var isTrained: Bool

    /// A task for which a checkpoint was trained.
    public enum Task: String, Sendable, Hashable, Codable, CaseIterable {
        /// Pretraining, with projections, ITM head and MLM head.
        case pretraining
        /// Image–text retrieval, with projections and ITM head.
        case retrieval
        /// Weakly supervised grounding (RefCOCO+), with the heads of retrieval.
        case grounding
        /// Visual question answering, with an answer decoder instead of projections.
        case vqa
        /// Reasoning over two images (NLVR2), with a doubled fusion encoder and a two-way head.
        case nlvr
        /// Visual entailment (SNLI-VE), with a three-way head.
        case entailment
        /// Text assignment, which prepares the doubled fusion encoder of NLVR2, with a three-way
        /// head.
        case textAssignment = "text_assignment"
        /// Alignment of two towers, as in CLIP, with projections alone; search does not re-rank.
        case alignment

        /// Whether models of the task compare features of images and texts.
        public var aligns: Bool {
            [.pretraining, .retrieval, .grounding, .alignment].contains(self)
        }

        /// Whether models of the task have an ITM head.
        public var matches: Bool { [.pretraining, .retrieval, .grounding].contains(self) }

        /// Whether the fusion encoder reads two images per text; its layers read them by turns.
        public var pairsImages: Bool { [.nlvr, .textAssignment].contains(self) }

        /// The number of classes of the classification head; nil if models of the task have none.
        public var classCount: Int? {
            switch self {
            case .nlvr: 2
            case .entailment: 3
            default: nil
            }
        }

        /// Whether the task is undefined without a fusion encoder.
        var requiresFusion: Bool { self == .vqa || pairsImages || classCount != nil }
    }

    /// Creates a configuration from its parts; the defaults are the paper's model.
    ///
    /// - Note: a dialect without token types turns ``Text/hasTokenTypes`` off.
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

    /// Whether a bias is added to the logit of a pair, as in SigLIP.
    public var hasLogitBias: Bool { dialect == .siglip && task.aligns }

    /// The paper's model: ViT-B/16, BERT-base with 6 + 6 layers, 256 aligned features.
    public static let base = ALBEFConfiguration()
}
