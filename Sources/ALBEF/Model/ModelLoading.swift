import OrderedCollections
public import SystemPackage
public import Torch
package import WeightFiles

/// A source of parameters that reads the weights of a model directory.
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

    /// Returns position embeddings `[1, P + 1, D]` for the image size of a configuration.
    ///
    /// The class token's position is kept, and the square grid of the others is resized by the
    /// filter of the configuration. Positions that do not form a square are returned unchanged.
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
    ///   - directory: the model's directory.
    ///   - imageSize: the side of the input in pixels, to which the position embeddings are
    ///     interpolated; nil, the default, for the size of the weights.
    ///   - device: the device of the model; the CPU by default.
    ///   - computeType: as in ``init(_:parameters:device:computeType:)``.
    /// - Throws: ``ALBEFError`` if the size is not a multiple of the patch size; `TorchError`,
    ///   which names a missing or misshapen tensor.
    public convenience init(
        _ directory: ModelDirectory, imageSize: Int? = nil, device: Device = .cpu,
        computeType: ComputeType? = nil
    ) throws {
        var configuration = directory.configuration
        if let imageSize { configuration.vision.imageSize = imageSize }
        try self.init(
            configuration, parameters: CheckpointParameters(directory.weights, configuration),
            device: device, computeType: computeType)
    }

    /// Loads a model for training and marks it as trained.
    ///
    /// Its weights are copies, which may be changed in place; ``init(_:imageSize:device:computeType:)`` maps
    /// the file instead.
    ///
    /// - Throws: the errors of ``init(_:imageSize:device:computeType:)``.
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
        storedParameters.map { $0.value.entry(named: $0.name) }
    }

    /// The parameters as a weights file holds them: a shared one under each of its names.
    var storedParameters: [(name: String, value: Tensor)] {
        var stored = parameters.map { (name: $0, value: $1.value) }
        for (copy, original) in ParameterLayout(configuration).copies {
            guard let parameter = parameters[original] else { continue }
            stored.append((name: copy, value: parameter.value))
        }
        return stored
    }

    /// Creates a model with random weights, marked as untrained.
    ///
    /// - Throws: ``ALBEFError`` if the configuration is invalid.
    public convenience init(
        untrained configuration: ALBEFConfiguration, generator: Generator
    ) throws {
        var configuration = configuration
        configuration.isTrained = false
        try self.init(configuration, parameters: RandomParameters(generator: generator))
    }

    /// Writes the model as a directory that ``ModelDirectory/open(_:)`` opens.
    ///
    /// - Parameters:
    ///   - path: the directory to write.
    ///   - vocabulary: the vocabulary to copy, with one line per word embedding.
    /// - Throws: the errors of ``ModelDirectory/write(_:configuration:vocabulary:to:metadata:)``.
    public func write(to path: FilePath, vocabulary: FilePath) throws {
        try ModelDirectory.write(
            entries, configuration: configuration, vocabulary: vocabulary, to: path)
    }
}

/// A source that copies the tensors of another; the weights of a file are mapped and read-only.
struct Owned: ParameterSource {
    private let source: any ParameterSource

    init(_ source: any ParameterSource) { self.source = source }

    func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
        try source.tensor(named: name, shape: shape, initial: initial).clone()
    }
}

extension MomentumTeacher {
    /// Creates a teacher from the twins in a model directory, or from copies of the student if the
    /// directory has no twins.
    ///
    /// - Parameters:
    ///   - student: the model being trained.
    ///   - directory: the directory; nil for copies of the student.
    ///   - still: as in ``init(copying:still:)``.
    /// - Throws: `TorchError`, which names a missing or misshapen twin.
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
    /// Reads the queues of a model directory; returns nil if it has none.
    ///
    /// - Throws: `TorchError` if the queues are damaged.
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
