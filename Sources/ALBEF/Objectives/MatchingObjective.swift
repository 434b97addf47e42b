public import Torch

/// Image–text matching, ITM: N pairs, N texts with a wrong image and N images with a wrong text
/// shall be told apart (equation 3-5).
public struct MatchingObjective: Sendable {
    /// What the objective found.
    public struct Outcome: Sendable {
        /// L_itm, a scalar; 0.6365, the entropy of labels one to two, is chance.
        public var loss: Tensor
        /// Logits `[3N, 2]` of (no match, match): pairs, texts with a wrong image, images with a
        /// wrong text.
        public var logits: Tensor
        /// The wrong images and texts.
        public var negatives: Negatives
        /// What the wrong images were drawn by, `[N, N]`; nil where they were not drawn.
        public var imageWeights: Tensor?
        /// What the wrong texts were drawn by, `[N, N]`; nil where they were not drawn.
        public var textWeights: Tensor?

        /// Share of the 3N verdicts that are right.
        public var accuracy: Double {
            let count = logits.size(0) / 3
            let verdicts: [Int] = logits.argmax(1).values()
            let right = verdicts.enumerated().count { $1 == ($0 < count ? 1 : 0) }
            return Double(right) / Double(verdicts.count)
        }
    }

    /// The objective, which has no settings of its own.
    public init() {}

    /// Compares verdicts with the truth.
    ///
    /// - Parameter logits: of pairs, texts with a wrong image, images with a wrong text, `[3N, 2]`.
    /// - Returns: the mean cross-entropy over 3N.
    public func loss(_ logits: Tensor) -> Tensor {
        let count = logits.size(0) / 3
        let labels = (0..<3 * count).map { $0 < count ? 1 : 0 }
        return logits.crossEntropy(Tensor(labels, device: logits.device))
    }
}
