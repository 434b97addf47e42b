import OrderedCollections
public import Torch
import WeightFiles

/// A model of one task that starts from the weights of another model, as the original fine-tunes.
///
/// - VQA: layer i of the answer decoder is fusion layer i, and its head is the MLM head.
/// - NLVR2 and text assignment: each fusion layer becomes two, one per image.
/// - Other tasks: the encoders, and whatever heads both models have, are the same.
///
/// Heads that the other model does not have are random.
public struct TaskStart {
    /// The model, whose weights may be changed in place.
    ///
    /// It is marked as trained, because it exists to be trained.
    public let model: ALBEFModel
    /// The names of parameters with random weights, which training has to learn from the start.
    public let newParts: [String]
    private let source: Source

    /// Creates a model from a model directory.
    ///
    /// - Parameters:
    ///   - task: the task of the new model.
    ///   - directory: a model for pretraining, retrieval or grounding; one for the same task; or, for
    ///     NLVR2, one for text assignment.
    ///   - imageSize: the side of the input in pixels, to which the position embeddings are
    ///     interpolated; nil for that of the directory.
    ///   - maximumTokens: the number of tokens to which captions are cut; nil for that of the
    ///     directory. No text is longer than the number of positions.
    ///   - generator: the source of random numbers for new parameters.
    ///   - device: the device of the model; the CPU by default.
    /// - Throws: ``ALBEFError`` if the task cannot start from that of the directory, or if the size is
    ///   not a multiple of the patch size; `TorchError`, which names a misshapen tensor.
    public init(
        _ task: ALBEFConfiguration.Task, from directory: ModelDirectory, imageSize: Int? = nil,
        maximumTokens: Int? = nil, generator: Generator, device: Device = .cpu
    ) throws {
        var configuration = try Self.configuration(task, from: directory.configuration)
        if let imageSize { configuration.vision.imageSize = imageSize }
        if let maximumTokens {
            let length = min(maximumTokens, configuration.text.positions)
            configuration.text.maximumTokens = length
            configuration.text.paddedLength = configuration.text.paddedLength.map {
                max($0, length)
            }
        }
        source = Source(
            stored: Owned(CheckpointParameters(directory.weights, configuration)),
            random: RandomParameters(generator: generator),
            shapes: Dictionary(
                directory.weights.tensors.map { ($0.name, $0.tensor.shape) },
                uniquingKeysWith: { first, _ in first }),
            from: directory.configuration, to: configuration)
        model = try ALBEFModel(configuration, parameters: source, device: device)
        newParts = model.parameters.compactMap { [source] name, parameter in
            source.stored(name, shape: parameter.value.shape) == nil ? name : nil
        }
    }

    /// Creates the teacher of ``model`` from the twins in the directory, as the original does; a copy
    /// of the model where the directory has no twins.
    ///
    /// - Parameter still: as in ``MomentumTeacher/init(copying:still:)``.
    /// - Throws: `TorchError`, which names a misshapen tensor.
    public func teacher(still: Set<String> = []) throws -> MomentumTeacher {
        try MomentumTeacher(of: model, from: Twins(model: model, source: source), still: still)
    }

    /// The twins of the parameters from which a model starts.
    private struct Twins: ParameterSource {
        let model: ALBEFModel
        let source: Source

        func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
            if MomentumTeacher.hasTwin(name), let stored = source.stored(name, shape: shape),
                let twin = ParameterLayout.twin(of: stored), source.shapes[twin] != nil
            {
                return try source.stored.tensor(named: twin, shape: shape, initial: initial)
            }
            guard let parameter = model.parameters[name] else {
                return .zeros(shape, device: model.device)
            }
            return parameter.value.detached().clone()
        }
    }

    /// Checks that a task can start from a model.
    ///
    /// - Throws: ``ALBEFError`` if it cannot.
    public static func check(
        _ task: ALBEFConfiguration.Task, from other: ALBEFConfiguration
    ) throws(ALBEFError) {
        _ = try configuration(task, from: other)
    }

    /// Returns the sizes of a model for a task that starts from a model of other sizes.
    ///
    /// - Throws: ``ALBEFError`` if the task cannot start from that of the other model.
    static func configuration(
        _ task: ALBEFConfiguration.Task, from other: ALBEFConfiguration
    ) throws(ALBEFError) -> ALBEFConfiguration {
        guard
            other.task == task || other.task.matches || (task.pairsImages && other.task.pairsImages)
        else { throw .start(task, from: other.task) }
        var configuration = other
        configuration.task = task
        configuration.isTrained = true
        if task.pairsImages, !other.task.pairsImages {
            configuration.text.depth += other.text.depth - other.text.fusionLayer
        }
        return configuration
    }

    /// Returns the name of the parameter from which a parameter of a task's model starts.
    ///
    /// - Parameters:
    ///   - name: a parameter of the new model.
    ///   - task: the new model's task.
    ///   - other: the configuration of the model from which it starts.
    package static func source(
        of name: String, _ task: ALBEFConfiguration.Task, from other: ALBEFConfiguration
    ) -> String {
        guard task != other.task else { return name }
        let fusionLayer = other.text.fusionLayer
        if task == .vqa, let rest = name.dropping("text_decoder.") {
            return "text_encoder." + moved(rest) { $0 + fusionLayer }
        }
        if task.pairsImages, !other.task.pairsImages, let rest = name.dropping("text_encoder.") {
            return "text_encoder."
                + moved(rest) { layer in
                    layer < fusionLayer ? layer : fusionLayer + (layer - fusionLayer) / 2
                }
        }
        return name
    }

    /// Changes the number in a name that starts with `bert.encoder.layer.`.
    private static func moved(_ name: String, _ change: (Int) -> Int) -> String {
        let prefix = "bert.encoder.layer."
        guard let rest = name.dropping(prefix), let layer = Int(rest.prefix { $0 != "." }) else {
            return name
        }
        return prefix + String(change(layer)) + rest.drop { $0 != "." }
    }

    /// The weights of the other model under the names of the new one, and random ones for the rest.
    private struct Source: ParameterSource {
        let stored: Owned
        let random: RandomParameters
        let shapes: [String: [Int]]
        let from: ALBEFConfiguration
        let to: ALBEFConfiguration

        func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
            guard let source = self.stored(name, shape: shape) else {
                return random.tensor(named: name, shape: shape, initial: initial)
            }
            return try stored.tensor(named: source, shape: shape, initial: initial)
        }

        /// Returns the name of the stored parameter from which a parameter starts; nil for none.
        ///
        /// Only what a decoder reads may have another width: questions instead of images.
        func stored(_ name: String, shape: [Int]) -> String? {
            let source = TaskStart.source(of: name, to.task, from: from)
            guard let found = shapes[source] else { return nil }
            return found == shape || name == source ? source : nil
        }
    }
}

extension String {
    /// The text after a prefix; nil if it does not start with it.
    fileprivate func dropping(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
