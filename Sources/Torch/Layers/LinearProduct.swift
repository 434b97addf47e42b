import Synchronization

/// The matrix product of a linear layer in one of two number formats.
///
/// In another format than single precision, the parameters are converted when they are first needed,
/// so that a search pays only for the layers that it runs. They must not change afterwards.
package final class LinearProduct: Sendable {
    private let weight: Parameter
    private let bias: Parameter?
    private let type: ComputeType
    private let plain = Mutex<Tensor?>(nil)
    private let packed = Mutex<(weight: Tensor, bias: Tensor?)?>(nil)

    /// Creates a product.
    ///
    /// - Parameters:
    ///   - weight: O rows of I numbers in any shape `[O, …]`.
    ///   - bias: one number per row, `[O]`; nil adds nothing.
    ///   - type: the type of the factors and of the result.
    package init(_ weight: Parameter, _ bias: Parameter?, _ type: ComputeType) {
        (self.weight, self.bias, self.type) = (weight, bias, type)
    }

    /// The weight as a matrix, `[O, I]`.
    private var matrix: Tensor {
        let value = weight.value
        return value.rank == 2 ? value : value.flattened(from: 1)
    }

    /// The weight `[O, I]` in the type of the factors, for products of other forms.
    package var factor: Tensor {
        type == .float32 ? matrix : plain.stored { matrix.to(type.dtype) }
    }

    /// Maps `[…, I]` to `[…, O]` and applies an activation.
    ///
    /// An input that records gradients is multiplied in single precision.
    package func callAsFunction(_ x: Tensor, _ activation: LinearActivation? = nil) -> Tensor {
        if type == .float32 || x.requiresGrad {
            let x = type == .float32 ? x : x.to(.float32)
            let sum = x.linear(matrix, bias?.value)
            return activation.map { $0(sum) } ?? sum
        }
        let x = x.to(type.dtype)
        guard x.device == .cpu, let operators = PackedOperators.shared else {
            let sum = x.linear(factor, bias?.value.to(type.dtype))
            return activation.map { $0(sum) } ?? sum
        }
        let (weight, bias) = packed.stored {
            (
                operators.pack(matrix.to(type.dtype)),
                self.bias?.value.to(type.dtype)
            )
        }
        return operators.linear(x, weight, bias, activation)
    }
}

extension Mutex {
    /// Returns the stored value, or makes and stores it.
    ///
    /// After a failure in ``recovering(_:)`` tensors have no elements, so they are not stored.
    fileprivate func stored<Stored: Sendable>(_ make: () -> Stored) -> Stored
    where Value == Stored? {
        withLock { value in
            if let value { return value }
            let made = make()
            if !TorchError.isPending { value = made }
            return made
        }
    }
}

/// oneDNN's linear layers, whose weights lie in the order in which the processor multiplies them.
///
/// They are operators of libtorch on x86 processors. Products of few rows, such as those of a query,
/// are about twice as fast as with weights that each call arranges anew.
private struct PackedOperators {
    /// The operators; nil in a libtorch without oneDNN, or on a processor that it does not serve.
    static let shared = PackedOperators()

    /// The number of rows for which weights are arranged; any number can be multiplied, and 64 cost
    /// neither 12 rows nor 5,000 more than their own number did.
    private static let rows = 64

    private let reorder: Operator
    private let apply: Operator

    private init?() {
        guard Libtorch.multipliesBFloat16,
            let reorder = try? Operator("mkldnn::_reorder_linear_weight"),
            let apply = try? Operator("mkldnn::_linear_pointwise")
        else { return nil }
        (self.reorder, self.apply) = (reorder, apply)
    }

    func pack(_ weight: Tensor) -> Tensor { reorder(.tensor(weight), .int(Self.rows)) }

    func linear(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ activation: LinearActivation?
    ) -> Tensor {
        let (name, algorithm) =
            switch activation {
            case nil: ("none", "")
            case .gelu: ("gelu", "none")
            case .tanhGELU: ("gelu", "tanh")
            }
        return apply(
            .tensor(x), .tensor(weight), .optional(bias), .string(name), .ints([]),
            .string(algorithm))
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
