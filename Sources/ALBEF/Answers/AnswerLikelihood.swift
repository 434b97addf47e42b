import Torch

/// The likelihood of answers by the logits of their tokens.
enum AnswerLikelihood {
    /// Returns the logits `[R, A - 1, V]` that predict the tokens after the begin token.
    static func next(_ logits: Tensor) -> Tensor { logits[.all, 0..<logits.size(1) - 1] }

    /// Returns the loss of each answer, summed over its tokens after the begin token, `[R]`.
    ///
    /// A token costs (1 - alpha) H(y, p) + alpha H(q, p).
    ///
    /// - Parameters:
    ///   - logits: logits `[R, A, V]` of the token after each token.
    ///   - ids: token ids `[R, A]`, the begin token first.
    ///   - mask: 1 for tokens, 0 for padding, `[R, A]`.
    ///   - smoothing: the share of y that is spread over the vocabulary.
    ///   - softLabels: q, the teacher's probabilities `[R, A - 1, V]`; nil for none.
    ///   - alpha: the weight of q; ignored without it.
    static func losses(
        _ logits: Tensor, ids: Tensor, mask: Tensor, smoothing: Double = 0,
        softLabels: Tensor? = nil, alpha: Double = 0
    ) -> Tensor {
        let logs = next(logits).to(.float32).logSoftmax(2)
        let labels = ids[.all, 1...].unsqueezed(-1)
        var losses = -logs.gathered(2, labels).squeezed(-1)
        if smoothing > 0 {
            losses = losses * (1 - smoothing) - logs.mean(2) * smoothing
        }
        if let softLabels, alpha > 0 {
            losses = losses * (1 - alpha) - (logs * softLabels).sum(2) * alpha
        }
        return (losses * mask[.all, 1...].to(.float32)).sum(1)
    }
}
