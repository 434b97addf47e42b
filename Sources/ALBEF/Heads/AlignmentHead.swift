public import Torch

/// The projections g_v and g'_w into the space in which images and texts are compared (section
/// 3.2).
public final class AlignmentHead: Sendable {
    /// `vision_proj`, `[…, D_v]` to `[…, E]`.
    public let visionProjection: FeatureProjection
    /// `text_proj`, `[…, D]` to `[…, E]`.
    public let textProjection: FeatureProjection

    init(_ scope: ParameterScope, _ configuration: ALBEFConfiguration) throws {
        visionProjection = try FeatureProjection(
            scope, "vision_proj", configuration.vision.projection,
            inputs: configuration.vision.width, outputs: configuration.embeddingWidth)
        textProjection = try FeatureProjection(
            scope, "text_proj", configuration.text.projection, inputs: configuration.text.width,
            outputs: configuration.embeddingWidth)
    }

    /// Returns unit-length features `[B, E]` of images from their pooled states `[B, D_v]`.
    public func imageFeatures(_ states: Tensor) -> Tensor {
        visionProjection(states).normalized()
    }

    /// Returns unit-length features `[B, E]` of texts from their pooled states `[B, D]`.
    public func textFeatures(_ states: Tensor) -> Tensor { textProjection(states).normalized() }
}

/// The projection of one tower, in the form of its configuration.
public struct FeatureProjection: Sendable {
    private let weight: Parameter?
    private let bias: Parameter?

    init(
        _ scope: ParameterScope, _ name: String, _ form: Projection, inputs: Int, outputs: Int
    ) throws {
        weight =
            form == .none
            ? nil
            : try scope.parameter(
                "\(name).weight", [outputs, inputs], .truncatedNormal(width: inputs))
        bias = form == .linear ? try scope.parameter("\(name).bias", [outputs], .zeros) : nil
    }

    /// Projects states `[…, D]` to `[…, E]`.
    public func callAsFunction(_ states: Tensor) -> Tensor {
        weight.map { states.linear($0.value, bias?.value) } ?? states
    }
}
