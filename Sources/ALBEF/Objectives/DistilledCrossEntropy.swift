import Torch

extension Tensor {
    /// Returns (1 - alpha) H(y, p) + alpha H(q, p) of logits `[N, C]`, averaged over rows
    /// (section 3.3, equation 7).
    ///
    /// H(q, p) has the same gradient as the paper's KL(q‖p), from which it differs by the entropy of
    /// q.
    ///
    /// - Parameters:
    ///   - labels: the class index y of each row, `[N]`.
    ///   - teacher: the teacher's logits `[N, C]`, whose softmax is q; nil for none.
    ///   - alpha: the weight of the teacher's predictions.
    /// - Returns: the scalar loss, and q if it was used.
    func distilledCrossEntropy(
        _ labels: Tensor, teacher: Tensor?, alpha: Double
    ) -> (loss: Tensor, softLabels: Tensor?) {
        let loss = crossEntropy(labels)
        guard let teacher, alpha > 0 else { return (loss, nil) }
        let opinion = withoutGradients { teacher.to(.float32).softmax(1) }
        return (loss * (1 - alpha) + softCrossEntropy(opinion) * alpha, opinion)
    }

    /// Returns the share of rows of logits `[N, C]` whose largest element has the index of their
    /// label, `[N]`.
    func accuracy(_ labels: Tensor) -> Double {
        let (found, expected): ([Int], [Int]) = (argmax(1).values(), labels.values())
        guard !expected.isEmpty else { return 0 }
        return Double(zip(found, expected).count { $0 == $1 }) / Double(expected.count)
    }
}
