import ALBEF
import Torch

/// The image tokens of N images in the form that an index stores.
struct PackedTokens {
    /// The values `[N, n, D_v]`, in half precision or 8 bits.
    var values: Tensor
    /// The unit of each token's 8-bit numbers, `[N, n]`; nil in half precision.
    var scales: Tensor?
    /// The number of the encoder's tokens that each token represents, `[N, n]`; nil if none were
    /// merged.
    var weights: Tensor?

    init(values: Tensor, scales: Tensor?, weights: Tensor?) {
        self.values = values
        self.scales = scales
        self.weights = weights
    }

    /// Packs the tokens of the image encoder, `[N, P + 1, D_v]`; nil if the budget keeps none.
    init?(_ tokens: Tensor, budget: TokenBudget) {
        let kept = budget.kept(of: tokens.size(1))
        guard kept > 0 else { return nil }
        var tokens = tokens.to(.cpu).to(.float32)
        if kept < tokens.size(1) {
            let merged = TokenMerging.merge(tokens, to: kept)
            tokens = merged.tokens
            weights = merged.weights
        }
        switch budget.precision {
        case .float16: values = tokens.to(.float16)
        case .int8:
            let largest = tokens.abs().largest(-1).clamped(1e-12, .infinity)
            let scales = largest / 127
            values = (tokens / scales.unsqueezed(-1)).rounded().to(.int8)
            self.scales = scales
        }
    }

    /// Returns the tokens as numbers of a type, as the fusion encoder reads them.
    func unpacked(as type: ComputeType) -> ImageTokens {
        var tokens = values.to(type.dtype)
        if let scales { tokens = tokens * scales.unsqueezed(-1).to(type.dtype) }
        return ImageTokens(tokens, weights: weights)
    }

    static func concatenated(_ parts: [PackedTokens]) -> PackedTokens? {
        guard let first = parts.first else { return nil }
        func all(_ field: (PackedTokens) -> Tensor?) -> Tensor? {
            field(first) == nil ? nil : Tensor.concatenated(parts.compactMap(field))
        }
        return PackedTokens(
            values: Tensor.concatenated(parts.map(\.values)), scales: all(\.scales),
            weights: all(\.weights))
    }
}
