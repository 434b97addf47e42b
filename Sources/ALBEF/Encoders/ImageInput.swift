package import Torch

/// Images as an image encoder takes them.
package enum ImageInput: Sendable {
    /// Normalised pixels `[B, 3, S, S]`.
    case pixels(Tensor)
    /// What the stem and the first `stages` parts of the trunk made of the pixels, `[B, C, h, w]`,
    /// as ``EfficientNet/stageMap(_:stages:)`` gives it.
    case stageMap(Tensor, stages: Int)

    /// Number of images B.
    package var count: Int {
        switch self {
        case .pixels(let tensor), .stageMap(let tensor, _): tensor.size(0)
        }
    }
}
