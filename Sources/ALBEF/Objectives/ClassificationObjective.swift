import OrderedCollections
public import Torch

/// Fine-tuning for visual entailment and NLVR2: the classes of texts that are read with one image,
/// or with two (section 5).
///
/// With a teacher, its predictions are mixed into the labels as in equation 7.
public struct ClassificationObjective: TrainingObjective {
    /// The loss and the predictions of a step.
    public struct Outcome: Sendable {
        /// The loss, a scalar with a gradient.
        public var loss: Tensor
        /// The student's logits `[N, C]`.
        public var logits: Tensor
        /// The teacher's logits `[N, C]`; nil without distillation.
        public var teacherLogits: Tensor?
    }

    /// The model being trained: one with a classification head.
    public let student: ALBEFModel
    /// The moving average of the student; nil without distillation.
    public let teacher: MomentumTeacher?
    private let momentum: Double
    private let dropout: Dropout?
    private let isFaithful: Bool
    private let isCheckpointed: Bool

    /// Creates the objective of a model.
    ///
    /// - Parameters:
    ///   - student: a model for entailment or NLVR2. Training changes its weights in place, so they
    ///     must not be mapped from a file.
    ///   - teacher: its teacher; nil to train without distillation. The original's teacher of NLVR2
    ///     is ``MomentumTeacher/init(untrainedFor:generator:)``.
    ///   - momentum: the share of the teacher that each step keeps; 0.995 by default.
    ///   - dropout: the dropout of the BERT layers; nil for none.
    ///   - isFaithful: whether the teacher uses dropout too, as in the original; `false` by default.
    ///   - isCheckpointed: as in ``VisionTransformer/callAsFunction(_:isCheckpointed:)``.
    /// - Throws: ``ALBEFError`` if the model has no classification head.
    public init(
        student: ALBEFModel, teacher: MomentumTeacher?, momentum: Double = 0.995,
        dropout: Dropout?, isFaithful: Bool = false, isCheckpointed: Bool = false
    ) throws(ALBEFError) {
        guard student.classification != nil else {
            throw .missingHead("cls_head", student.configuration.task)
        }
        self.student = student
        self.teacher = teacher
        self.momentum = momentum
        self.dropout = dropout
        self.isFaithful = isFaithful
        self.isCheckpointed = isCheckpointed
    }

    /// Computes the loss of a batch, after the teacher has moved.
    ///
    /// - Parameters:
    ///   - batch: texts with their images and labels.
    ///   - alpha: the weight of the teacher's predictions in this step.
    /// - Throws: ``ALBEFError`` if the batch does not fit the model.
    public func callAsFunction(
        _ batch: ClassificationBatch, alpha: Double
    ) throws(ALBEFError) -> Outcome {
        try batch.check()
        teacher?.follow(momentum: momentum)
        let logits = try logits(student, batch, dropout, isCheckpointed: isCheckpointed)
        var taught: Tensor?
        if let teacher, alpha > 0 {
            taught = try withoutGradients { () throws(ALBEFError) in
                try self.logits(teacher.model, batch, isFaithful ? dropout : nil)
            }
        }
        return Outcome(
            loss: loss(logits, labels: batch.labels, teacher: taught, alpha: alpha), logits: logits,
            teacherLogits: taught)
    }

    /// Returns (1 - alpha) H(y, p) + alpha H(q, p), averaged over texts.
    ///
    /// - Parameters:
    ///   - logits: the student's logits `[N, C]`, whose softmax is p.
    ///   - labels: the class of each text, `[N]`.
    ///   - teacher: the teacher's logits `[N, C]`, whose softmax is q; nil for none.
    ///   - alpha: the weight of the teacher's predictions.
    public func loss(_ logits: Tensor, labels: Tensor, teacher: Tensor?, alpha: Double) -> Tensor {
        logits.distilledCrossEntropy(labels, teacher: teacher, alpha: alpha).loss
    }

    /// Computes the loss `classification` of a batch, and the share of texts whose class is found.
    public func losses(of batch: ClassificationBatch, alpha: Double) throws -> TrainingLosses {
        let outcome = try self(batch, alpha: alpha)
        return TrainingLosses(
            total: outcome.loss, parts: ["classification": outcome.loss],
            accuracy: outcome.logits.accuracy(batch.labels))
    }

    /// The images of all texts are encoded as one batch, the first ones before the second ones.
    private func logits(
        _ model: ALBEFModel, _ batch: ClassificationBatch, _ dropout: Dropout?,
        isCheckpointed: Bool = false
    ) throws(ALBEFError) -> Tensor {
        let count = batch.pixels.count
        let pixels = count == 1 ? batch.pixels[0] : Tensor.concatenated(batch.pixels)
        let tokens = try model.encodeTokens(pixels, isCheckpointed: isCheckpointed)
        return try model.classLogits(
            batch.ids, mask: batch.mask, images: count == 1 ? [tokens] : tokens.chunked(count, 0),
            dropout: dropout)
    }
}

/// N texts with one image each, or with two, and the class of each text.
public struct ClassificationBatch: Sendable {
    /// Normalised pixels `[N, 3, S, S]` of one image per text, or of the first and of the second
    /// images.
    public var pixels: [Tensor]
    /// Token ids `[N, L]`.
    public var ids: Tensor
    /// 1 for tokens, 0 for padding, `[N, L]`.
    public var mask: Tensor
    /// The class of each text, `[N]`.
    public var labels: Tensor

    /// Creates a batch.
    ///
    /// - Parameters:
    ///   - pixels: normalised pixels `[N, 3, S, S]`, once or twice.
    ///   - ids: token ids `[N, L]`.
    ///   - mask: 1 for tokens, 0 for padding, `[N, L]`.
    ///   - labels: class indices `[N]`.
    public init(pixels: [Tensor], ids: Tensor, mask: Tensor, labels: Tensor) {
        self.pixels = pixels
        self.ids = ids
        self.mask = mask
        self.labels = labels
    }

    /// Checks that there is an image, that each text has a label, and that first and second images
    /// have the same shape.
    func check() throws(ALBEFError) {
        guard let first = pixels.first else {
            throw .batch("pixels", found: [0], expected: "[N, 3, S, S] once or twice")
        }
        for other in pixels where other.shape != first.shape {
            throw .batch("second pixels", found: other.shape, expected: "\(first.shape)")
        }
        guard ids.rank == 2, labels.shape == [ids.size(0)] else {
            throw .batch("labels", found: labels.shape, expected: "one per text, \(ids.shape)")
        }
    }
}
