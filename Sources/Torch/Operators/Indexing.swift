/// A type whose values index one dimension in a tensor's subscript.
public protocol TensorIndex {
    /// The index as a tensor's subscript interprets it.
    var tensorIndex: TensorIndexKind { get }
}

/// The ways in which a subscript treats one dimension.
public enum TensorIndexKind: Sendable {
    /// Keeps one slice and removes the dimension; a negative index counts from the end.
    case at(Int)
    /// Keeps the slices from the first number to before the second, or to the end if it is nil.
    case range(Int, Int?)
    /// Keeps the slices at the indices in a one-dimensional tensor.
    ///
    /// Two of them in one subscript select a grid.
    case gather(Tensor)
    /// Adds a dimension of size 1.
    case newAxis

    var isGather: Bool { if case .gather = self { true } else { false } }
    var removesDimension: Bool { if case .at = self { true } else { false } }
    var addsDimension: Bool { if case .newAxis = self { true } else { false } }
}

extension Int: TensorIndex {
    /// The index of one slice.
    public var tensorIndex: TensorIndexKind { .at(self) }
}
extension Range: TensorIndex where Bound == Int {
    /// The slices of the range.
    public var tensorIndex: TensorIndexKind { .range(lowerBound, upperBound) }
}
extension ClosedRange: TensorIndex where Bound == Int {
    /// The slices of the range.
    public var tensorIndex: TensorIndexKind { .range(lowerBound, upperBound + 1) }
}
extension PartialRangeFrom: TensorIndex where Bound == Int {
    /// The slices from the bound to the end.
    public var tensorIndex: TensorIndexKind { .range(lowerBound, nil) }
}
extension PartialRangeUpTo: TensorIndex where Bound == Int {
    /// The slices before the bound.
    public var tensorIndex: TensorIndexKind { .range(0, upperBound) }
}
extension Tensor: TensorIndex {
    /// The slices at the indices in the tensor.
    public var tensorIndex: TensorIndexKind { .gather(self) }
}
extension TensorIndexKind: TensorIndex {
    /// The index itself.
    public var tensorIndex: TensorIndexKind { self }
}
extension TensorIndex where Self == TensorIndexKind {
    /// Every slice of a dimension.
    public static var all: TensorIndexKind { .range(0, nil) }
    /// A new dimension of size 1.
    public static var new: TensorIndexKind { .newAxis }
}

extension Tensor {
    /// Accesses part of a tensor along its first dimension: `x[0]`, `x[1..<4]`, `x[indices]`.
    ///
    /// Assigning changes only this tensor: memory that another tensor shares is copied first.
    public subscript(_ first: some TensorIndex) -> Tensor {
        get { view([first.tensorIndex]) }
        set { assign(newValue, at: [first.tensorIndex]) }
    }

    /// Accesses part of a tensor along its first two dimensions: `x[.all, 0]`.
    public subscript(_ first: some TensorIndex, _ second: some TensorIndex) -> Tensor {
        get { view([first.tensorIndex, second.tensorIndex]) }
        set { assign(newValue, at: [first.tensorIndex, second.tensorIndex]) }
    }

    /// Accesses part of a tensor along its first three dimensions: `x[.all, .new, ..<4]`.
    public subscript(
        _ first: some TensorIndex, _ second: some TensorIndex, _ third: some TensorIndex
    ) -> Tensor {
        get { view([first.tensorIndex, second.tensorIndex, third.tensorIndex]) }
        set {
            assign(newValue, at: [first.tensorIndex, second.tensorIndex, third.tensorIndex])
        }
    }

    private mutating func assign(_ value: Tensor, at indices: [TensorIndexKind]) {
        if !isKnownUniquelyReferenced(&handle) || handle.isShared || requiresGrad {
            let copy = clone()
            // After a failure in `recovering(_:)`, nothing changes.
            guard !TorchError.isPending else { return }
            self = copy
        }
        guard let gathered = indices.firstIndex(where: \.isGather) else {
            _ = Self.copy(.tensor(view(indices)), .tensor(value))
            return
        }
        // Selecting by a tensor copies, so assigning to the selection would not change `self`.
        guard case .gather(let positions) = indices[gathered] else { return }
        var others = indices
        others[gathered] = .range(0, nil)
        if others.contains(where: \.isGather) {
            // Copy the slices that the first tensor selects, change them by the other indices, and
            // write them back.
            let dimension = indices[..<gathered].count { !$0.addsDimension }
            var slices = selected(dimension, positions)
            slices.assign(value, at: others)
            _ = Self.indexCopy(
                .tensor(self), .int(dimension), .tensor(positions), .tensor(slices))
            return
        }
        let target = view(others)
        let dimension = indices[..<gathered].count { !$0.removesDimension }
        var shape = target.shape
        shape[dimension] = positions.count
        _ = Self.indexCopy(
            .tensor(target), .int(dimension), .tensor(positions), .tensor(value.expanded(shape)))
    }

    private func view(_ indices: [TensorIndexKind]) -> Tensor {
        var result = self
        var dimension = 0
        for index in indices {
            switch index {
            case .at(let position):
                result = Self.select(.tensor(result), .int(dimension), .int(position))
            case .range(let start, let end):
                let last = end ?? result.size(dimension)
                result = Self.slice(
                    .tensor(result), .int(dimension), .int(start), .int(last), .int(1))
                dimension += 1
            case .gather(let positions):
                result = result.selected(dimension, positions)
                dimension += 1
            case .newAxis:
                result = result.unsqueezed(dimension)
                dimension += 1
            }
        }
        return result
    }

    /// Replaces the elements in place, for parameters, which only their owner changes.
    package func copyInPlace(_ source: Tensor) {
        _ = Self.copy(.tensor(self), .tensor(source))
    }

    private static let select = Operator.known("aten::select", "int")
    private static let slice = Operator.known("aten::slice", "Tensor")
    private static let copy = Operator.known("aten::copy_")
    private static let indexCopy = Operator.known("aten::index_copy_")
}
