public import Torch

/// Image–text contrastive learning, ITC: makes the features of a pair more alike than those of any
/// other combination in the batch and the queues (section 3.2, equations 1 and 2).
///
/// With a teacher, the labels are mixed with its predictions (section 3.3, equation 6). N is the size
/// of the batch, and M the length of the queues. The keys are the teacher's features of the batch,
/// followed by the queue; without a teacher they are the batch's own features.
public struct ContrastiveObjective: Sendable {
    /// The unit-length features of a batch of pairs.
    public struct Features: Sendable {
        /// Image features `[N, E]`.
        public var images: Tensor
        /// Text features `[N, E]`.
        public var texts: Tensor

        /// Creates the features of a batch of pairs.
        public init(images: Tensor, texts: Tensor) {
            self.images = images
            self.texts = texts
        }
    }

    /// The loss, and the results that later objectives use.
    public struct Outcome: Sendable {
        /// L_itc, a scalar.
        public var loss: Tensor
        /// s(I, T) / tau of each image with each text key, `[N, N + M]`.
        public var imageToText: Tensor
        /// s(T, I) / tau of each text with each image key, `[N, N + M]`.
        public var textToImage: Tensor
        /// The labels of ``imageToText``, `[N, N + M]`, whose rows have the sum 1.
        ///
        /// With distillation they are mixed with the teacher's predictions.
        public var imageToTextTargets: Tensor
        /// The labels of ``textToImage``, `[N, N + M]`.
        public var textToImageTargets: Tensor
    }

    /// Creates the objective, which has no settings.
    public init() {}

    /// Compares a batch with its keys.
    ///
    /// The loss is H((1 - alpha) y + alpha q, p), as in the original code. Equation 6 has
    /// (1 - alpha) H(y, p) + alpha KL(q‖p) instead. The two differ by the entropy of q, which is
    /// constant for the student, so their gradients are equal.
    ///
    /// - Parameters:
    ///   - features: the student's features.
    ///   - keys: the teacher's features of the same batch; nil for the student's own.
    ///   - queues: older keys; nil for none.
    ///   - temperature: tau, a scalar with a gradient.
    ///   - alpha: the weight of the teacher's predictions, in [0, 1].
    ///   - ids: the image of each pair `[N]`. All keys of that image are positives in equal shares,
    ///     as the original fine-tunes retrieval. If nil, only a row's own pair is a positive.
    ///   - truths: whether each text of the batch (rows) is right for each image (columns),
    ///     `[N, N]`; it replaces `ids` within the batch. If nil, `ids` decides.
    /// - Complexity: O(N · (N + M) · E).
    public func callAsFunction(
        _ features: Features, keys: Features?, queues: ContrastiveQueues?, temperature: Tensor,
        alpha: Double, ids: Tensor? = nil, truths: Tensor? = nil
    ) -> Outcome {
        self(
            features, of: 0..<features.images.size(0), among: keys ?? features, teacher: keys,
            queues: queues, temperature: temperature, alpha: alpha, ids: ids, truths: truths)
    }

    /// Compares some rows of a batch with the keys of the whole batch.
    ///
    /// - Parameters:
    ///   - features: the student's features of the rows.
    ///   - rows: the rows of the batch that have these features.
    ///   - own: the keys of the whole batch: the teacher's, or without a teacher the student's.
    ///   - teacher: the teacher's features of the whole batch; nil without a teacher.
    /// - Returns: the outcome, in which N rows are those of `features`.
    func callAsFunction(
        _ features: Features, of rows: Range<Int>, among own: Features, teacher: Features?,
        queues: ContrastiveQueues?, temperature: Tensor, alpha: Double, ids: Tensor?,
        truths: Tensor?
    ) -> Outcome {
        let imageToText =
            Self.similarities(features.images, own.texts, queues?.texts) / temperature
        let textToImage =
            Self.similarities(features.texts, own.images, queues?.images) / temperature
        var (imageTargets, textTargets) = withoutGradients {
            func labels(_ truths: Tensor?) -> Tensor {
                Self.labels(
                    of: rows, count: own.images.size(0), queues: queues, ids: ids, truths: truths,
                    device: features.images.device)
            }
            let textLabels = labels(truths)
            return (truths.map { labels($0.transposed()) } ?? textLabels, textLabels)
        }
        if let teacher, alpha > 0 {
            (imageTargets, textTargets) = withoutGradients {
                let images = Self.similarities(teacher.images[rows], teacher.texts, queues?.texts)
                let texts = Self.similarities(teacher.texts[rows], teacher.images, queues?.images)
                return (
                    (images / temperature).softmax(1) * alpha + imageTargets * (1 - alpha),
                    (texts / temperature).softmax(1) * alpha + textTargets * (1 - alpha)
                )
            }
        }
        let loss =
            (imageToText.softCrossEntropy(imageTargets) + textToImage.softCrossEntropy(textTargets))
            * 0.5
        return Outcome(
            loss: loss, imageToText: imageToText, textToImage: textToImage,
            imageToTextTargets: imageTargets, textToImageTargets: textTargets)
    }

    /// Returns inner products of `[N, E]` with the keys of the batch `[N, E]` and a queue `[E, M]`.
    private static func similarities(_ features: Tensor, _ keys: Tensor, _ queue: Tensor?)
        -> Tensor
    {
        let batch = features.matmul(keys.transposed())
        guard let queue else { return batch }
        return Tensor.concatenated([batch, features.matmul(queue)], 1)
    }

    /// Returns y `[rows.count, N + M]`: one-hot at a row's own pair, or equal shares among the right
    /// keys.
    private static func labels(
        of rows: Range<Int>, count: Int, queues: ContrastiveQueues?, ids: Tensor?, truths: Tensor?,
        device: Device
    ) -> Tensor {
        guard let ids else {
            let width = count + (queues?.length ?? 0)
            return Tensor.arange(rows, device: device).unsqueezed(1)
                .isEqual(to: Tensor.arange(0..<width, device: device)).to(.float32)
        }
        let all = queues.map { Tensor.concatenated([ids, $0.ids]) } ?? ids
        var positives = ids[rows].unsqueezed(1).isEqual(to: all).to(.float32)
        if let truths {
            let right = truths[rows].to(.float32)
            positives =
                queues == nil
                ? right : .concatenated([right, positives[.all, count..<positives.size(1)]], 1)
        }
        return positives / positives.sum(1, keepingDimensions: true)
    }
}

extension Tensor {
    /// Returns the cross-entropy H(q, p) of logits `[N, K]` with rows of probabilities, averaged
    /// over rows.
    func softCrossEntropy(_ probabilities: Tensor) -> Tensor {
        -(logSoftmax(1) * probabilities).sum(1).mean()
    }
}
