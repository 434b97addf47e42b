public import Torch

/// The head of text assignment, which decides whether a text belongs to the first image, to the
/// second one, or to neither (section 5).
///
/// It also has pretraining's image projection, by which similar images are chosen. Text assignment
/// does not train the projection.
public final class TextAssignmentHead: Sendable {
    /// `vision_proj`, `[…, D_v]` to `[…, E]`.
    public let visionProjection: FeatureProjection
    private let linear: Linear

    init(_ scope: ParameterScope, _ configuration: ALBEFConfiguration) throws {
        visionProjection = try FeatureProjection(
            scope, "vision_proj", configuration.vision.projection,
            inputs: configuration.vision.width, outputs: configuration.embeddingWidth)
        linear = try Linear(
            scope, "ta_head", inputs: configuration.text.width, outputs: 3, computeType: .float32)
    }

    /// Returns logits `[B, 3]` of (first, second, neither) from fused states `[B, L, D]`.
    public func callAsFunction(_ fused: Tensor) -> Tensor { linear(fused[.all, 0]) }
}
