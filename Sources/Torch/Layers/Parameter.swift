public import OrderedCollections
import Synchronization

/// A learned tensor of a layer, which an optimizer can update.
public final class Parameter: Sendable {
    /// The name in a checkpoint of the original implementation.
    public let name: String
    private let storage: Mutex<Tensor>

    /// Creates a parameter.
    public init(name: String, value: Tensor) {
        self.name = name
        storage = Mutex(value)
    }

    /// The current value; setting it after a failure in ``recovering(_:)`` has no effect.
    public var value: Tensor {
        get { storage.withLock { $0 } }
        set {
            guard !TorchError.isPending else { return }
            storage.withLock { $0 = newValue }
        }
    }
}

/// The distribution of a parameter's first value in a new model.
public enum Initializer: Sendable, Hashable {
    /// Zeros, for biases.
    case zeros
    /// Ones, for the weights of layer normalisation.
    case ones
    /// A single repeated value.
    case constant(Double)
    /// A normal distribution with this standard deviation.
    case normal(Double)
    /// A normal distribution with this standard deviation, limited to the range from -2 to 2.
    ///
    /// timm initialises a ViT in the same way.
    case truncatedNormal(Double)

    /// Returns a normal distribution whose deviation suits the width of the model.
    ///
    /// The deviation is 0.02 at width 768, as in BERT and timm, and grows in narrower models by the
    /// square root of 768 / `width`. Sums over the width then have the same spread at every width.
    /// With 0.02 at width 128, attention starts out nearly uniform and stays so for hundreds of
    /// steps.
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

/// A source of a model's parameters, such as a checkpoint.
public protocol ParameterSource {
    /// Returns the first value of a parameter.
    ///
    /// - Parameters:
    ///   - name: the parameter's name in a checkpoint.
    ///   - shape: the shape that the layer needs.
    ///   - initial: the distribution for a source that draws new values.
    /// - Throws: an error that names the parameter if it is missing or has another shape.
    func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor
}

/// New parameters, which are drawn in the order in which the layers request them.
public struct RandomParameters: ParameterSource {
    private let generator: Generator

    /// Creates a source that draws from a generator.
    public init(generator: Generator) { self.generator = generator }

    /// Draws a parameter.
    public func tensor(named name: String, shape: [Int], initial: Initializer) -> Tensor {
        initial.tensor(shape, generator: generator)
    }
}

/// A registry that creates the parameters of a model and returns each of them by name.
public final class ParameterScope {
    private let source: any ParameterSource
    private let device: Device
    /// The type in which the layers of this scope multiply.
    public let computeType: ComputeType
    /// Whether the parameters never change, so that layers may keep them in other forms.
    package let isFixed: Bool
    /// The parameters so far, by full name, in the order in which the layers requested them.
    public private(set) var parameters: OrderedDictionary<String, Parameter> = [:]

    /// Creates the scope of a whole model.
    ///
    /// - Parameters:
    ///   - source: the source of the values.
    ///   - device: the device of the parameters; the CPU by default.
    ///   - computeType: the type in which the layers of a model that is only used multiply. Its
    ///     parameters must not change after the first use of a layer. nil, the default, for a model
    ///     that may be trained, which multiplies in single precision.
    public init(
        source: any ParameterSource, device: Device = .cpu, computeType: ComputeType? = nil
    ) {
        self.source = source
        self.device = device
        self.computeType = computeType ?? .float32
        isFixed = computeType != nil
    }

    /// Returns the parameter of a name.
    ///
    /// The first request reads the value from the source. Later requests return the same parameter.
    ///
    /// - Throws: an error of the source that names the parameter.
    public func parameter(
        _ name: String, _ shape: [Int], _ initial: Initializer
    ) throws -> Parameter {
        if let known = parameters[name] { return known }
        let value = try source.tensor(named: name, shape: shape, initial: initial)
        precondition(
            value.shape == shape, "\(name): the source returned \(value.shape), not \(shape)")
        let parameter = Parameter(name: name, value: value.to(device))
        parameters[name] = parameter
        return parameter
    }
}
