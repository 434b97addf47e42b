import Torch

/// Features in 8 bits, which take a quarter of the bytes in a scan, with their rounding errors.
///
/// A feature x is `scale · code + error`, and the length of the error is stored. It bounds the
/// difference between a scan's cosine and the exact one, so a scan excludes no feature that could
/// be among the best.
enum FeatureCodes {
    /// The codes `[N, E]`, the scales `[N]` and the lengths of the errors `[N]`.
    struct Codes {
        let values, scales, errors: Tensor
    }

    /// Returns the codes of features `[N, E]`.
    static func make(_ features: Tensor) -> Codes {
        let scales = features.abs().largest(1).clamped(1e-12, .infinity) / 127
        let units = scales.unsqueezed(1)
        let rounded = (features / units).rounded()
        let difference = features - rounded * units
        let errors = (difference * difference).sum(1).sqrt()
        return Codes(values: rounded.to(.int8), scales: scales, errors: errors)
    }
}
