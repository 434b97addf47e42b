/// The rule by which a convolution pads its input with zeros.
///
/// Both rules result in ⌈size / stride⌉ outputs for odd kernels. At stride 1 they are equal. At
/// even strides and even sizes, the windows of one rule start a pixel after those of the other, so
/// weights that were trained with one rule give different results with the other.
public enum ConvolutionPadding: String, Sendable, Hashable, Codable, CaseIterable {
    /// TensorFlow's rule SAME: the fewest zeros that result in ⌈size / stride⌉ outputs.
    ///
    /// If their number is odd, one more is added after the input than before it.
    case same
    /// PyTorch's usual rule: (kernel - 1) / 2 zeros on each side for every size.
    case symmetric

    /// Returns the numbers of zeros before and after a row or column of `size` pixels.
    func zeros(_ size: Int, kernel: Int, stride: Int) -> (before: Int, after: Int) {
        switch self {
        case .symmetric: return ((kernel - 1) / 2, (kernel - 1) / 2)
        case .same:
            let outputs = (size + stride - 1) / stride
            let all = Swift.max((outputs - 1) * stride + kernel - size, 0)
            return (all / 2, all - all / 2)
        }
    }
}

/// A convolution with a bias, from `[B, I, H, W]` to `[B, O, ⌈H / s⌉, ⌈W / s⌉]`.
public final class Convolution: Sendable {
    /// The sizes of a convolution.
    public struct Shape: Sendable, Hashable {
        /// The number of input channels, I.
        public var inputs: Int
        /// The number of output channels, O.
        public var outputs: Int
        /// The side of the square window, k, in pixels; an odd number.
        public var kernel: Int
        /// The distance of neighbouring windows, s, in pixels.
        public var stride: Int
        /// Whether each channel is convolved by itself; ``outputs`` must then equal ``inputs``.
        public var isDepthwise: Bool

        /// Creates a shape, by default of a convolution that maps each pixel by itself.
        public init(
            inputs: Int, outputs: Int, kernel: Int = 1, stride: Int = 1, isDepthwise: Bool = false
        ) {
            self.inputs = inputs
            self.outputs = outputs
            self.kernel = kernel
            self.stride = stride
            self.isDepthwise = isDepthwise
        }

        /// The shape of the weight: `[O, I, k, k]`, or `[O, 1, k, k]` if it is depthwise.
        public var weight: [Int] { [outputs, isDepthwise ? 1 : inputs, kernel, kernel] }
    }

    /// The weight, of the shape ``Shape/weight``.
    public let weight: Parameter
    /// The bias, `[O]`.
    public let bias: Parameter
    /// Whether a backward pass computes gradients of its parameters.
    public var isTrained: Bool { weight.value.requiresGrad || bias.value.requiresGrad }
    private let shape: Shape
    private let padding: ConvolutionPadding
    private let type: ComputeType
    private let isFixed: Bool
    private let packed = StoredValue<PackedKernels>()

    /// Creates a convolution from the parameters `name.weight` and `name.bias`.
    ///
    /// - Parameters:
    ///   - scope: the source of the parameters.
    ///   - name: the layer's name in a checkpoint.
    ///   - shape: the numbers of channels, the kernel and the stride.
    ///   - padding: the rule for padding; symmetric by default.
    ///   - gain: the variance of the output divided by the mean square of the input, in a new
    ///     layer; 1 by default. 2 compensates for a preceding rectifier (He et al., 2015).
    /// - Throws: an error that names the parameter if it is missing or has another shape.
    public init(
        _ scope: ParameterScope, _ name: String, _ shape: Shape,
        padding: ConvolutionPadding = .symmetric, gain: Double = 1
    ) throws {
        let fanIn = shape.weight.dropFirst().reduce(1, *)
        weight = try scope.parameter(
            "\(name).weight", shape.weight, .normal((gain / Double(fanIn)).squareRoot()))
        bias = try scope.parameter("\(name).bias", [shape.outputs], .zeros)
        self.shape = shape
        self.padding = padding
        type = scope.computeType
        isFixed = scope.isFixed
    }

    /// Applies the convolution, and what follows it; the output has the memory layout of the input.
    ///
    /// The result has the layer's type of products; an input that records gradients is convolved in
    /// single precision. If the parameters never change, a single image takes one pass, by kernels
    /// that are arranged for the size of the last image.
    ///
    /// - Parameters:
    ///   - x: `[B, I, H, W]`.
    ///   - ending: what follows the convolution; by default nothing.
    public func callAsFunction(_ x: Tensor, _ ending: ConvolutionEnding = .none) -> Tensor {
        let window = ConvolutionWindow(shape, padding, x)
        let x = type == .float32 ? x : x.to(x.requiresGrad ? .float32 : type.dtype)
        guard isFixed, x.size(0) == 1, x.device == .cpu, x.dtype == type.dtype, !x.requiresGrad,
            let operators = PackedOperators.shared
        else {
            var (kernels, bias) = (window.widened(weight.value), bias.value)
            if type != .float32 { (kernels, bias) = (kernels.to(x.dtype), bias.to(x.dtype)) }
            return ending(
                x.convolved(
                    kernels, bias, stride: window.stride, padding: window.padding,
                    groups: window.groups))
        }
        let packed = packed.value(where: { $0.shape == x.shape }) {
            PackedKernels(
                shape: x.shape, bias: bias.value.to(type.dtype),
                kernels: operators.packed(
                    window.widened(weight.value).to(type.dtype).channelsLast(), window,
                    for: x.shape))
        }
        return operators.convolved(x, packed.kernels, packed.bias, window, ending)
    }
}

/// What follows a convolution in the same pass.
public enum ConvolutionEnding: Sendable {
    /// Nothing.
    case none
    /// min(max(x, 0), 6) of each element x.
    case relu6
    /// x · σ(x) of each element x.
    case silu
    /// The sum with a tensor of the result's shape.
    case adding(Tensor)

    /// Applies the ending to the fresh output of a convolution.
    fileprivate func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .none: x
        case .relu6: x.relu6InPlace()
        case .silu: x.siluInPlace()
        case .adding(let other): x + other
        }
    }
}

/// How kernels move over an input.
struct ConvolutionWindow {
    let stride: Int
    let groups: Int
    /// The zeros above and below, and left and right.
    let padding: (rows: Int, columns: Int)
    /// The zeros in front of the kernels' rows and columns.
    private let front: (rows: Int, columns: Int)

    /// Finds the window for an input `[B, I, H, W]`.
    ///
    /// libtorch pads opposite sides equally. If fewer zeros belong before the input than after it,
    /// the input is padded with the larger number on both sides, and the kernel gets zeros in front
    /// that cancel the surplus. The sums are the same, and this is several times as fast as copying
    /// a large map into a larger one.
    fileprivate init(_ shape: Convolution.Shape, _ padding: ConvolutionPadding, _ x: Tensor) {
        let rows = padding.zeros(x.size(2), kernel: shape.kernel, stride: shape.stride)
        let columns = padding.zeros(x.size(3), kernel: shape.kernel, stride: shape.stride)
        stride = shape.stride
        groups = shape.isDepthwise ? shape.inputs : 1
        self.padding = (rows.after, columns.after)
        front = (rows.after - rows.before, columns.after - columns.before)
    }

    /// Returns kernels `[O, I / G, k, k]` with the zeros in front of them.
    fileprivate func widened(_ kernels: Tensor) -> Tensor {
        front == (0, 0) ? kernels : kernels.padded(top: front.rows, left: front.columns)
    }
}

/// Kernels in the order of the processor's products, for one image.
private struct PackedKernels {
    /// The shape of the image, `[1, I, H, W]`.
    let shape: [Int]
    let bias: Tensor
    let kernels: Tensor
}
