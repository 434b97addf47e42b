public import Torch

/// Masked language modelling, MLM: predicts the hidden tokens of a text read with its image
/// (equation 3).
///
/// With a teacher, its predictions are mixed into the labels (equation 7).
public struct MaskedLanguageObjective: Sendable {
    /// The loss and the predictions of a step.
    public struct Outcome: Sendable {
        /// L_mlm, a scalar; 0 if no token was hidden, whereas the original's is NaN.
        public var loss: Tensor
        /// The student's logits at the K hidden tokens, `[K, V]`.
        public var logits: Tensor
        /// The teacher's probabilities at the hidden tokens, `[K, V]`; nil without distillation.
        public var softLabels: Tensor?
    }

    /// Creates the objective, which has no settings.
    public init() {}

    /// Compares predictions with the tokens that were hidden.
    ///
    /// The distilled part is H(q, p), which has the same gradient as KL(q‖p) in equation 7.
    ///
    /// - Parameters:
    ///   - logits: the student's logits at the hidden tokens, `[K, V]`.
    ///   - labels: the tokens that were hidden, `[K]`.
    ///   - teacher: the teacher's logits at the hidden tokens, `[K, V]`; nil for none.
    ///   - alpha: the weight of the teacher's predictions, in [0, 1].
    public func callAsFunction(
        _ logits: Tensor, labels: Tensor, teacher: Tensor?, alpha: Double
    ) -> Outcome {
        guard labels.count > 0 else {
            return Outcome(loss: logits.sum(), logits: logits, softLabels: nil)
        }
        let (loss, softLabels) = logits.distilledCrossEntropy(
            labels, teacher: teacher, alpha: alpha)
        return Outcome(loss: loss, logits: logits, softLabels: softLabels)
    }
}
