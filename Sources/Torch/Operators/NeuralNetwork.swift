extension Tensor {
    /// `self · weightᵀ + bias`: `[…, I]` with a weight `[O, I]` gives `[…, O]`.
    public func linear(_ weight: Tensor, _ bias: Tensor?) -> Tensor {
        Ops.linear(.tensor(self), .tensor(weight), .optional(bias))
    }

    /// Layer normalisation over the last dimension (Ba et al., 2016).
    public func layerNorm(_ weight: Tensor, _ bias: Tensor, epsilon: Double) -> Tensor {
        Ops.layerNorm(
            .tensor(self), .ints(weight.shape), .tensor(weight), .tensor(bias), .double(epsilon),
            .bool(false))
    }

    /// The rows of a table `[V, D]` that integer indices of any shape name.
    ///
    /// - Parameter padding: a row that gets no gradient from being looked up; nil for none.
    public func embedded(_ indices: Tensor, padding: Int? = nil) -> Tensor {
        Ops.embedding(.tensor(self), .tensor(indices), .int(padding ?? -1))
    }

    /// Softmax(Q Kᵀ / √d + mask) V over `[B, H, L, d]` (Vaswani et al., 2017, equation 1).
    ///
    /// - Parameters:
    ///   - mask: added to the scores, broadcast to `[B, H, L_q, L_k]`; nil attends everywhere.
    ///   - dropout: probability with which attention weights are dropped; 0 in evaluation.
    public static func attention(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil, dropout: Double = 0
    ) -> Tensor {
        Ops.attention(
            .tensor(query), .tensor(key), .tensor(value), .optional(mask), .double(dropout),
            .bool(false), .none)
    }

    /// Cross-entropy of logits `[N, C]` against class indices `[N]`, averaged over the rows whose
    /// index is not `ignoring`.
    public func crossEntropy(_ labels: Tensor, ignoring: Int = -100) -> Tensor {
        Ops.crossEntropy(.tensor(self), .tensor(labels), .none, .int(1), .int(ignoring))
    }

    /// Convolution of `[B, I, H, W]` with a weight `[O, I / G, k, k]` in G groups: `[B, O, H', W']`.
    ///
    /// - Parameter padding: rows of zeros above and below, columns of zeros left and right.
    public func convolved(
        _ weight: Tensor, _ bias: Tensor?, stride: Int = 1,
        padding: (rows: Int, columns: Int) = (0, 0), groups: Int = 1
    ) -> Tensor {
        Ops.convolution(
            .tensor(self), .tensor(weight), .optional(bias), .ints([stride, stride]),
            .ints([padding.rows, padding.columns]), .ints([1, 1]), .int(groups))
    }

    /// Zeros around the last two dimensions.
    public func padded(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0) -> Tensor {
        Ops.pad(.tensor(self), .ints([left, right, top, bottom]), .double(0))
    }

    /// The means of a grid of `rows` by `columns` cells: `[B, C, H, W]` to `[B, C, rows, columns]`.
    ///
    /// Cells share rows and columns where the grid does not divide the size.
    public func averagePooled(rows: Int, columns: Int) -> Tensor {
        Ops.averagePool(.tensor(self), .ints([rows, columns]))
    }

    /// The same elements of `[B, C, H, W]`, those of one place beside each other in memory.
    public func channelsLast() -> Tensor {
        Ops.contiguous(.tensor(self), .int(Self.channelsLastFormat))
    }

    /// `c10::MemoryFormat::ChannelsLast`.
    private static let channelsLastFormat = 2

    /// min(max(x, 0), 6) of each element.
    public func relu6() -> Tensor { Ops.relu6(.tensor(self)) }

    /// x · σ(x) of each element, also called Swish.
    public func silu() -> Tensor { Ops.silu(.tensor(self)) }

    /// As ``relu6()``, in place: for what an operator has just made, which nothing else can see.
    ///
    /// Maps of many channels leave the cache before they are read again, and fresh memory for each
    /// costs more than the arithmetic.
    package func relu6InPlace() -> Tensor { Ops.relu6InPlace(.tensor(self)) }

    /// As ``silu()``, in place: for what an operator has just made, which nothing else can see.
    package func siluInPlace() -> Tensor { Ops.siluInPlace(.tensor(self)) }

    /// The elements, each kept with probability 1 - `probability` and then scaled to make up for
    /// the others (Srivastava et al., 2014).
    ///
    /// The probability is rounded to a multiple of 2^-16: four elements share one 64-bit number,
    /// which is what drawing costs.
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
