public import OrderedCollections
public import SystemPackage
public import Torch
import WeightFiles

/// A model made of published weights of other projects, with a report on every tensor.
///
/// The towers compute the same as before; names, shapes and documents become those of this project.
public struct TowerModel: Sendable {
    /// The sizes and switches of the sources.
    public let configuration: ALBEFConfiguration
    /// The parameters under the names of ``ParameterLayout``, in its order.
    public let parameters: OrderedDictionary<String, Tensor>
    /// The outcome of every tensor, one report per source.
    public let reports: [ImportReport]
    /// The tokenizer beside the text tower; nil if its folder has none.
    public let tokenizer: TokenizerFiles?

    /// Imports a whole model: CLIP, OpenCLIP, Chinese-CLIP, SigLIP, or BLIP for retrieval.
    ///
    /// - Parameter path: a file or a folder; the importer also reads documents such as
    ///   `config.json` beside it.
    /// - Throws: ``ModelFileError`` or `FileError` if a tensor is missing, misshapen or unknown, or
    ///   if a document is missing or lacks a key that the tensors do not determine.
    public init(importing path: FilePath) throws {
        let file = try TowerFile(path)
        let single = ModelFileError(
            file.path,
            .configuration(
                "is a single tower, not a model for search; start a model from it with 'albef"
                    + " models create --image … --text …'"))
        guard !EfficientNetImport.recognizes(file.elements.keys) else { throw single }
        let layout = try TowerLayout(file)
        guard layout.hasBothTowers else { throw single }
        let vision = try ImageTowerReader(file: file, layout: layout).configuration()
        let text = try TextTowerReader(file: file, layout: layout).configuration()
        let ignored = IgnoredTensors(layout: layout)
        var tensors = try TowerTensors(
            file, layout.imageRules + layout.textRules + layout.scoreRules, ignored: ignored.reason)
        // These models store the logarithm of the cosine's factor, ALBEF its divisor.
        if let scale = tensors.remove("logit_scale") {
            tensors.set("temp", (-scale.reshaped([])).exp())
        }
        let isBLIP = [.blip, .huggingFaceBLIP].contains(layout)
        var entries = tensors.entries
        if isBLIP, tensors["temp"] == nil {
            // Hugging Face's class has no temperature; only ITC and the "posterior" ranking use it.
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

    /// Returns whether a file or folder has a layout that ``init(importing:)`` recognises.
    ///
    /// - Throws: ``ModelFileError`` if the layout is known, but not supported.
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

    /// The names of the parameters that no source had.
    public var newParameters: [String] {
        reports.flatMap { $0.entries(.new) }.map(\.name)
    }

    /// Creates the model.
    ///
    /// - Parameter device: the device of the parameters; the CPU by default.
    /// - Throws: ``ALBEFError`` if the configuration is invalid.
    public func model(device: Device = .cpu) throws -> ALBEFModel {
        try ALBEFModel(configuration, parameters: TakenParameters(parameters), device: device)
    }

    /// Writes the model as a directory.
    ///
    /// - Parameters:
    ///   - path: the directory to write. A model directory there is replaced; anything else is an
    ///     error.
    ///   - tokenizer: the files to copy; a vocabulary has one line per word embedding.
    /// - Returns: the directory, opened and checked.
    /// - Throws: ``ModelFileError`` or `FileError`, which names the file.
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

/// A source of parameters that already exist.
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
