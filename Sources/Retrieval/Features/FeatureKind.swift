import ALBEF

/// The vectors of images and texts that can be exported.
public enum FeatureKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// The unit-length features by which images and texts are compared, `[E]`.
    case aligned
    /// The state of an image before its projection, `[D_v]`: `[CLS]`, or what the model pools.
    case image
    /// All tokens of an image, `[P + 1, D_v]`.
    case tokens
    /// The state of `[CLS]` after the fusion encoder has read an image and a text, `[D]`.
    case fused
}

extension SearchModel {
    /// Returns the shape of the vector of one image, text or pair.
    ///
    /// With two models, ``FeatureKind/aligned`` is of the model that recalls, and all other kinds are
    /// of the model that re-ranks.
    public func shape(of kind: FeatureKind) -> [Int] {
        let vision = model.configuration.vision
        return switch kind {
        case .aligned: [featureModel.model.configuration.embeddingWidth]
        case .image: [vision.width]
        case .tokens: [vision.tokenCount, vision.width]
        case .fused: [model.configuration.text.width]
        }
    }
}
