public import Torch

/// The projections g_v and g'_w into the space where images and texts are compared (equation 3-1).
public final class AlignmentHead: Sendable {
    /// `vision_proj`, `[…, D_v]` to `[…, E]`.
    public let visionProjection: Linear
    /// `text_proj`, `[…, D]` to `[…, E]`.
    public let textProjection: Linear

    init(_ scope: ParameterScope, _ configuration: ALBEFConfiguration) throws {
        visionProjection = try Linear(
            scope, "vision_proj", inputs: configuration.vision.width,
            outputs: configuration.embeddingWidth)
        textProjection = try Linear(
            scope, "text_proj", inputs: configuration.text.width,
            outputs: configuration.embeddingWidth)
    }

    /// Unit-length features `[B, E]` of image tokens `[B, P + 1, D_v]`, from the class token.
    public func imageFeatures(_ tokens: Tensor) -> Tensor {
        visionProjection(tokens[.all, 0]).normalized()
    }

    /// Unit-length features `[B, E]` of text states `[B, L, D]`, from `[CLS]`.
    public func textFeatures(_ states: Tensor) -> Tensor {
        textProjection(states[.all, 0]).normalized()
    }
}
