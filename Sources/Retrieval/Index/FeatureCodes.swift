import Torch

/// Features in 8 bits, a quarter of the bytes that a scan has to read, with what rounding cost.
///
/// A feature x is `scale · code + error`, and the error's length is kept: by it a scan knows how far
/// from the exact cosine it can be, and leaves out nothing that could be among the best.
enum FeatureCodes {
    /// Codes `[N, E]`, scales `[N]` and lengths of errors `[N]`.
    struct Codes {
        let values, scales, errors: Tensor
    }

    /// The codes of features `[N, E]`.
    static func make(_ features: Tensor) -> Codes {
        let scales = features.abs().largest(1).clamped(1e-12, .infinity) / 127
        let units = scales.unsqueezed(1)
        let rounded = (features / units).rounded()
        let difference = features - rounded * units
        let errors = (difference * difference).sum(1).sqrt()
        return Codes(values: rounded.to(.int8), scales: scales, errors: errors)
    }
}
