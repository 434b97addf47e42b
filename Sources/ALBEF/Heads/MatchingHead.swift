public import Torch

/// The image–text matching (ITM) head, which decides whether a text belongs to an image.
public final class MatchingHead: Sendable {
    private let linear: Linear

    init(_ scope: ParameterScope, _ configuration: ALBEFConfiguration) throws {
        linear = try Linear(
            scope, "itm_head", inputs: configuration.text.width, outputs: 2, computeType: .float32)
    }

    /// Returns logits `[B, 2]` of (no match, match) from fused states `[B, L, D]`.
    public func callAsFunction(_ fused: Tensor) -> Tensor { linear(fused[.all, 0]) }
}
