import OrderedCollections
public import SystemPackage
public import Torch

/// A plan by which a model is assembled from an image tower and a text tower.
public struct StartingPlan: Sendable, Hashable {
    /// The number of layers of the text encoder; nil for half of the text tower's.
    public var textLayers: Int?
    /// The number of layers of the fusion encoder; nil for the rest of the text tower's.
    ///
    /// Layers beyond those of the tower are new.
    public var fusionLayers: Int?
    /// The number of hidden units of each text and fusion layer's MLP; nil for the text tower's.
    ///
    /// A smaller number keeps the units with the largest weights: those with the greatest product
    /// of the lengths of their incoming and outgoing weights.
    public var textMLPWidth: Int?
    /// The side of the input images in pixels, to which the positions are resized; nil for the
    /// tower's.
    public var imageSize: Int?
    /// The length of the features that recall compares; 256 by default.
    public var embeddingWidth = 256
    /// The number of tokens to which captions are cut, including special ones; 30 by default.
    public var maximumTokens = 30
    /// The dialect, `albef` or `lavis`, which determines how texts are cut and framed.
    public var dialect = Dialect.albef
    /// Whether to use the weights of the towers; `true` by default.
    ///
    /// If it is `false`, all weights are random at the towers' sizes, to measure the benefit of the
    /// towers' weights.
    public var takesWeights = true
    /// The vocabulary; nil for the text tower's own.
    public var words: StartingWords?
    /// The layers above an EfficientNet; a ViT requires the default.
    public var trunk = Trunk()

    /// The layers above an EfficientNet, which by itself returns only a feature map.
    public struct Trunk: Sendable, Hashable {
        /// The number of new transformer blocks above the trunk, 0 or more; nil for 1.
        public var layers: Int?
        /// The width of the blocks; nil for the text tower's.
        public var width: Int?
        /// The number of attention heads of the blocks; nil for the largest number that divides
        /// the width and leaves each head at least 64 wide.
        public var heads: Int?
        /// The pooling of tokens to an image's feature; nil for the mean.
        ///
        /// With ``ALBEFConfiguration/Vision/Pooling/classToken`` the encoder has a class token, and
        /// otherwise none.
        public var pooling: ALBEFConfiguration.Vision.Pooling?
        /// The grids of ``EfficientNetConfiguration/poolingGrids``; nil for one token per place.
        public var poolingGrids: [Int]?
        /// The value of ``EfficientNetConfiguration/includesHead``; nil for `true`.
        public var includesHead: Bool?
        /// The sizes of a custom EfficientNet; nil for those of the published variant that fits the
        /// weights.
        public var form: EfficientNetConfiguration.Form?

        /// Creates the default plan of a trunk.
        public init() {}
    }

    /// Creates the plan of the paper.
    public init() {}
}

extension TowerModel {
    /// Assembles a model from two towers, as ALBEF starts from DeiT and BERT (Li et al., 2021,
    /// section 3.4).
    ///
    /// The first layers of the text tower become the text encoder. The next ones become the fusion
    /// encoder, whose cross-attention is new. Projections and ITM head are new. The MLM head is
    /// that of the text tower, if it has one.
    ///
    /// - Parameters:
    ///   - image: a file or folder of an image tower, of a model with one, or of an EfficientNet,
    ///     which becomes the trunk of a new tower.
    ///   - text: a file or folder of a BERT, or of a Chinese-CLIP model.
    ///   - plan: the sizes that the towers do not determine; those of the paper by default.
    ///   - generator: the source of random numbers for new parameters.
    /// - Throws: ``ModelFileError`` or `FileError`, which names the file and the tensor or key.
    public init(
        image: FilePath, text: FilePath, plan: StartingPlan = StartingPlan(), generator: Generator
    ) throws {
        let texts = try TextStart(text, plan, generator: generator)
        let images = try ImageStart(image, plan, textWidth: texts.text.width)
        var configuration = ALBEFConfiguration(
            dialect: plan.dialect, vision: images.vision, text: texts.text,
            embeddingWidth: plan.embeddingWidth, isTrained: false)
        configuration.text.hasTokenTypes = texts.text.hasTokenTypes
        // The image encoder is checked alone first, so that the error names the right file.
        try Self.check(ALBEFConfiguration(vision: images.vision), images.file)
        try Self.check(configuration, texts.file.path)

        var taken = images.tensors
        taken.merge(texts.tensors.tensors) { first, _ in first }
        if !plan.takesWeights { taken = [:] }
        let source = StartingParameters(taken: taken, generator: generator)
        let model = try ALBEFModel(configuration, parameters: source)
        let isNew = Set(model.parameters.keys).subtracting(taken.keys)
        let fresh = model.parameters.keys.filter(isNew.contains).map {
            ImportReport.Entry(name: $0, action: .new, reason: "random; in neither tower")
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
    /// Returns the tokenizer beside a text tower; nil if its folder has none.
    ///
    /// - Parameters:
    ///   - text: a file or a folder.
    ///   - isWordPiece: whether to look for a WordPiece vocabulary, the default, or for another
    ///     kind.
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
                    "is not a BERT; the text and fusion encoders start from BERT, RoBERTa-wwm,"
                        + " MiniLM, or the text tower of Chinese-CLIP"))
        }
        text = try TextTowerReader(file: file, layout: layout).configuration()
        let depth = text.depth
        let textLayers = plan.textLayers ?? depth / 2
        let fusionLayers = plan.fusionLayers ?? max(depth - textLayers, 0)
        guard textLayers > 0, fusionLayers > 0 else {
            throw ModelFileError(
                file.path,
                .configuration(
                    "has \(depth) layers; the text encoder would get \(textLayers) and the fusion"
                        + " encoder \(fusionLayers), but each needs at least one"))
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
                    ? "not part of the text tower" : nil)
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

    /// Reduces each layer's MLP to the hidden units with the largest weights.
    private mutating func narrow(to width: Int) throws {
        guard width <= text.mlpWidth else {
            throw ModelFileError(
                file.path,
                .option("has MLPs of \(text.mlpWidth) units, fewer than the \(width) requested"))
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

    /// Replaces the rows of the word embeddings, and of the MLM head's bias.
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

    /// Checks that only cross-attention, layers beyond the tower's or a whole MLM head are missing.
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

/// The parameters of the towers, and random ones for the rest.
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
