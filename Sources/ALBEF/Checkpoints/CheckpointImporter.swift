public import WeightFiles
public import SystemPackage
import Torch

/// Reads a checkpoint of either Python implementation, and accounts for every tensor in it.
///
/// The task, the dialect and all sizes are read off the tensors. Nothing is guessed and nothing is
/// dropped in silence: a tensor that is neither part of the model nor known to be left out, one
/// that is missing, or one of a wrong shape ends the import with an error that names it.
public struct CheckpointImporter: Sendable {
    /// What the tensors themselves do not tell, or should not decide.
    public struct Options: Sendable, Hashable {
        /// Heads of the image encoder; default its width / 64.
        public var visionHeads: Int?
        /// Heads of the text encoder; default its width / 64.
        public var textHeads: Int?
        /// The dialect; default that of the tensors: token-type embeddings mean `albef`.
        public var dialect: Dialect?
        /// The task; default that of the tensors, where grounding looks the same as retrieval.
        public var task: ALBEFConfiguration.Task?
        /// Whether momentum twins and queues are kept, to continue training; default false.
        public var keepsTrainingState = false
        /// Whether the vocabulary is of the uncased kind; default true.
        public var lowercases = true

        /// The defaults.
        public init() {}
    }

    /// What the importer was told.
    public var options: Options

    /// Creates an importer.
    public init(_ options: Options = Options()) {
        self.options = options
    }

    /// Reads a checkpoint: `.pth`, `.pt` or safetensors, whatever its name.
    ///
    /// - Throws: ``ModelFileError`` or `FileError`, naming the file and the tensor.
    public func load(_ path: FilePath) throws -> ImportedModel {
        try load(TensorFile.open(path))
    }

    /// Reads a checkpoint that is open already.
    public func load(_ file: TensorFile) throws -> ImportedModel {
        let state = try StateDictionary(file)
        let configuration = try LayoutDetection(state: state, options: options).configuration()
        var mapping = CheckpointMapping(
            state: state, configuration: configuration,
            keepsTrainingState: options.keepsTrainingState)
        try mapping.run()
        return ImportedModel(
            configuration: mapping.configuration, tensors: mapping.tensors, report: mapping.report)
    }
}

/// A checkpoint's model under the names of ``ParameterLayout``.
public struct ImportedModel: Sendable {
    /// Sizes and conventions, as found.
    public let configuration: ALBEFConfiguration
    /// The parameters in the order of the layout, then the training state if it was kept.
    public let tensors: NamedTensors
    /// What became of every tensor.
    public let report: ImportReport

    /// Writes a model directory.
    ///
    /// - Parameters:
    ///   - path: where it will stand; a model there is replaced, anything else is not.
    ///   - vocabulary: the vocabulary to copy; one line for each word embedding.
    /// - Returns: the directory, opened and checked.
    /// - Throws: ``ModelFileError`` or `FileError`, naming the file.
    @discardableResult
    public func writeModel(
        to path: FilePath, vocabulary: FilePath
    ) throws -> ModelDirectory {
        try ModelDirectory.write(
            tensors.map { SafetensorsWriter.Entry(name: $0.name, tensor: $0.tensor) },
            configuration: configuration, vocabulary: vocabulary, to: path,
            metadata: ["format": "pt"])
    }
}
