/// An affine map of the last dimension, from `[…, I]` to `[…, O]`.
public final class Linear: Sendable {
    /// The weight, `[O, I]`.
    public let weight: Parameter
    /// The bias, `[O]`.
    public let bias: Parameter
    let product: LinearProduct

    /// Creates a layer from the parameters `name.weight` and `name.bias`.
    ///
    /// - Parameters:
    ///   - scope: the source of the parameters.
    ///   - name: the layer's name in a checkpoint.
    ///   - inputs: the length of an input vector, I.
    ///   - outputs: the length of an output vector, O.
    ///   - width: the width of the model, which scales the weight of a new layer (see
    ///     ``Initializer/truncatedNormal(width:)``); nil stands for `inputs`.
    ///   - computeType: the type in which the layer multiplies; nil for that of the scope.
    /// - Throws: an error that names the parameter if it is missing or has another shape.
    public init(
        _ scope: ParameterScope, _ name: String, inputs: Int, outputs: Int, width: Int? = nil,
        computeType: ComputeType? = nil
    ) throws {
        weight = try scope.parameter(
            "\(name).weight", [outputs, inputs], .truncatedNormal(width: width ?? inputs))
        bias = try scope.parameter("\(name).bias", [outputs], .zeros)
        product = LinearProduct(weight, bias, scope, computeType: computeType)
    }

    /// Maps `[…, I]` to `[…, O]` and applies an activation; by default none.
    ///
    /// The result has the layer's type of products. An input that records gradients is multiplied in
    /// single precision.
    public func callAsFunction(_ x: Tensor, _ activation: LinearActivation? = nil) -> Tensor {
        product(x, activation)
    }

    /// The weight `[O, I]` in the layer's type of products.
    package var factor: Tensor { product.factor }
}

/// Linear maps of the same input, such as those to queries, keys and values.
///
/// If the parameters never change, they are one product, which starts the processor's threads once.
package final class JoinedLinear: Sendable {
    private let layers: [Linear]
    private let joined: LinearProduct

    /// Joins layers with the same number of inputs and of outputs.
    package init(_ layers: [Linear]) {
        self.layers = layers
        joined = LinearProduct(joining: layers)
    }

    /// Maps `[…, I]` to `[…, O]` by each layer.
    package func callAsFunction(_ x: Tensor) -> [Tensor] {
        joined.isPacked(x) ? joined(x).chunked(layers.count, -1) : layers.map { $0(x) }
    }
}

/// Layer normalisation over the last dimension, `[…, D]` (Ba et al., 2016).
public final class LayerNorm: Sendable {
    /// The scale, `[D]`.
    public let weight: Parameter
    /// The shift, `[D]`.
    public let bias: Parameter
    private let epsilon: Double

    /// Creates a layer from the parameters `name.weight` and `name.bias`.
    ///
    /// - Parameters:
    ///   - scope: the source of the parameters.
    ///   - name: the layer's name in a checkpoint.
    ///   - width: the size of the last dimension, D.
    ///   - epsilon: the number that is added to the variance.
    /// - Throws: an error that names the parameter if it is missing or has another shape.
    public init(_ scope: ParameterScope, _ name: String, width: Int, epsilon: Double) throws {
        weight = try scope.parameter("\(name).weight", [width], .ones)
        bias = try scope.parameter("\(name).bias", [width], .zeros)
        self.epsilon = epsilon
    }

    /// Normalises the last dimension of `[…, D]`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        x.layerNorm(weight.value, bias.value, epsilon: epsilon)
    }
}

/// A table of vectors, which maps indices `[…]` to vectors `[…, D]`.
public final class Embedding: Sendable {
    /// The table, `[V, D]`.
    public let weight: Parameter
    private let padding: Int?

    /// Creates a table from the parameter `name.weight`.
    ///
    /// - Parameters:
    ///   - scope: the source of the parameter.
    ///   - name: the layer's name in a checkpoint.
    ///   - count: the number of rows, V.
    ///   - width: the length of a row, D.
    ///   - padding: the index of a row that receives no gradient; nil if every row does.
    /// - Throws: an error that names the parameter if it is missing or has another shape.
    public init(
        _ scope: ParameterScope, _ name: String, count: Int, width: Int, padding: Int? = nil
    ) throws {
        weight = try scope.parameter("\(name).weight", [count, width], .normal(0.02))
        self.padding = padding
    }

    /// Looks up one row per index.
    public func callAsFunction(_ indices: Tensor) -> Tensor {
        weight.value.embedded(indices, padding: padding)
    }
}
