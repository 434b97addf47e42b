package import WeightFiles
public import SystemPackage
public import Torch

/// Hands a model its parameters from the weights of a model directory.
package struct CheckpointParameters: ParameterSource {
    private let weights: SafetensorsFile
    private let configuration: ALBEFConfiguration

    init(_ weights: SafetensorsFile, _ configuration: ALBEFConfiguration) {
        self.weights = weights
        self.configuration = configuration
    }

    package func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
        guard let stored = weights.tensors[name] else {
            throw TorchError.missingParameter(name, file: weights.path.string)
        }
        var tensor = try Tensor(stored)
        if name.hasSuffix("visual_encoder.pos_embed"), tensor.rank == 3, shape.count == 3,
            tensor.size(1) != shape[1]
        {
            tensor = Self.interpolated(tensor, to: configuration.vision)
        }
        guard tensor.shape == shape else {
            throw TorchError.shapeMismatch(
                name, file: weights.path.string, expected: shape, found: tensor.shape)
        }
        return tensor.to(.float32)
    }

    /// Position embeddings `[1, P + 1, D]` for another number of patches: the class token's stays,
    /// the square of the others is resized by the rule of the model's source.
    ///
    /// As they are where they are no square.
    package static func interpolated(
        _ positions: Tensor, to vision: ALBEFConfiguration.Vision
    ) -> Tensor {
        guard let side = vision.gridSide else { return positions }
        let (prefix, width) = (vision.prefixCount, positions.size(2))
        let count = positions.size(1) - prefix
        let from = Int(Double(count).squareRoot().rounded())
        guard from > 0, from * from == count else { return positions }
        let grid = positions[.all, prefix...].reshaped(1, from, from, width).permuted(0, 3, 1, 2)
        let resized = grid.interpolatedBicubic(
            height: side, width: side, isAntialiased: vision.positionFilter == .antialiased
        ).permuted(0, 2, 3, 1).reshaped(1, side * side, width)
        return prefix == 0
            ? resized : Tensor.concatenated([positions[.all, 0..<prefix], resized], 1)
    }
}

extension ALBEFModel {
    /// Loads a model from its directory.
    ///
    /// - Parameters:
    ///   - imageSize: side of the input in pixels; the position embeddings are interpolated to it.
    ///     Default: the size the weights have.
    ///   - device: where the model runs.
    /// - Throws: ``ALBEFError`` for a size that the patches do not divide; `TorchError` that names
    ///   a missing or misshapen tensor.
    public convenience init(
        _ directory: ModelDirectory, imageSize: Int? = nil, device: Device = .cpu
    ) throws {
        var configuration = directory.configuration
        if let imageSize { configuration.vision.imageSize = imageSize }
        try self.init(
            configuration, parameters: CheckpointParameters(directory.weights, configuration),
            device: device)
    }

    /// Loads a model to be trained: its weights are copies, which may be changed in place, where
    /// ``init(_:imageSize:device:)`` maps the file; it is marked as trained.
    ///
    /// - Throws: as ``init(_:imageSize:device:)``.
    public convenience init(_ directory: ModelDirectory, trainableOn device: Device) throws {
        var configuration = directory.configuration
        configuration.isTrained = true
        try self.init(
            configuration,
            parameters: Owned(CheckpointParameters(directory.weights, configuration)),
            device: device)
    }

    /// The parameters as entries of a weights file.
    package var entries: [SafetensorsWriter.Entry] {
        parameters.map { $1.value.entry(named: $0) }
    }

    /// A new model with random weights, marked as untrained.
    ///
    /// - Throws: ``ALBEFError`` for a configuration that cannot be built.
    public convenience init(
        untrained configuration: ALBEFConfiguration, generator: Generator
    ) throws {
        var configuration = configuration
        configuration.isTrained = false
        try self.init(configuration, parameters: RandomParameters(generator: generator))
    }

    /// Writes the model as a directory that ``ModelDirectory/open(_:)`` reads.
    ///
    /// - Throws: as ``ModelDirectory/write(_:configuration:vocabulary:to:metadata:)``.
    public func write(to path: FilePath, vocabulary: FilePath) throws {
        try ModelDirectory.write(
            entries, configuration: configuration, vocabulary: vocabulary, to: path)
    }
}

/// Copies what a source holds: the weights of a file are mapped memory, not to be written to.
private struct Owned: ParameterSource {
    private let source: any ParameterSource

    init(_ source: any ParameterSource) { self.source = source }

    func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
        try source.tensor(named: name, shape: shape, initial: initial).clone()
    }
}

extension MomentumTeacher {
    /// Makes a teacher from the twins in a model directory, or a copy of the student where there
    /// are none.
    ///
    /// - Parameter still: as in ``init(copying:still:)``.
    /// - Throws: `TorchError` that names a misshapen twin.
    public convenience init(
        of student: ALBEFModel, storedIn directory: ModelDirectory?, still: Set<String> = []
    ) throws {
        let twins = directory?.weights.tensors.names.contains { ParameterLayout.online($0) != nil }
        guard let directory, twins == true else {
            try self.init(copying: student, still: still)
            return
        }
        try self.init(
            of: student,
            from: Owned(Twins(CheckpointParameters(directory.weights, student.configuration))),
            still: still)
    }

    private struct Twins: ParameterSource {
        private let source: CheckpointParameters

        init(_ source: CheckpointParameters) { self.source = source }

        func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
            let twin = MomentumTeacher.hasTwin(name) ? ParameterLayout.twin(of: name) : nil
            return try source.tensor(named: twin ?? name, shape: shape, initial: initial)
        }
    }
}

extension ContrastiveQueues {
    /// The queues that a model directory holds; nil if it has none.
    ///
    /// - Throws: `TorchError` for damaged ones.
    public init?(_ directory: ModelDirectory, device: Device = .cpu) throws {
        func tensor(_ name: String) throws -> Tensor? {
            try directory.weights.tensors[name].map { try Tensor($0).clone().to(device) }
        }
        guard let images = try tensor("image_queue"), let texts = try tensor("text_queue"),
            let pointer = try tensor("queue_ptr")
        else { return nil }
        self.init(
            images: images, texts: texts, ids: try tensor("idx_queue"),
            pointer: Int(pointer.scalar()))
    }
}
