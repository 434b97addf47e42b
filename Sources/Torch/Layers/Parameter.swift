public import OrderedCollections
import Synchronization

/// A learned tensor of a layer, with a place that an optimizer can update.
public final class Parameter: Sendable {
    /// The name in a checkpoint, which is the original implementation's.
    public let name: String
    private let storage: Mutex<Tensor>

    /// Creates a parameter.
    public init(name: String, value: Tensor) {
        self.name = name
        storage = Mutex(value)
    }

    /// The current value; setting it does nothing in a ``recovering(_:)`` that has failed.
    public var value: Tensor {
        get { storage.withLock { $0 } }
        set {
            guard !TorchError.isPending else { return }
            storage.withLock { $0 = newValue }
        }
    }
}

/// How a parameter starts in a model that is not loaded.
public enum Initializer: Sendable, Hashable {
    /// All zeros: biases.
    case zeros
    /// All ones: the weights of LayerNorm.
    case ones
    /// One value.
    case constant(Double)
    /// Normal with this standard deviation.
    case normal(Double)
    /// Normal with this standard deviation, cut at ±2 (absolute), as timm initialises a ViT.
    case truncatedNormal(Double)

    /// Normal, as BERT and timm start matrices of width 768, with a deviation of 0.02; larger in
    /// narrower models, where fewer numbers are added up.
    ///
    /// Sums over the width spread alike then. With 0.02 in a model of width 128, attention starts
    /// out nearly uniform and stays so for hundreds of steps.
    public static func truncatedNormal(width: Int) -> Initializer {
        .truncatedNormal(0.02 * (768 / Double(width)).squareRoot())
    }

    func tensor(_ shape: [Int], generator: Generator) -> Tensor {
        switch self {
        case .zeros: return .zeros(shape)
        case .ones: return .ones(shape)
        case .constant(let value): return .full(shape, value)
        case .normal(let deviation): return Tensor.normal(shape, generator: generator) * deviation
        case .truncatedNormal(let deviation):
            return (Tensor.normal(shape, generator: generator) * deviation).clamped(-2, 2)
        }
    }
}

/// Where a model's parameters come from.
public protocol ParameterSource {
    /// The starting value of a parameter.
    ///
    /// - Throws: an error that names the parameter if it is missing or has another shape.
    func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor
}

/// Fresh parameters, drawn from a generator in the order in which the layers ask for them.
public struct RandomParameters: ParameterSource {
    private let generator: Generator

    /// Creates a source of random parameters.
    public init(generator: Generator) { self.generator = generator }

    /// Draws a parameter.
    public func tensor(named name: String, shape: [Int], initial: Initializer) -> Tensor {
        initial.tensor(shape, generator: generator)
    }
}

/// Hands layers their parameters by name, and remembers every one.
public final class ParameterScope {
    private let source: any ParameterSource
    private let device: Device
    /// The parameters handed out so far, by their full names.
    public private(set) var parameters: OrderedDictionary<String, Parameter> = [:]

    /// Creates the scope of a whole model.
    public init(source: any ParameterSource, device: Device = .cpu) {
        self.source = source
        self.device = device
    }

    /// The parameter of this name, taken from the source when it is first asked for.
    ///
    /// - Throws: an error of the source that names the parameter.
    public func parameter(
        _ name: String, _ shape: [Int], _ initial: Initializer
    ) throws -> Parameter {
        if let known = parameters[name] { return known }
        let value = try source.tensor(named: name, shape: shape, initial: initial)
        precondition(value.shape == shape, "\(name): \(value.shape) where \(shape) was asked for")
        let parameter = Parameter(name: name, value: value.to(device))
        parameters[name] = parameter
        return parameter
    }
}
