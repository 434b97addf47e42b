public import OrderedCollections

/// The names and shapes of a model's parameters on disk.
///
/// The names are those of the original implementation's pretraining model for every task; the heads
/// of other tasks keep the names of their own models.
public struct ParameterLayout: Sendable {
    /// The name and shape of one parameter.
    public struct Parameter: Sendable, Hashable {
        /// The name.
        public let name: String
        /// The length along each dimension.
        public let shape: [Int]
    }

    /// All parameters of a model of the configuration, in the order of the file.
    public private(set) var parameters: [Parameter] = []
    /// The parameters that repeat another one, with the name of that one.
    ///
    /// Two neighbouring fusion layers of NLVR2 have one projection of keys and one of values, which
    /// the original stores under the names of both layers.
    public private(set) var copies: OrderedDictionary<String, String> = [:]

    /// Creates the layout of a configuration.
    public init(_ configuration: ALBEFConfiguration) {
        let (vision, text) = (configuration.vision, configuration.text)
        if configuration.task.aligns { add("temp", []) }
        if configuration.hasLogitBias { add("logit_bias", []) }
        addVision(vision)
        addText(
            "text_encoder.bert", text, depth: text.depth, fusionLayer: text.fusionLayer,
            imageWidth: vision.width)
        switch configuration.task {
        case .pretraining, .retrieval, .grounding, .alignment:
            if configuration.task == .pretraining {
                addLanguageHead("text_encoder.cls.predictions", text)
            }
            let width = configuration.embeddingWidth
            addProjection("vision_proj", vision.projection, vision.width, width)
            addProjection("text_proj", text.projection, text.width, width)
            if configuration.task.matches { addLinear("itm_head", text.width, 2) }
        case .vqa:
            // The decoder has as many layers as the fusion encoder and reads the question's tokens.
            addText(
                "text_decoder.bert", text, depth: text.depth - text.fusionLayer, fusionLayer: 0,
                imageWidth: text.width)
            addLanguageHead("text_decoder.cls.predictions", text)
        case .nlvr, .entailment:
            addLinear("cls_head.0", text.width, text.width)
            addLinear("cls_head.2", text.width, configuration.task.classCount ?? 0)
        case .textAssignment:
            addProjection(
                "vision_proj", vision.projection, vision.width, configuration.embeddingWidth)
            addLinear("ta_head", text.width, 3)
        }
        if configuration.task.pairsImages { addCopies(text) }
    }

    /// The modules of which a momentum teacher has a twin, whose name ends with `_m`.
    static let twinModules: Set<String> = [
        "visual_encoder", "text_encoder", "vision_proj", "text_proj", "text_decoder", "cls_head",
    ]

    /// The queues of momentum features, which are used only in training.
    static let queues: Set<String> = ["image_queue", "text_queue", "queue_ptr", "idx_queue"]

    /// Returns the name of the parameter that a momentum twin follows; nil if `name` is not a
    /// twin's.
    static func online(_ name: String) -> String? {
        let module = name.prefix { $0 != "." }
        guard module.hasSuffix("_m"), twinModules.contains(String(module.dropLast(2))) else {
            return nil
        }
        return String(module.dropLast(2)) + String(name.dropFirst(module.count))
    }

    /// Returns the name of a parameter's momentum twin; nil if its module has no twin.
    package static func twin(of name: String) -> String? {
        let module = name.prefix { $0 != "." }
        guard twinModules.contains(String(module)) else { return nil }
        return module + "_m" + name.dropFirst(module.count)
    }

    private mutating func addCopies(_ text: ALBEFConfiguration.Text) {
        for first in stride(from: text.fusionLayer, to: text.depth - 1, by: 2) {
            for part in ["key.weight", "key.bias", "value.weight", "value.bias"] {
                func name(_ layer: Int) -> String {
                    "text_encoder.bert.encoder.layer.\(layer).crossattention.self.\(part)"
                }
                copies[name(first + 1)] = name(first)
            }
        }
    }

    private mutating func add(_ name: String, _ shape: [Int]) {
        parameters.append(Parameter(name: name, shape: shape))
    }

    private mutating func addLinear(_ name: String, _ inputs: Int, _ outputs: Int) {
        add("\(name).weight", [outputs, inputs])
        add("\(name).bias", [outputs])
    }

    private mutating func addProjection(
        _ name: String, _ form: Projection, _ inputs: Int, _ outputs: Int
    ) {
        if form != .none { add("\(name).weight", [outputs, inputs]) }
        if form == .linear { add("\(name).bias", [outputs]) }
    }

    private mutating func addNorm(_ name: String, _ width: Int) {
        add("\(name).weight", [width])
        add("\(name).bias", [width])
    }

    private mutating func addVision(_ vision: ALBEFConfiguration.Vision) {
        let (prefix, width) = ("visual_encoder", vision.width)
        if vision.hasClassToken { add("\(prefix).cls_token", [1, 1, width]) }
        add("\(prefix).pos_embed", [1, vision.tokenCount, width])
        if let trunk = vision.trunk {
            for (name, shape) in trunk.parameters(prefix: "\(prefix).trunk") { add(name, shape) }
            addNorm("\(prefix).patch_embed.norm", trunk.featureWidth)
            add("\(prefix).patch_embed.proj.weight", [width, trunk.featureWidth])
        } else {
            add(
                "\(prefix).patch_embed.proj.weight", [width, 3, vision.patchSize, vision.patchSize])
        }
        if vision.hasPatchBias { add("\(prefix).patch_embed.proj.bias", [width]) }
        if vision.normalizesEmbeddings { addNorm("\(prefix).norm_pre", width) }
        for index in 0..<vision.depth {
            let block = "\(prefix).blocks.\(index)"
            addNorm("\(block).norm1", width)
            addLinear("\(block).attn.qkv", width, 3 * width)
            addLinear("\(block).attn.proj", width, width)
            addNorm("\(block).norm2", width)
            addLinear("\(block).mlp.fc1", width, vision.mlpWidth)
            addLinear("\(block).mlp.fc2", vision.mlpWidth, width)
        }
        addNorm("\(prefix).norm", width)
        guard vision.pooling == .attention else { return }
        let pool = "\(prefix).attn_pool"
        add("\(pool).latent", [1, 1, width])
        addLinear("\(pool).q", width, width)
        addLinear("\(pool).kv", width, 2 * width)
        addLinear("\(pool).proj", width, width)
        addNorm("\(pool).norm", width)
        addLinear("\(pool).mlp.fc1", width, vision.mlpWidth)
        addLinear("\(pool).mlp.fc2", vision.mlpWidth, width)
    }

    private mutating func addText(
        _ prefix: String, _ text: ALBEFConfiguration.Text, depth: Int, fusionLayer: Int,
        imageWidth: Int
    ) {
        let width = text.width
        add("\(prefix).embeddings.word_embeddings.weight", [text.vocabularySize, width])
        add("\(prefix).embeddings.position_embeddings.weight", [text.positions, width])
        if text.hasTokenTypes {
            add("\(prefix).embeddings.token_type_embeddings.weight", [2, width])
        }
        if text.normPlacement == .after { addNorm("\(prefix).embeddings.LayerNorm", width) }
        for index in 0..<depth {
            let layer = "\(prefix).encoder.layer.\(index)"
            addAttention("\(layer).attention", width, keyWidth: width)
            if index >= fusionLayer {
                addAttention("\(layer).crossattention", width, keyWidth: imageWidth)
            }
            addLinear("\(layer).intermediate.dense", width, text.mlpWidth)
            addLinear("\(layer).output.dense", text.mlpWidth, width)
            addNorm("\(layer).output.LayerNorm", width)
        }
        if text.normPlacement == .before { addNorm("\(prefix).norm", width) }
    }

    private mutating func addAttention(_ name: String, _ width: Int, keyWidth: Int) {
        addLinear("\(name).self.query", width, width)
        addLinear("\(name).self.key", keyWidth, width)
        addLinear("\(name).self.value", keyWidth, width)
        addLinear("\(name).output.dense", width, width)
        addNorm("\(name).output.LayerNorm", width)
    }

    private mutating func addLanguageHead(_ name: String, _ text: ALBEFConfiguration.Text) {
        add("\(name).bias", [text.vocabularySize])
        addLinear("\(name).transform.dense", text.width, text.width)
        addNorm("\(name).transform.LayerNorm", text.width)
    }
}
