extension Tensor {
    /// Returns the sum of all elements, as a scalar.
    public func sum() -> Tensor { Ops.sum(.tensor(self)) }
    /// Returns the sums along some dimensions.
    ///
    /// - Parameter keepingDimensions: whether these dimensions stay, with size 1; false by default.
    public func sum(_ dimensions: Int..., keepingDimensions: Bool = false) -> Tensor {
        Ops.sumAlong(.tensor(self), .ints(dimensions), .bool(keepingDimensions))
    }
    /// Returns the mean of all elements, as a scalar.
    public func mean() -> Tensor { Ops.mean(.tensor(self)) }
    /// Returns the means along some dimensions.
    ///
    /// - Parameter keepingDimensions: whether these dimensions stay, with size 1; false by default.
    public func mean(_ dimensions: Int..., keepingDimensions: Bool = false) -> Tensor {
        Ops.meanAlong(.tensor(self), .ints(dimensions), .bool(keepingDimensions))
    }
    /// Returns the largest element, as a scalar.
    public func max() -> Tensor { Ops.max(.tensor(self)) }
    /// Returns the smallest element, as a scalar.
    public func min() -> Tensor { Ops.min(.tensor(self)) }
    /// Returns the largest elements along a dimension, which is removed.
    public func largest(_ dimension: Int) -> Tensor {
        Ops.amax(.tensor(self), .ints([dimension]), .bool(false))
    }

    /// Returns the indices of the largest elements along a dimension, which is removed.
    public func argmax(_ dimension: Int) -> Tensor {
        Ops.argmax(.tensor(self), .int(dimension), .bool(false))
    }

    /// Returns the `count` largest elements along the last dimension, largest first, and their
    /// indices.
    ///
    /// - Returns: two tensors `[…, count]`.
    public func topK(_ count: Int) -> (values: Tensor, indices: Tensor) {
        let results = Ops.topk.tensors([
            .tensor(self), .int(count), .int(-1), .bool(true), .bool(true),
        ])
        return (results[0], results[1])
    }

    private enum Ops {
        static let sum = Operator.known("aten::sum")
        static let sumAlong = Operator.known("aten::sum", "dim_IntList")
        static let mean = Operator.known("aten::mean")
        static let meanAlong = Operator.known("aten::mean", "dim")
        static let max = Operator.known("aten::max")
        static let amax = Operator.known("aten::amax")
        static let min = Operator.known("aten::min")
        static let argmax = Operator.known("aten::argmax")
        static let topk = Operator.known("aten::topk")
    }
}
