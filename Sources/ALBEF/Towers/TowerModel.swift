import WeightFiles
public import OrderedCollections
public import SystemPackage
public import Torch

/// A model made of weights that others have published, with an account of every tensor.
///
/// The towers keep what they compute; names, shapes and documents become those of this project.
public struct TowerModel: Sendable {
    /// Sizes and switches, as the sources say them.
    public let configuration: ALBEFConfiguration
    /// The parameters by the names of ``ParameterLayout``, in its order.
    public let parameters: OrderedDictionary<String, Tensor>
    /// What became of every tensor of the sources, in their order.
    public let reports: [ImportReport]
    /// The tokenizer that lies beside the text tower; nil if there is none.
    public let tokenizer: TokenizerFiles?

    /// Imports a whole model: CLIP, OpenCLIP, Chinese-CLIP, SigLIP or BLIP for retrieval.
    ///
    /// - Parameter path: a file or a folder; `config.json` and the like are read beside it.
    /// - Throws: ``ModelFileError`` or `FileError`: a tensor is missing, misshapen or unknown;
    ///   a document is missing or lacks a key that no tensor tells.
    public init(importing path: FilePath) throws {
        let file = try TowerFile(path)
        let single = ModelFileError(
            file.path,
            .configuration(
                "is one tower, not a model that searches: 'albef models create --image … --text"
                    + " …' starts a model from it"))
        guard !EfficientNetImport.recognizes(file.elements.keys) else { throw single }
        let layout = try TowerLayout(file)
        guard layout.hasBothTowers else { throw single }
        let vision = try ImageTowerReader(file: file, layout: layout).configuration()
        let text = try TextTowerReader(file: file, layout: layout).configuration()
        let ignored = IgnoredTensors(layout: layout)
        var tensors = try TowerTensors(
            file, layout.imageRules + layout.textRules + layout.scoreRules, ignored: ignored.reason)
        // Others store the logarithm of what the cosine is multiplied by; ALBEF what it is divided by.
        if let scale = tensors.remove("logit_scale") {
            tensors.set("temp", (-scale.reshaped([])).exp())
        }
        let isBLIP = [.blip, .huggingFaceBLIP].contains(layout)
        var entries = tensors.entries
        if isBLIP, tensors["temp"] == nil {
            // Hugging Face's class has none; only ITC and the ranking "posterior" use it.
            tensors.set("temp", .full([], 0.07))
            entries.append(
                .init(name: "temp", action: .new, reason: "BLIP's own starting temperature, 0.07"))
        }
        var configuration = ALBEFConfiguration(
            dialect: isBLIP ? .blip : tensors["logit_bias"] == nil ? .clip : .siglip,
            task: isBLIP ? .retrieval : .alignment, vision: vision, text: text,
            embeddingWidth: tensors["text_proj.weight"]?.shape.first
                ?? tensors["vision_proj.weight"]?.shape.first ?? text.width)
        configuration.text.hasTokenTypes = text.hasTokenTypes
        try Self.check(configuration, file.path)
        let missing = try tensors.fit(ParameterLayout(configuration).parameters)
        guard missing.isEmpty else { throw ModelFileError(file.path, .missing(missing)) }
        self.configuration = configuration
        parameters = tensors.tensors
        reports = [ImportReport(file: file.path.string, configuration, entries)]
        tokenizer = TokenizerFiles(folder: file.folder, isWordPiece: text.hasWordPieces)
    }

    /// Whether a file or folder is of a layout that ``init(importing:)`` reads.
    ///
    /// - Throws: ``ModelFileError`` if it is one that is known and cannot be read.
    public static func recognizes(_ path: FilePath) throws -> Bool {
        guard let file = try? TowerFile(path) else { return false }
        return try EfficientNetImport.recognizes(file.elements.keys)
            || TowerLayout.known(file) != nil
    }

    init(
        configuration: ALBEFConfiguration, parameters: OrderedDictionary<String, Tensor>,
        reports: [ImportReport], tokenizer: TokenizerFiles?
    ) {
        self.configuration = configuration
        self.parameters = parameters
        self.reports = reports
        self.tokenizer = tokenizer
    }

    /// The parameters that no source had.
    public var newParameters: [String] {
        reports.flatMap { $0.entries(.new) }.map(\.name)
    }

    /// Builds the model.
    ///
    /// - Throws: ``ALBEFError`` for a configuration that cannot be built.
    public func model(device: Device = .cpu) throws -> ALBEFModel {
        try ALBEFModel(configuration, parameters: TakenParameters(parameters), device: device)
    }

    /// Writes a model directory.
    ///
    /// - Parameters:
    ///   - path: where it will stand; a model there is replaced, anything else is not.
    ///   - tokenizer: the files to copy; a vocabulary has one line for each word embedding.
    /// - Returns: the directory, opened and checked.
    /// - Throws: ``ModelFileError`` or `FileError`, naming the file.
    @discardableResult
    public func write(to path: FilePath, tokenizer: TokenizerFiles) throws -> ModelDirectory {
        var metadata = ["format": "pt"]
        if !newParameters.isEmpty {
            metadata[ModelDirectory.newPartsKey] = newParameters.joined(separator: " ")
        }
        return try ModelDirectory.write(
            parameters.map { $1.entry(named: $0) }, configuration: configuration,
            tokenizer: tokenizer, to: path, metadata: metadata)
    }

    static func check(_ configuration: ALBEFConfiguration, _ file: FilePath) throws {
        do {
            try configuration.validate()
        } catch {
            throw ModelFileError(file, .configuration(error.description))
        }
    }
}

/// Hands layers tensors that are there already.
private struct TakenParameters: ParameterSource {
    private let tensors: OrderedDictionary<String, Tensor>

    init(_ tensors: OrderedDictionary<String, Tensor>) { self.tensors = tensors }

    func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
        guard let tensor = tensors[name] else {
            throw TorchError.missingParameter(name, file: "the towers")
        }
        return tensor
    }
}
