/// An affine map of the last dimension: `[…, I]` to `[…, O]`.
public final class Linear: Sendable {
    /// Weight `[O, I]`.
    public let weight: Parameter
    /// Bias `[O]`.
    public let bias: Parameter

    /// Takes `name.weight` and `name.bias` from a scope.
    ///
    /// - Parameter width: width of the model, which decides how large a fresh weight is; nil: the
    ///   number of inputs.
    /// - Throws: an error that names a missing or misshapen parameter.
    public init(
        _ scope: ParameterScope, _ name: String, inputs: Int, outputs: Int, width: Int? = nil
    ) throws {
        weight = try scope.parameter(
            "\(name).weight", [outputs, inputs], .truncatedNormal(width: width ?? inputs))
        bias = try scope.parameter("\(name).bias", [outputs], .zeros)
    }

    /// Applies the map.
    public func callAsFunction(_ x: Tensor) -> Tensor { x.linear(weight.value, bias.value) }
}

/// Layer normalisation over the last dimension, `[…, D]`.
public final class LayerNorm: Sendable {
    /// Scale `[D]`.
    public let weight: Parameter
    /// Shift `[D]`.
    public let bias: Parameter
    private let epsilon: Double

    /// Takes `name.weight` and `name.bias` from a scope.
    ///
    /// - Throws: an error that names a missing or misshapen parameter.
    public init(_ scope: ParameterScope, _ name: String, width: Int, epsilon: Double) throws {
        weight = try scope.parameter("\(name).weight", [width], .ones)
        bias = try scope.parameter("\(name).bias", [width], .zeros)
        self.epsilon = epsilon
    }

    /// Normalises.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        x.layerNorm(weight.value, bias.value, epsilon: epsilon)
    }
}

/// A table of vectors: indices `[…]` to `[…, D]`.
public final class Embedding: Sendable {
    /// The table `[V, D]`.
    public let weight: Parameter
    private let padding: Int?

    /// Takes `name.weight` from a scope.
    ///
    /// - Parameter padding: the index of a row that looking up does not train; nil for none.
    /// - Throws: an error that names a missing or misshapen parameter.
    public init(
        _ scope: ParameterScope, _ name: String, count: Int, width: Int, padding: Int? = nil
    ) throws {
        weight = try scope.parameter("\(name).weight", [count, width], .normal(0.02))
        self.padding = padding
    }

    /// Looks the indices up.
    public func callAsFunction(_ indices: Tensor) -> Tensor {
        weight.value.embedded(indices, padding: padding)
    }
}
