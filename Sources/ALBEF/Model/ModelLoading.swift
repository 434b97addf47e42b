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
            tensor = Self.interpolated(tensor, count: shape[1])
        }
        guard tensor.shape == shape else {
            throw TorchError.shapeMismatch(
                name, file: weights.path.string, expected: shape, found: tensor.shape)
        }
        return tensor.to(.float32)
    }

    /// Position embeddings `[1, P + 1, D]` for another number of patches: the class token's stays,
    /// the square of the others is resized bicubically, as the original does.
    package static func interpolated(_ positions: Tensor, count: Int) -> Tensor {
        let (from, to) = (side(positions.size(1) - 1), side(count - 1))
        let grid = positions[.all, 1...].reshaped(1, from, from, positions.size(2))
            .permuted(0, 3, 1, 2)
        let resized = grid.interpolatedBicubic(height: to, width: to)
            .permuted(0, 2, 3, 1).reshaped(1, to * to, positions.size(2))
        return Tensor.concatenated([positions[.all, 0..<1], resized], 1)
    }

    private static func side(_ count: Int) -> Int { Int(Double(count).squareRoot().rounded()) }
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
            parameters.map { $1.value.entry(named: $0) }, configuration: configuration,
            vocabulary: vocabulary, to: path)
    }
}
