import OrderedCollections
public import SystemPackage
public import Torch

/// How a model is put together from an image tower and a text tower.
public struct StartingPlan: Sendable, Hashable {
    /// Layers of the text encoder; nil: half of the text tower's.
    public var textLayers: Int?
    /// Layers of the fusion encoder; nil: those that are left of the text tower's.
    ///
    /// Layers beyond the tower's are new.
    public var fusionLayers: Int?
    /// Hidden units of each text and fusion layer's MLP; nil: as many as the text tower has.
    ///
    /// The units are kept whose weights are the largest: those with the greatest product of the
    /// lengths of their incoming and outgoing weights.
    public var textMLPWidth: Int?
    /// Side of the input images in pixels, to which the positions are resized; nil: the tower's.
    public var imageSize: Int?
    /// Length of the features that recall compares; default 256.
    public var embeddingWidth = 256
    /// Tokens that a caption is cut to, special ones included; default 30.
    public var maximumTokens = 30
    /// `albef` or `lavis`: how texts are cut and framed.
    public var dialect = Dialect.albef
    /// Whether the weights of the towers are taken; default true.
    ///
    /// Otherwise all are drawn at random at the towers' sizes, to measure what the weights bring.
    public var takesWeights = true
    /// The vocabulary; nil: the text tower's own.
    public var words: StartingWords?
    /// What an EfficientNet needs to become an image tower; of no use to a ViT.
    public var trunk = Trunk()

    /// What stands above an EfficientNet, whose feature map is all that it gives.
    public struct Trunk: Sendable, Hashable {
        /// Transformer blocks above the trunk, all new, 0 or more; nil: 1.
        public var layers: Int?
        /// Their width; nil: the text tower's.
        public var width: Int?
        /// Their attention heads; nil: as many as are 64 wide or a little more.
        public var heads: Int?
        /// What an image's feature is made of; nil: the mean of the tokens.
        ///
        /// Only with ``ALBEFConfiguration/Vision/Pooling/classToken`` there is such a token.
        public var pooling: ALBEFConfiguration.Vision.Pooling?
        /// As ``EfficientNetConfiguration/poolingGrids``; nil: every place is a token.
        public var poolingGrids: [Int]?
        /// As ``EfficientNetConfiguration/includesHead``; nil: true.
        public var includesHead: Bool?
        /// The sizes of an EfficientNet of one's own; nil: those of the published variant that the
        /// weights are of.
        public var form: EfficientNetConfiguration.Form?

        /// The defaults.
        public init() {}
    }

    /// The paper's plan.
    public init() {}
}

extension TowerModel {
    /// Starts a model from two towers, as ALBEF starts from DeiT and BERT (Li et al., 2021, section
    /// 3.4).
    ///
    /// The first layers of the text tower become the text encoder, the next ones the fusion
    /// encoder, whose cross-attention is new. Projections and the ITM head are new; the MLM head is
    /// the text tower's where it has one.
    ///
    /// - Parameters:
    ///   - image: a file or folder of an image tower, or of a model that has one; or of an
    ///     EfficientNet, which becomes the trunk of a new one.
    ///   - text: a file or folder of a BERT.
    ///   - plan: sizes that the towers do not decide.
    ///   - generator: what new parameters are drawn from.
    /// - Throws: ``ModelFileError`` or `FileError` that names the file and the tensor or key.
    public init(
        image: FilePath, text: FilePath, plan: StartingPlan = StartingPlan(), generator: Generator
    ) throws {
        let texts = try TextStart(text, plan, generator: generator)
        let images = try ImageStart(image, plan, textWidth: texts.text.width)
        var configuration = ALBEFConfiguration(
            dialect: plan.dialect, vision: images.vision, text: texts.text,
            embeddingWidth: plan.embeddingWidth, isTrained: false)
        configuration.text.hasTokenTypes = texts.text.hasTokenTypes
        // The image encoder first, so that the file that does not fit is named.
        try Self.check(ALBEFConfiguration(vision: images.vision), images.file)
        try Self.check(configuration, texts.file.path)

        var taken = images.tensors
        taken.merge(texts.tensors.tensors) { first, _ in first }
        if !plan.takesWeights { taken = [:] }
        let source = StartingParameters(taken: taken, generator: generator)
        let model = try ALBEFModel(configuration, parameters: source)
        let isNew = Set(model.parameters.keys).subtracting(taken.keys)
        let fresh = model.parameters.keys.filter(isNew.contains).map {
            ImportReport.Entry(name: $0, action: .new, reason: "random; no tower has it")
        }
        let report = ImportReport(file: "new parameters", configuration, fresh)
        self.init(
            configuration: configuration, parameters: model.parameters.mapValues(\.value),
            reports: plan.takesWeights
                ? [images.report(configuration), texts.report(configuration), report] : [report],
            tokenizer: TokenizerFiles(folder: texts.file.folder, isWordPiece: true))
    }
}

extension TowerModel {
    /// The tokenizer that lies beside a text tower; nil if there is none.
    ///
    /// - Parameters:
    ///   - text: a file or a folder.
    ///   - isWordPiece: whether a WordPiece vocabulary is looked for, or the files of another kind.
    public static func tokenizer(beside text: FilePath, isWordPiece: Bool = true) -> TokenizerFiles?
    {
        TokenizerFiles(folder: TowerFile.folder(of: text), isWordPiece: isWordPiece)
    }
}

/// The text tower of a new model, which becomes its text and fusion encoders.
private struct TextStart {
    let file: TowerFile
    var text: ALBEFConfiguration.Text
    var tensors: TowerTensors

    init(_ path: FilePath, _ plan: StartingPlan, generator: Generator) throws {
        file = try TowerFile(path)
        let layout = try TowerLayout(file)
        guard [.bert, .chineseCLIP, .huggingFaceChineseCLIP].contains(layout) else {
            throw ModelFileError(
                file.path,
                .configuration(
                    "is no BERT: the text and fusion encoders start from BERT, RoBERTa-wwm, MiniLM,"
                        + " or the text tower of Chinese-CLIP"))
        }
        text = try TextTowerReader(file: file, layout: layout).configuration()
        let depth = text.depth
        let textLayers = plan.textLayers ?? depth / 2
        let fusionLayers = plan.fusionLayers ?? max(depth - textLayers, 0)
        guard textLayers > 0, fusionLayers > 0 else {
            throw ModelFileError(
                file.path,
                .configuration(
                    "has \(depth) layers, of which \(textLayers) would be the text encoder's and"
                        + " \(fusionLayers) the fusion encoder's: both need one at least"))
        }
        text.depth = textLayers + fusionLayers
        text.fusionLayer = textLayers
        text.projection = .linear
        text.maximumTokens = min(plan.maximumTokens, text.positions)
        let others = layout.imageRules + layout.scoreRules
        let ignored = IgnoredTensors(layout: layout)
        let unused = (text.depth..<max(depth, text.depth)).map { "encoder.layer.\($0)." }
        tensors = try TowerTensors(file, layout.textRules) { name in
            ignored.reason(name)
                ?? (others.contains { $0.target(of: name) != nil }
                    ? "no part of the text tower" : nil)
        }
        for name in tensors.tensors.keys where unused.contains(where: { name.contains($0) }) {
            _ = tensors.remove(name)
        }
        tensors.markIgnored(unused, "a layer beyond those of the new model")
        if let width = plan.textMLPWidth { try narrow(to: width) }
        let layers = ParameterLayout(ALBEFConfiguration(text: text)).parameters
            .filter { $0.name.hasPrefix("text_encoder.") }
        let missing = try tensors.fit(layers)
        try check(missing, depth: depth)
        if let words = plan.words { try change(to: words, noise: generator) }
    }

    /// Leaves each layer's MLP the units that weigh most.
    private mutating func narrow(to width: Int) throws {
        guard width <= text.mlpWidth else {
            throw ModelFileError(
                file.path,
                .option("has MLPs of \(text.mlpWidth) units, fewer than the \(width) asked for"))
        }
        for layer in 0..<text.depth {
            let prefix = "text_encoder.bert.encoder.layer.\(layer)."
            let names = [
                "intermediate.dense.weight", "intermediate.dense.bias", "output.dense.weight",
            ]
            .map { prefix + $0 }
            guard let into = tensors[names[0]], let bias = tensors[names[1]],
                let out = tensors[names[2]]
            else { continue }
            let weights: [Float] = ((into * into).sum(1) * (out * out).sum(0)).values()
            let kept = weights.indices.sorted { weights[$0] > weights[$1] }.prefix(width).sorted()
            let units = Tensor(Array(kept))
            tensors.set(names[0], into.selected(0, units))
            tensors.set(names[1], bias.selected(0, units))
            tensors.set(names[2], out.selected(1, units))
            for name in names {
                tensors.explain(name, "\(width) of \(text.mlpWidth) hidden units")
            }
        }
        text.mlpWidth = width
    }

    /// Gives the word embeddings, and the MLM head's bias, the rows of another vocabulary.
    private mutating func change(to words: StartingWords, noise: Generator) throws {
        try words.check(rowCount: text.vocabularySize, file.path)
        let table = "text_encoder.bert.embeddings.word_embeddings.weight"
        let bias = "text_encoder.cls.predictions.bias"
        for (name, noise) in [(table, noise), (bias, nil)] {
            guard let tensor = tensors[name] else { continue }
            tensors.set(name, words.rows(of: tensor, noise: noise))
            tensors.explain(name, words.account)
        }
        text.vocabularySize = words.rows.count
        text.paddingToken = words.paddingToken
    }

    /// What may be missing: cross-attention, layers beyond the tower's, a whole MLM head.
    private func check(_ missing: [String], depth: Int) throws {
        let head = "text_encoder.cls.predictions."
        let hasHead = tensors["\(head)transform.dense.weight"] != nil
        let wrong = missing.filter { name in
            if name.contains(".crossattention.") { return false }
            if name.hasPrefix(head) { return hasHead }
            let layer = name.split(separator: ".").compactMap { Int($0) }.first
            return layer.map { $0 < depth } ?? true
        }
        guard wrong.isEmpty else { throw ModelFileError(file.path, .missing(wrong)) }
    }

    func report(_ configuration: ALBEFConfiguration) -> ImportReport {
        ImportReport(file: file.path.string, configuration, tensors.entries)
    }
}

/// What the towers have, and fresh parameters for the rest.
private struct StartingParameters: ParameterSource {
    private let taken: OrderedDictionary<String, Tensor>
    private let random: RandomParameters

    init(taken: OrderedDictionary<String, Tensor>, generator: Generator) {
        self.taken = taken
        random = RandomParameters(generator: generator)
    }

    func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
        taken[name] ?? random.tensor(named: name, shape: shape, initial: initial)
    }
}
