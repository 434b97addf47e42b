package import Torch

/// The input of an image encoder.
package enum ImageInput: Sendable {
    /// Normalised pixels `[B, 3, S, S]`.
    case pixels(Tensor)
    /// The output `[B, C, h, w]` of the stem and the first `stages` parts of the trunk, as returned
    /// by ``EfficientNet/stageMap(_:stages:)``.
    case stageMap(Tensor, stages: Int)

    /// The number of images B.
    package var count: Int {
        switch self {
        case .pixels(let tensor), .stageMap(let tensor, _): tensor.size(0)
        }
    }
}
