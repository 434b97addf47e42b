public import Torch

/// Which in-batch images and texts stand in as the negatives of ITM.
public struct Negatives: Sendable {
    /// For each text the image it is wrongly paired with, `[N]` indices.
    public var images: Tensor
    /// For each image the text it is wrongly paired with, `[N]` indices.
    public var texts: Tensor

    /// Takes indices as they are.
    public init(images: Tensor, texts: Tensor) {
        self.images = images
        self.texts = texts
    }

    /// Every text with the image of a pair further on, every image with that pair's text: all that a
    /// single tower can do, for it has no similarities to choose by.
    ///
    /// - Parameter shift: how far on; 1 where it would be the pair itself.
    static func shifted(by shift: Int, count: Int, device: Device) -> Negatives {
        let shift = shift % count == 0 ? 1 : shift
        let next = Tensor((0..<count).map { ($0 + shift) % count }, device: device)
        return Negatives(images: next, texts: next)
    }
}

/// How hard negatives are drawn: in proportion to the ITC softmax of equation 3-2 within the batch.
package enum HardNegatives {
    /// The weights to draw with, rows over the batch.
    ///
    /// - Parameters:
    ///   - similarities: s / tau `[N, N]` of rows with the batch's keys.
    ///   - hardness: what the similarities are multiplied by first; 1 draws as the paper does, 0
    ///     draws any other row.
    ///   - excluded: what must not be drawn, true on the diagonal at least, `[N, N]`.
    ///   - isFaithful: the original takes the softmax first and zeroes what is excluded afterwards.
    ///     A row that holds nothing else then has no weight left and crashes the draw; excluding
    ///     first gives the same proportions wherever both are defined.
    /// - Returns: weights `[N, N]`; uniform over the other rows where everything is excluded.
    package static func weights(
        _ similarities: Tensor, hardness: Double = 1, excluded: Tensor, isFaithful: Bool
    ) -> Tensor {
        let similarities = similarities.detached().to(.float32)
        let scores = hardness == 1 ? similarities : similarities * hardness
        let weights =
            isFaithful
            ? scores.softmax(1).filled(with: 0, where: excluded)
            : scores.filled(with: -.infinity, where: excluded).softmax(1)
        let count = scores.size(0)
        let rows = Tensor.arange(0..<count, device: scores.device)
        let others = rows.unsqueezed(1).isEqual(to: rows).isEqual(to: 0).to(.float32)
        // Both NaN (nothing left before the softmax) and 0 (nothing left after) fail this.
        let isUsable = weights.sum(1, keepingDimensions: true).isGreater(than: 0)
        return Tensor.selecting(weights, others, where: isUsable)
    }
}
