extension Tensor {
    /// Sum of all elements.
    public func sum() -> Tensor { Ops.sum(.tensor(self)) }
    /// Sum along dimensions.
    public func sum(_ dimensions: Int..., keepingDimensions: Bool = false) -> Tensor {
        Ops.sumAlong(.tensor(self), .ints(dimensions), .bool(keepingDimensions))
    }
    /// Mean of all elements.
    public func mean() -> Tensor { Ops.mean(.tensor(self)) }
    /// Mean along dimensions.
    public func mean(_ dimensions: Int..., keepingDimensions: Bool = false) -> Tensor {
        Ops.meanAlong(.tensor(self), .ints(dimensions), .bool(keepingDimensions))
    }
    /// The largest element.
    public func max() -> Tensor { Ops.max(.tensor(self)) }
    /// The smallest element.
    public func min() -> Tensor { Ops.min(.tensor(self)) }
    /// The largest elements along a dimension, which is removed.
    public func largest(_ dimension: Int) -> Tensor {
        Ops.amax(.tensor(self), .ints([dimension]), .bool(false))
    }

    /// The index of the largest element along a dimension.
    public func argmax(_ dimension: Int) -> Tensor {
        Ops.argmax(.tensor(self), .int(dimension), .bool(false))
    }

    /// The `count` largest elements along the last dimension and their indices, largest first.
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
