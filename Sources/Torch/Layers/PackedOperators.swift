/// oneDNN's layers, whose weights lie in the order in which the processor multiplies them, and
/// which apply an activation in the same pass.
///
/// They are operators of libtorch on x86 processors. They record no gradients.
struct PackedOperators {
    /// The operators; nil in a libtorch without oneDNN.
    static let shared = PackedOperators()

    /// The number of rows for which a matrix is arranged.
    ///
    /// Any number of rows can be multiplied, and 64 cost neither 12 rows nor 5,000 more than their
    /// own number did.
    private static let rows = 64

    private let packMatrix: Operator
    private let product: Operator
    private let packKernels: Operator
    private let convolution: Operator
    private let addingConvolution: Operator

    private init?() {
        guard let packMatrix = try? Operator("mkldnn::_reorder_linear_weight"),
            let product = try? Operator("mkldnn::_linear_pointwise"),
            let packKernels = try? Operator("mkldnn::_reorder_convolution_weight"),
            let convolution = try? Operator("mkldnn::_convolution_pointwise"),
            let addingConvolution = try? Operator(
                "mkldnn::_convolution_pointwise", overload: "binary")
        else { return nil }
        (self.packMatrix, self.product) = (packMatrix, product)
        (self.packKernels, self.convolution) = (packKernels, convolution)
        self.addingConvolution = addingConvolution
    }

    /// Arranges a weight `[O, I]`.
    func packed(_ weight: Tensor) -> Tensor { packMatrix(.tensor(weight), .int(Self.rows)) }

    /// Arranges kernels for the convolution of one image.
    ///
    /// - Parameters:
    ///   - kernels: `[O, I / G, k, k]`.
    ///   - window: how the kernels move.
    ///   - shape: the image's shape, `[1, I, H, W]`.
    func packed(_ kernels: Tensor, _ window: ConvolutionWindow, for shape: [Int]) -> Tensor {
        packKernels(
            .tensor(kernels), .ints([window.padding.rows, window.padding.columns]),
            .ints([window.stride, window.stride]), .ints([1, 1]), .int(window.groups),
            .ints(shape))
    }

    /// Maps `[…, I]` to `[…, O]` by a packed weight and a bias `[O]`.
    func linear(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ activation: LinearActivation?
    ) -> Tensor {
        let (name, algorithm) =
            switch activation {
            case nil: ("none", "")
            case .gelu: ("gelu", "none")
            case .tanhGELU: ("gelu", "tanh")
            }
        return product(
            .tensor(x), .tensor(weight), .optional(bias), .string(name), .doubles([]),
            .string(algorithm))
    }

    /// Convolves `[B, I, H, W]` by kernels, packed or not, adds a bias `[O]`, and applies a
    /// function.
    func convolved(
        _ x: Tensor, _ kernels: Tensor, _ bias: Tensor, _ window: ConvolutionWindow,
        _ ending: ConvolutionEnding
    ) -> Tensor {
        let place: [Argument] = [
            .ints([window.padding.rows, window.padding.columns]),
            .ints([window.stride, window.stride]), .ints([1, 1]), .int(window.groups),
        ]
        func single(_ name: String, _ numbers: [Double] = []) -> [Tensor] {
            convolution.tensors(
                [.tensor(x), .tensor(kernels), .tensor(bias)] + place
                    + [.string(name), .doubles(numbers), .string("")])
        }
        let results =
            switch ending {
            case .none: single("none")
            case .relu6: single("hardtanh", [0, 6])
            case .silu: single("swish")
            case .adding(let other):
                addingConvolution.tensors(
                    [.tensor(x), .tensor(other), .tensor(kernels), .tensor(bias)] + place
                        + [.string("add"), .none, .none, .doubles([]), .none])
            }
        guard let result = results.first else {
            preconditionFailure("a convolution returned no tensor")
        }
        return result
    }
}
