public import Torch

/// Image–text matching, ITM: distinguishes N pairs from N texts with a wrong image and N images
/// with a wrong text (equation 4).
public struct MatchingObjective: Sendable {
    /// The loss, the predictions and the negatives of a step.
    public struct Outcome: Sendable {
        /// L_itm, a scalar; chance is 0.6365, the entropy of labels one to two.
        public var loss: Tensor
        /// Logits `[3N, 2]` of (no match, match): pairs, texts with a wrong image, images with a
        /// wrong text.
        public var logits: Tensor
        /// The wrong images and texts.
        public var negatives: Negatives
        /// The weights of the draw of wrong images, `[N, N]`; nil if they were not drawn.
        public var imageWeights: Tensor?
        /// The weights of the draw of wrong texts, `[N, N]`; nil if they were not drawn.
        public var textWeights: Tensor?

        /// The share of the 3N decisions that are right.
        public var accuracy: Double { logits.accuracy(MatchingObjective.labels(of: logits)) }
    }

    /// Creates the objective, which has no settings.
    public init() {}

    /// Returns the mean cross-entropy of 3N decisions.
    ///
    /// - Parameter logits: logits `[3N, 2]` of pairs, texts with a wrong image, and images with a
    ///   wrong text.
    public func loss(_ logits: Tensor) -> Tensor { logits.crossEntropy(Self.labels(of: logits)) }

    /// Returns the class of each of 3N decisions, of which the first N are pairs.
    private static func labels(of logits: Tensor) -> Tensor {
        let count = logits.size(0) / 3
        return Tensor((0..<3 * count).map { $0 < count ? 1 : 0 }, device: logits.device)
    }
}
