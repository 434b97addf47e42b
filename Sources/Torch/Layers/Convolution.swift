/// Where a convolution's zeros go.
///
/// Both rules give ⌈size / stride⌉ outputs for odd kernels. At stride 1 they are the same; at even
/// strides and even sizes the windows of the one start a pixel after the other's, so weights
/// trained with one rule compute something else with the other.
public enum ConvolutionPadding: String, Sendable, Hashable, Codable, CaseIterable {
    /// TensorFlow's SAME: as few zeros as give ⌈size / stride⌉ outputs, the odd one at the end.
    case same
    /// PyTorch's habit: (kernel - 1) / 2 zeros on each side, whatever the size.
    case symmetric

    /// Zeros before and after a line of `size` elements.
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

/// A convolution with a bias: `[B, I, H, W]` to `[B, O, ⌈H / s⌉, ⌈W / s⌉]`.
public final class Convolution: Sendable {
    /// The sizes of a convolution.
    public struct Shape: Sendable, Hashable {
        /// Channels that come in (I).
        public var inputs: Int
        /// Channels that come out (O).
        public var outputs: Int
        /// Side of the square window (k), odd.
        public var kernel: Int
        /// Distance of neighbouring windows (s).
        public var stride: Int
        /// Whether each channel is convolved by itself; ``outputs`` is ``inputs`` then.
        public var isDepthwise: Bool

        /// Describes a convolution; by default a map of each pixel by itself.
        public init(
            inputs: Int, outputs: Int, kernel: Int = 1, stride: Int = 1, isDepthwise: Bool = false
        ) {
            self.inputs = inputs
            self.outputs = outputs
            self.kernel = kernel
            self.stride = stride
            self.isDepthwise = isDepthwise
        }

        /// The weight's shape, `[O, I, k, k]`, or `[O, 1, k, k]` for a depthwise one.
        public var weight: [Int] { [outputs, isDepthwise ? 1 : inputs, kernel, kernel] }
    }

    /// Weight, as ``Shape/weight`` gives its shape.
    public let weight: Parameter
    /// Bias `[O]`.
    public let bias: Parameter
    private let shape: Shape
    private let padding: ConvolutionPadding

    /// Takes `name.weight` and `name.bias` from a scope.
    ///
    /// - Parameter gain: the variance of the output over the mean square of the input in a fresh
    ///   layer; 2 makes up for a rectifier before it (He et al., 2015).
    /// - Throws: an error that names a missing or misshapen parameter.
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
    }

    /// Applies the convolution; the output lies in memory as the input does.
    ///
    /// libtorch pads opposite sides alike. Where fewer zeros are wanted before than after, the
    /// kernel gets zeros in front that meet the surplus: the same sums, and several times as fast
    /// as copying a large map into a larger one.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        let rows = padding.zeros(x.size(2), kernel: shape.kernel, stride: shape.stride)
        let columns = padding.zeros(x.size(3), kernel: shape.kernel, stride: shape.stride)
        var kernel = weight.value
        if rows.before != rows.after || columns.before != columns.after {
            kernel = kernel.padded(
                top: rows.after - rows.before, left: columns.after - columns.before)
        }
        return x.convolved(
            kernel, bias.value, stride: shape.stride, padding: (rows.after, columns.after),
            groups: shape.isDepthwise ? shape.inputs : 1)
    }
}
