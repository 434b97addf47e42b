public import Torch

/// The classification head of visual entailment and NLVR2: two layers over the fused `[CLS]`
/// (section 5).
public final class ClassificationHead: Sendable {
    private let hidden: Linear
    private let output: Linear

    init(_ scope: ParameterScope, width: Int, classes: Int) throws {
        hidden = try Linear(
            scope, "cls_head.0", inputs: width, outputs: width, computeType: .float32)
        output = try Linear(
            scope, "cls_head.2", inputs: width, outputs: classes, computeType: .float32)
    }

    /// Returns logits `[B, C]` of the classes from fused states `[B, L, D]`.
    public func callAsFunction(_ fused: Tensor) -> Tensor {
        output(hidden(fused[.all, 0]).relu())
    }
}
