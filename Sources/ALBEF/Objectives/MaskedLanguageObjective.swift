public import Torch

/// Masked language modelling, MLM: the hidden tokens, read with the image, shall be found
/// (equation 3-4), with the teacher's opinion mixed in (3-9).
public struct MaskedLanguageObjective: Sendable {
    /// What the objective found.
    public struct Outcome: Sendable {
        /// L_mlm, a scalar; 0 if no token was hidden, where the original's is not a number.
        public var loss: Tensor
        /// Logits at the K hidden tokens, `[K, V]`.
        public var logits: Tensor
        /// The teacher's probabilities there, `[K, V]`; nil without distillation.
        public var softLabels: Tensor?
    }

    /// The objective, which has no settings of its own.
    public init() {}

    /// Compares predictions with the tokens that were hidden.
    ///
    /// The distilled part is H(q, p), whose gradient is that of KL(q‖p) in equation 3-9.
    ///
    /// - Parameters:
    ///   - logits: the student's at the hidden tokens, `[K, V]`.
    ///   - labels: the tokens that were hidden, `[K]`.
    ///   - teacher: the teacher's logits there, `[K, V]`; nil for none.
    ///   - alpha: weight of the teacher's opinion, in [0, 1].
    public func callAsFunction(
        _ logits: Tensor, labels: Tensor, teacher: Tensor?, alpha: Double
    ) -> Outcome {
        guard labels.count > 0 else {
            return Outcome(loss: logits.sum(), logits: logits, softLabels: nil)
        }
        var loss = logits.crossEntropy(labels)
        var softLabels: Tensor?
        if let teacher, alpha > 0 {
            let opinion = withoutGradients { teacher.to(.float32).softmax(1) }
            loss = loss * (1 - alpha) + logits.softCrossEntropy(opinion) * alpha
            softLabels = opinion
        }
        return Outcome(loss: loss, logits: logits, softLabels: softLabels)
    }
}
