// Operators that handle many tensors in one call, for work on every parameter of a model.

extension Sequence<Tensor> {
    /// Returns the Euclidean norm over the elements of all tensors, as a scalar.
    ///
    /// - Returns: nil if the sequence is empty.
    package func totalNorm() -> Tensor? {
        let tensors = Array(self)
        guard !tensors.isEmpty else { return nil }
        let norms = Many.norm.tensors([.tensors(tensors), .double(2)], room: tensors.count)
        return Tensor.vectorNorm(.tensor(Tensor.stacked(norms)), .double(2))
    }

    /// Multiplies every element of every tensor by a scalar tensor, in place.
    package func scaleInPlace(_ factor: Tensor) {
        let tensors = Array(self)
        guard !tensors.isEmpty else { return }
        Many.scale.outputs([.tensors(tensors), .tensor(factor)])
    }

    /// Replaces each tensor by `self + weight * (other - self)`, in place.
    ///
    /// - Parameter others: one tensor per tensor of the sequence, in the same order.
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
