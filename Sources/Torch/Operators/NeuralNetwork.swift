extension Tensor {
    /// Returns `self · weightᵀ + bias`.
    ///
    /// A tensor `[…, I]` and a weight `[O, I]` result in `[…, O]`; the bias is `[O]`.
    public func linear(_ weight: Tensor, _ bias: Tensor?) -> Tensor {
        Ops.linear(.tensor(self), .tensor(weight), .optional(bias))
    }

    /// Normalises the last dimension, `[…, D]`, and applies a weight and a bias `[D]`
    /// (Ba et al., 2016).
    ///
    /// - Parameter epsilon: the number that is added to the variance.
    public func layerNorm(_ weight: Tensor, _ bias: Tensor, epsilon: Double) -> Tensor {
        Ops.layerNorm(
            .tensor(self), .ints(weight.shape), .tensor(weight), .tensor(bias), .double(epsilon),
            .bool(false))
    }

    /// Looks up rows of this table, `[V, D]`: indices `[…]` result in `[…, D]`.
    ///
    /// - Parameter padding: the index of a row that receives no gradient; nil if every row does.
    public func embedded(_ indices: Tensor, padding: Int? = nil) -> Tensor {
        Ops.embedding(.tensor(self), .tensor(indices), .int(padding ?? -1))
    }

    /// Returns Softmax(Q Kᵀ / √d + mask) V (Vaswani et al., 2017, equation 1).
    ///
    /// - Parameters:
    ///   - query: Q, `[B, H, L_q, d]`.
    ///   - key: K, `[B, H, L_k, d]`.
    ///   - value: V, `[B, H, L_k, d_v]`.
    ///   - mask: the numbers to add to the scores, broadcast to `[B, H, L_q, L_k]`; nil adds none.
    ///   - dropout: the probability with which an attention weight is dropped; 0 by default.
    ///   - scale: the factor of Q Kᵀ; nil, the default, for 1 / √d.
    /// - Returns: `[B, H, L_q, d_v]`.
    public static func attention(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil, dropout: Double = 0,
        scale: Double? = nil
    ) -> Tensor {
        Ops.attention(
            .tensor(query), .tensor(key), .tensor(value), .optional(mask), .double(dropout),
            .bool(false), scale.map(Argument.double) ?? .none)
    }

    /// Returns the mean cross-entropy of logits `[N, C]` with class indices `[N]`.
    ///
    /// - Parameters:
    ///   - labels: the class index of each row.
    ///   - ignoring: the index of rows that the mean leaves out; -100 by default.
    public func crossEntropy(_ labels: Tensor, ignoring: Int = -100) -> Tensor {
        Ops.crossEntropy(.tensor(self), .tensor(labels), .none, .int(1), .int(ignoring))
    }

    /// Convolves `[B, I, H, W]` with a weight `[O, I / G, k, k]`.
    ///
    /// - Parameters:
    ///   - weight: the kernels, `[O, I / G, k, k]`.
    ///   - bias: one number per output channel, `[O]`; nil adds nothing.
    ///   - stride: the distance of neighbouring windows in pixels; 1 by default.
    ///   - padding: the rows of zeros above and below and the columns of zeros left and right; none
    ///     by default.
    ///   - groups: the number of groups, G, into which the channels are divided; 1 by default.
    /// - Returns: `[B, O, H', W']`, with H' = ⌊(H + 2 · rows - k) / stride⌋ + 1 and W' likewise.
    public func convolved(
        _ weight: Tensor, _ bias: Tensor?, stride: Int = 1,
        padding: (rows: Int, columns: Int) = (0, 0), groups: Int = 1
    ) -> Tensor {
        Ops.convolution(
            .tensor(self), .tensor(weight), .optional(bias), .ints([stride, stride]),
            .ints([padding.rows, padding.columns]), .ints([1, 1]), .int(groups))
    }

    /// Adds zeros around the last two dimensions.
    ///
    /// A negative number removes rows or columns instead.
    public func padded(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0) -> Tensor {
        Ops.pad(.tensor(self), .ints([left, right, top, bottom]), .double(0))
    }

    /// Averages each cell of a grid: `[B, C, H, W]` becomes `[B, C, rows, columns]`.
    ///
    /// If the grid does not divide the size, neighbouring cells overlap.
    public func averagePooled(rows: Int, columns: Int) -> Tensor {
        Ops.averagePool(.tensor(self), .ints([rows, columns]))
    }

    /// Returns the same tensor `[B, C, H, W]` with the channels of each pixel next to each other in
    /// memory.
    public func channelsLast() -> Tensor {
        Ops.contiguous(.tensor(self), .int(Self.channelsLastFormat))
    }

    /// `c10::MemoryFormat::ChannelsLast`.
    private static let channelsLastFormat = 2

    /// Returns min(max(x, 0), 6) of each element x.
    public func relu6() -> Tensor { Ops.relu6(.tensor(self)) }

    /// Returns x · σ(x) of each element x, also called Swish.
    public func silu() -> Tensor { Ops.silu(.tensor(self)) }

    /// Applies ``relu6()`` in place.
    ///
    /// Call this only on the result of an operator that nothing else holds. Maps with many channels
    /// do not fit into the cache, so allocating a new one costs more than the arithmetic.
    package func relu6InPlace() -> Tensor { Ops.relu6InPlace(.tensor(self)) }

    /// Applies ``silu()`` in place.
    ///
    /// Call this only on the result of an operator that nothing else holds.
    package func siluInPlace() -> Tensor { Ops.siluInPlace(.tensor(self)) }

    /// Zeroes each element with a probability and scales the others to keep the expected value
    /// (Srivastava et al., 2014).
    ///
    /// The probability is rounded to a multiple of 2^-16, because four elements share one 64-bit
    /// random number. Drawing the numbers is what dropout costs.
    package func dropped(_ probability: Double, generator: Generator) -> Tensor {
        let steps = (probability * 65_536).rounded()
        let numbers = Ops.random(
            .tensor(
                Ops.empty(
                    .ints([(count + 3) / 4]), .dtype(.int64), .none, .device(device), .none,
                    .none)), .int(.min), .none, .generator(generator))
        let shorts = Ops.viewAs(.tensor(numbers), .dtype(.int16)).narrowed(
            0, from: 0, length: count)
        let kept = Ops.greaterOrEqual(.tensor(shorts), .double(steps - 32_768))
        let scale = kept.reshaped(shape).to(dtype)
        return self * Ops.scaleInPlace(.tensor(scale), .double(1 / (1 - steps / 65_536)))
    }

    private enum Ops {
        static let empty = Operator.known("aten::empty", "memory_format")
        static let random = Operator.known("aten::random_", "from")
        static let viewAs = Operator.known("aten::view", "dtype")
        static let greaterOrEqual = Operator.known("aten::ge", "Scalar")
        static let scaleInPlace = Operator.known("aten::mul_", "Scalar")
        static let convolution = Operator.known("aten::conv2d")
        static let pad = Operator.known("aten::constant_pad_nd")
        static let averagePool = Operator.known("aten::adaptive_avg_pool2d")
        static let contiguous = Operator.known("aten::contiguous")
        static let relu6 = Operator.known("aten::relu6")
        static let silu = Operator.known("aten::silu")
        static let relu6InPlace = Operator.known("aten::relu6_")
        static let siluInPlace = Operator.known("aten::silu_")
        static let linear = Operator.known("aten::linear")
        static let layerNorm = Operator.known("aten::layer_norm")
        static let embedding = Operator.known("aten::embedding")
        static let attention = Operator.known("aten::scaled_dot_product_attention")
        static let crossEntropy = Operator.known("aten::cross_entropy_loss")
    }
}
