// Operators over many tensors in one call: what an optimizer or an average does to every parameter.

extension Sequence<Tensor> {
    /// The Euclidean length of all elements of all tensors together, a scalar.
    package func totalNorm() -> Tensor? {
        let tensors = Array(self)
        guard !tensors.isEmpty else { return nil }
        let norms = Many.norm.tensors([.tensors(tensors), .double(2)], room: tensors.count)
        return Tensor.vectorNorm(.tensor(Tensor.stacked(norms)), .double(2))
    }

    /// Multiplies every element of every tensor by a number or a scalar tensor, in place.
    package func scaleInPlace(_ factor: Tensor) {
        let tensors = Array(self)
        guard !tensors.isEmpty else { return }
        Many.scale.outputs([.tensors(tensors), .tensor(factor)])
    }

    /// Moves every tensor by `weight` of its distance towards its counterpart, in place.
    package func moveInPlace(towards others: [Tensor], weight: Double) {
        let tensors = Array(self)
        guard !tensors.isEmpty else { return }
        Many.lerp.outputs([.tensors(tensors), .tensors(others), .double(weight)])
    }
}

extension Tensor {
    fileprivate static let vectorNorm = Operator.known("aten::linalg_vector_norm")
}

private enum Many {
    static let norm = Operator.known("aten::_foreach_norm", "Scalar")
    static let scale = Operator.known("aten::_foreach_mul_", "Tensor")
    static let lerp = Operator.known("aten::_foreach_lerp_", "Scalar")
}
