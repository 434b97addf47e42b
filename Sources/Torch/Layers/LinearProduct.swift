import Synchronization

/// The matrix product of a linear layer.
///
/// If the parameters never change, the layer keeps them in the order in which the processor
/// multiplies them, and in the type of its products. It makes these copies when they are first
/// needed, so that a search pays only for the layers that it runs.
package final class LinearProduct: Sendable {
    /// The most rows for which single precision multiplies packed weights: one text, or one image of
    /// 256 pixels.
    ///
    /// A text of 12 tokens takes half the time; larger products gain nothing.
    private static let packedRows = 320

    private let weights: [Parameter]
    private let biases: [Parameter]
    private let type: ComputeType
    private let isFixed: Bool
    private let plain = StoredValue<Tensor>()
    private let packed = StoredValue<(weight: Tensor, bias: Tensor?)>()
    private let integer = StoredValue<IntegerProduct?>()

    /// Creates a product.
    ///
    /// - Parameters:
    ///   - weight: O rows of I numbers in any shape `[O, …]`.
    ///   - bias: one number per row, `[O]`; nil adds nothing.
    ///   - scope: decides whether the parameters are fixed.
    ///   - computeType: the type of the factors and of the result; nil for that of the scope.
    package init(
        _ weight: Parameter, _ bias: Parameter?, _ scope: ParameterScope,
        computeType: ComputeType? = nil
    ) {
        (weights, biases) = ([weight], bias.map { [$0] } ?? [])
        type = computeType ?? scope.computeType
        isFixed = scope.isFixed
    }

    /// Creates the product of layers of one scope that have the same input; its result has their
    /// results one after the other.
    init(joining layers: [Linear]) {
        weights = layers.map(\.weight)
        biases = layers.map(\.bias)
        type = layers.first?.product.type ?? .float32
        isFixed = layers.allSatisfy(\.product.isFixed)
    }

    /// The weight as a matrix, `[O, I]`.
    private var matrix: Tensor {
        if weights.count > 1 { return .concatenated(weights.map(\.value)) }
        let value = weights[0].value
        return value.rank == 2 ? value : value.flattened(from: 1)
    }

    private var bias: Tensor? {
        biases.count > 1 ? .concatenated(biases.map(\.value)) : biases.first?.value
    }

    /// The weight `[O, I]` in the type of the factors, for products of other forms.
    package var factor: Tensor {
        type.dtype == .float32 ? matrix : plain.value { matrix.to(type.dtype) }
    }

    /// Maps `[…, I]` to `[…, O]` and applies an activation.
    ///
    /// An input that records gradients is multiplied in single precision.
    package func callAsFunction(_ x: Tensor, _ activation: LinearActivation? = nil) -> Tensor {
        if x.requiresGrad, type != .float32 {
            return product(x.to(.float32), matrix, bias, activation)
        }
        let x = type == .float32 ? x : x.to(type.dtype)
        guard isPacked(x), let operators = PackedOperators.shared else {
            let bias = type.dtype == .float32 ? bias : bias?.to(type.dtype)
            return product(x, factor, bias, activation)
        }
        if type == .int8,
            let product = integer.value({ IntegerProduct(matrix, bias: self.bias) })
        {
            return product(x, activation)
        }
        let (weight, bias) = packed.value {
            (operators.packed(matrix.to(type.dtype)), self.bias?.to(type.dtype))
        }
        return operators.linear(x, weight, bias, activation)
    }

    /// Whether ``callAsFunction(_:_:)`` multiplies an input by packed weights.
    func isPacked(_ x: Tensor) -> Bool {
        guard isFixed, x.device == .cpu, !x.requiresGrad, PackedOperators.shared != nil else {
            return false
        }
        return switch type {
        case .bfloat16: Libtorch.multipliesBFloat16
        case .float32: x.dtype == .float32 && x.count <= Self.packedRows * x.size(-1)
        case .int8: IntegerProduct.isAvailable
        }
    }

    private func product(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ activation: LinearActivation?
    ) -> Tensor {
        let sum = x.linear(weight, bias)
        return activation.map { $0(sum) } ?? sum
    }
}

/// A function that a linear layer can apply to each number of its result in the same pass.
public enum LinearActivation: Sendable, Hashable {
    /// x Φ(x) by the error function (Hendrycks and Gimpel, 2016).
    case gelu
    /// x Φ(x) approximated by the hyperbolic tangent.
    case tanhGELU

    /// Applies the function to every element.
    func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .gelu: x.gelu()
        case .tanhGELU: x.gelu(isApproximate: true)
        }
    }
}
