public import Torch

/// The images and texts of the batch that serve as negatives of ITM.
public struct Negatives: Sendable {
    /// The mismatched image of each text, `[N]` indices.
    public var images: Tensor
    /// The mismatched text of each image, `[N]` indices.
    public var texts: Tensor

    /// Creates negatives from indices.
    public init(images: Tensor, texts: Tensor) {
        self.images = images
        self.texts = texts
    }

    /// Pairs every text with the image, and every image with the text, of a pair further on.
    ///
    /// A single tower has no similarities by which to choose harder ones.
    ///
    /// - Parameters:
    ///   - shift: the distance to that pair; a multiple of `count` counts as 1.
    ///   - count: the number of pairs.
    ///   - device: the device of the indices.
    static func shifted(by shift: Int, count: Int, device: Device) -> Negatives {
        let shift = shift % count == 0 ? 1 : shift
        let next = Tensor((0..<count).map { ($0 + shift) % count }, device: device)
        return Negatives(images: next, texts: next)
    }
}

/// The draw of hard negatives, in proportion to the ITC softmax of equation 1 within the batch.
package enum HardNegatives {
    /// Returns the weights of the draw, one row per query.
    ///
    /// - Parameters:
    ///   - similarities: s / tau `[N, N]` of rows with the batch's keys.
    ///   - hardness: the factor of the similarities; 1, the default, draws as in the paper, and 0
    ///     draws uniformly.
    ///   - excluded: whether each key must not be drawn, `[N, N]`; true at least on the diagonal.
    ///   - isFaithful: whether to zero excluded keys after the softmax, as in the original. A row
    ///     whose other weights vanish then crashes the original's draw. Excluding before the
    ///     softmax gives the same proportions wherever both are defined.
    ///   - reachable: whether each key can be drawn at all, `[N, N]`; nil, the default, if all can.
    /// - Returns: weights `[N, N]`; a row without a usable weight is uniform over the other pairs.
    package static func weights(
        _ similarities: Tensor, hardness: Double = 1, excluded: Tensor, isFaithful: Bool,
        reachable: Tensor? = nil
    ) -> Tensor {
        var excluded = excluded
        if let reachable {
            excluded = Tensor.selecting(excluded, excluded.isEqual(to: excluded), where: reachable)
        }
        let similarities = similarities.detached().to(.float32)
        let scores = hardness == 1 ? similarities : similarities * hardness
        let weights =
            isFaithful
            ? scores.softmax(1).filled(with: 0, where: excluded)
            : scores.filled(with: -.infinity, where: excluded).softmax(1)
        let count = scores.size(0)
        let rows = Tensor.arange(0..<count, device: scores.device)
        var others = rows.unsqueezed(1).isEqual(to: rows).isEqual(to: 0).to(.float32)
        if let reachable { others = others.filled(with: 0, where: reachable.isEqual(to: 0)) }
        // Comparison with NaN (all excluded before the softmax) and 0 (after it) is false.
        let isUsable = weights.sum(1, keepingDimensions: true).isGreater(than: 0)
        return Tensor.selecting(weights, others, where: isUsable)
    }
}
