public import Torch

/// Image–text contrastive learning, ITC: pairs shall be more alike than anything else in the batch
/// and the queues (equations 3-1 to 3-3), with the teacher's opinion mixed in (3-7, 3-8).
///
/// N is the batch, M the length of the queues. The keys that features are compared with are the
/// teacher's, `[batch | queue]`, or, where there is no teacher, the batch's own features.
public struct ContrastiveObjective: Sendable {
    /// Features of a batch on both sides, unit length.
    public struct Features: Sendable {
        /// Image features `[N, E]`.
        public var images: Tensor
        /// Text features `[N, E]`.
        public var texts: Tensor

        /// Pairs up features.
        public init(images: Tensor, texts: Tensor) {
            self.images = images
            self.texts = texts
        }
    }

    /// What the objective found, for the loss and for the objectives that follow.
    public struct Outcome: Sendable {
        /// L_itc, a scalar.
        public var loss: Tensor
        /// s(I, T) / tau of each image with each text key, `[N, N + M]`.
        public var imageToText: Tensor
        /// s(T, I) / tau of each text with each image key, `[N, N + M]`.
        public var textToImage: Tensor
        /// The labels that ``imageToText`` was compared with, rows of sum 1; mixed with the
        /// teacher's where there is one.
        public var imageToTextTargets: Tensor
        /// The labels that ``textToImage`` was compared with.
        public var textToImageTargets: Tensor
    }

    /// The objective, which has no settings of its own.
    public init() {}

    /// Compares a batch with its keys.
    ///
    /// Minimises H((1 - alpha) y + alpha q, p). Equation 3-8 has (1 - alpha) H(y, p) +
    /// alpha KL(q‖p) instead, which differs by the entropy of q, a constant for the student: the
    /// gradient is the same, and it is what the original code minimises.
    ///
    /// - Parameters:
    ///   - features: the student's.
    ///   - keys: the teacher's features of the same batch; nil compares with the student's own.
    ///   - queues: older keys; nil for none.
    ///   - temperature: tau, a scalar with a gradient.
    ///   - alpha: weight of the teacher's opinion, in [0, 1].
    ///   - ids: the image each pair shows `[N]`: all keys of that image are positives in equal
    ///     shares, as the original fine-tunes retrieval. nil: only a row's own pair is.
    ///   - truths: which texts of the batch, by rows, are right for which of its images, `[N, N]`; takes
    ///     the place of `ids` within the batch. nil: what `ids` say.
    public func callAsFunction(
        _ features: Features, keys: Features?, queues: ContrastiveQueues?, temperature: Tensor,
        alpha: Double, ids: Tensor? = nil, truths: Tensor? = nil
    ) -> Outcome {
        let own = keys ?? features
        let imageToText =
            Self.similarities(features.images, own.texts, queues?.texts) / temperature
        let textToImage =
            Self.similarities(features.texts, own.images, queues?.images) / temperature
        var (imageTargets, textTargets) = withoutGradients {
            func labels(_ truths: Tensor?) -> Tensor {
                Self.labels(
                    count: features.images.size(0), queues: queues, ids: ids, truths: truths,
                    device: features.images.device)
            }
            let textLabels = labels(truths)
            return (truths.map { labels($0.transposed()) } ?? textLabels, textLabels)
        }
        if let keys, alpha > 0 {
            (imageTargets, textTargets) = withoutGradients {
                let images = Self.similarities(keys.images, keys.texts, queues?.texts)
                let texts = Self.similarities(keys.texts, keys.images, queues?.images)
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

    /// Inner products of `[N, E]` with the keys of the batch `[N, E]` and of a queue `[E, M]`.
    private static func similarities(_ features: Tensor, _ keys: Tensor, _ queue: Tensor?)
        -> Tensor
    {
        let batch = features.matmul(keys.transposed())
        guard let queue else { return batch }
        return Tensor.concatenated([batch, features.matmul(queue)], 1)
    }

    /// y: one-hot at a row's own pair, or equal shares among the keys that are right, `[N, N + M]`.
    private static func labels(
        count: Int, queues: ContrastiveQueues?, ids: Tensor?, truths: Tensor?, device: Device
    ) -> Tensor {
        guard let ids else {
            let width = count + (queues?.length ?? 0)
            return Tensor.arange(0..<count, device: device).unsqueezed(1)
                .isEqual(to: Tensor.arange(0..<width, device: device)).to(.float32)
        }
        let all = queues.map { Tensor.concatenated([ids, $0.ids]) } ?? ids
        var positives = ids.unsqueezed(1).isEqual(to: all).to(.float32)
        if let truths {
            let right = truths.to(.float32)
            positives =
                queues == nil
                ? right : .concatenated([right, positives[.all, count..<positives.size(1)]], 1)
        }
        return positives / positives.sum(1, keepingDimensions: true)
    }
}

extension Tensor {
    /// Cross-entropy H(q, p) of logits `[N, K]` against rows of probabilities, averaged over rows.
    func softCrossEntropy(_ probabilities: Tensor) -> Tensor {
        -(logSoftmax(1) * probabilities).sum(1).mean()
    }
}
