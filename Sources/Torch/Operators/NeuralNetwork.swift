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

    /// Convolution of `[N, C, H, W]` with a weight `[O, C, K, K]`, without padding.
    public func convolved(_ weight: Tensor, _ bias: Tensor, stride: Int) -> Tensor {
        Ops.conv2d(
            .tensor(self), .tensor(weight), .tensor(bias), .ints([stride, stride]), .ints([0, 0]),
            .ints([1, 1]), .int(1))
    }

    /// The rows of a table `[V, D]` that integer indices of any shape name.
    public func embedded(_ indices: Tensor) -> Tensor {
        Ops.embedding(.tensor(self), .tensor(indices))
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

    /// The elements, each kept with probability 1 - `probability` and then scaled to make up for
    /// the others (Srivastava et al., 2014).
    package func dropped(_ probability: Double, generator: Generator) -> Tensor {
        let kept = 1 - probability
        let mask = Ops.bernoulli(
            .tensor(Tensor.zeros(shape, dtype: dtype, device: device)), .double(kept),
            .generator(generator))
        return self * Ops.divInPlace(.tensor(mask), .double(kept))
    }

    private enum Ops {
        static let bernoulli = Operator.known("aten::bernoulli_", "float")
        static let divInPlace = Operator.known("aten::div_", "Scalar")
        static let linear = Operator.known("aten::linear")
        static let layerNorm = Operator.known("aten::layer_norm")
        static let conv2d = Operator.known("aten::conv2d")
        static let embedding = Operator.known("aten::embedding")
        static let attention = Operator.known("aten::scaled_dot_product_attention")
        static let crossEntropy = Operator.known("aten::cross_entropy_loss")
    }
}
