public import SystemPackage
import Torch
public import WeightFiles

/// An importer of checkpoints of either Python implementation, which accounts for every tensor.
///
/// Task, dialect and sizes are derived from the tensors. Nothing is guessed and nothing is dropped
/// silently: an unknown tensor, a missing one or one of a wrong shape ends the import with an error
/// that names it.
public struct CheckpointImporter: Sendable {
    /// Settings that the tensors do not determine, or that override them.
    public struct Options: Sendable, Hashable {
        /// The number of heads of the image encoder; by default its width / 64.
        public var visionHeads: Int?
        /// The number of heads of the text encoder; by default its width / 64.
        public var textHeads: Int?
        /// The dialect; by default the tensors decide: token-type embeddings mean `albef`.
        public var dialect: Dialect?
        /// The task; by default the tensors decide, which cannot tell grounding from retrieval.
        public var task: ALBEFConfiguration.Task?
        /// Whether to keep momentum twins and queues, to continue training; `false` by default.
        public var keepsTrainingState = false
        /// Whether the vocabulary is uncased; `true` by default.
        public var lowercases = true

        /// Creates the default options.
        public init() {}
    }

    /// The settings of this importer.
    public var options: Options

    /// Creates an importer.
    public init(_ options: Options = Options()) {
        self.options = options
    }

    /// Imports a checkpoint: a `.pth`, `.pt` or safetensors file of any name.
    ///
    /// - Throws: ``ModelFileError`` or `FileError`, which names the file and the tensor.
    public func load(_ path: FilePath) throws -> ImportedModel {
        try load(TensorFile.open(path))
    }

    /// Imports a checkpoint that is already open.
    ///
    /// - Throws: ``ModelFileError``, which names the file and the tensor.
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

/// A model imported from a checkpoint, under the names of ``ParameterLayout``.
public struct ImportedModel: Sendable {
    /// The sizes and conventions of the checkpoint.
    public let configuration: ALBEFConfiguration
    /// The parameters in the order of the layout, then the training state if it was kept.
    public let tensors: NamedTensors
    /// The outcome of every tensor.
    public let report: ImportReport

    /// Writes the model as a directory.
    ///
    /// - Parameters:
    ///   - path: the directory to write. A model directory there is replaced; anything else is an
    ///     error.
    ///   - vocabulary: the vocabulary to copy, with one line per word embedding.
    /// - Returns: the directory, opened and checked.
    /// - Throws: ``ModelFileError`` or `FileError`, which names the file.
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
