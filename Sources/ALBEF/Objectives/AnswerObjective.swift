import OrderedCollections
public import Torch

/// Fine-tuning for visual question answering: the likelihood of the answers that people gave, each
/// with a weight (section 5).
///
/// The loss is the weighted sum over answers of -ln p(answer | image, question), divided by the
/// number of questions. With a teacher, its predictions of each token are mixed into the labels as
/// in equation 7.
public struct AnswerObjective: TrainingObjective {
    /// The loss and the predictions of a step.
    public struct Outcome: Sendable {
        /// The loss, a scalar with a gradient.
        public var loss: Tensor
        /// The unweighted loss of each answer, summed over its tokens, `[R]`.
        public var answerLosses: Tensor
        /// The student's logits `[R, A, V]` of the token after each token of the answers.
        public var logits: Tensor
        /// The teacher's probabilities of each next token, `[R, A - 1, V]`; nil without
        /// distillation.
        public var softLabels: Tensor?
    }

    /// The model being trained: one with an answer decoder.
    public let student: ALBEFModel
    /// The moving average of the student; nil without distillation.
    public let teacher: MomentumTeacher?
    private let momentum: Double
    private let labelSmoothing: Double
    private let dropout: Dropout?
    private let isFaithful: Bool
    private let isCheckpointed: Bool

    /// Creates the objective of a model.
    ///
    /// - Parameters:
    ///   - student: a model for VQA. Training changes its weights in place, so they must not be
    ///     mapped from a file.
    ///   - teacher: its teacher; nil to train without distillation.
    ///   - momentum: the share of the teacher that each step keeps; 0.995 by default.
    ///   - labelSmoothing: the share of each label that is spread over the vocabulary, in [0, 1); 0 as
    ///     in the original by default. LAVIS has 0.1.
    ///   - dropout: the dropout of the BERT layers; nil for none.
    ///   - isFaithful: whether the teacher uses dropout too, as in the original; `false` by default.
    ///   - isCheckpointed: as in ``VisionTransformer/callAsFunction(_:isCheckpointed:)``.
    /// - Throws: ``ALBEFError`` if the model has no answer decoder.
    public init(
        student: ALBEFModel, teacher: MomentumTeacher?, momentum: Double = 0.995,
        labelSmoothing: Double = 0, dropout: Dropout?, isFaithful: Bool = false,
        isCheckpointed: Bool = false
    ) throws(ALBEFError) {
        guard student.answers != nil else {
            throw .missingHead("text_decoder", student.configuration.task)
        }
        self.student = student
        self.teacher = teacher
        self.momentum = momentum
        self.labelSmoothing = labelSmoothing
        self.dropout = dropout
        self.isFaithful = isFaithful
        self.isCheckpointed = isCheckpointed
    }

    /// Computes the loss of a batch, after the teacher has moved.
    ///
    /// - Parameters:
    ///   - batch: questions with their images and answers.
    ///   - alpha: the weight of the teacher's predictions in this step.
    /// - Throws: ``ALBEFError`` if the batch does not fit the model.
    public func callAsFunction(
        _ batch: AnswerBatch, alpha: Double
    ) throws(ALBEFError) -> Outcome {
        try batch.check()
        teacher?.follow(momentum: momentum)
        let logits = try logits(student, batch, dropout, isCheckpointed: isCheckpointed)
        var softLabels: Tensor?
        if let teacher, alpha > 0 {
            softLabels = try withoutGradients { () throws(ALBEFError) in
                AnswerLikelihood.next(
                    try self.logits(teacher.model, batch, isFaithful ? dropout : nil)
                ).to(.float32).softmax(2)
            }
        }
        let losses = AnswerLikelihood.losses(
            logits, ids: batch.answers, mask: batch.answerMask, smoothing: labelSmoothing,
            softLabels: softLabels, alpha: alpha)
        let loss = (losses * batch.weights).sum() / Double(batch.count)
        return Outcome(loss: loss, answerLosses: losses, logits: logits, softLabels: softLabels)
    }

    /// Computes the loss `answers` of a batch.
    public func losses(of batch: AnswerBatch, alpha: Double) throws -> TrainingLosses {
        let loss = try self(batch, alpha: alpha).loss
        return TrainingLosses(total: loss, parts: ["answers": loss])
    }

    private func logits(
        _ model: ALBEFModel, _ batch: AnswerBatch, _ dropout: Dropout?, isCheckpointed: Bool = false
    ) throws(ALBEFError) -> Tensor {
        let questions = try model.encodeQuestions(
            batch.ids, mask: batch.mask,
            tokens: try model.encodeTokens(batch.pixels, isCheckpointed: isCheckpointed),
            dropout: dropout)
        guard let decoder = model.answers else {
            throw .missingHead("text_decoder", model.configuration.task)
        }
        return decoder(
            batch.answers, mask: batch.answerMask, answering: decoder.memory(of: questions),
            rows: batch.questions, dropout: dropout)
    }
}

/// N questions with an image each, and R answers in total.
public struct AnswerBatch: Sendable {
    /// Normalised pixels `[N, 3, S, S]`.
    public var pixels: Tensor
    /// Token ids of the questions, `[N, L]`.
    public var ids: Tensor
    /// 1 for tokens of the questions, 0 for padding, `[N, L]`.
    public var mask: Tensor
    /// Token ids of the answers, from the begin token `[CLS]` to `[SEP]`, `[R, A]`.
    public var answers: Tensor
    /// 1 for tokens of the answers, 0 for padding, `[R, A]`.
    public var answerMask: Tensor
    /// The question of each answer, `[R]` indices.
    public var questions: Tensor
    /// The weight of each answer, `[R]`; in VQAv2 the share of people who gave it.
    public var weights: Tensor

    /// Creates a batch.
    ///
    /// - Parameters:
    ///   - pixels: normalised pixels `[N, 3, S, S]`.
    ///   - ids: token ids of the questions, `[N, L]`.
    ///   - mask: 1 for tokens of the questions, 0 for padding, `[N, L]`.
    ///   - answers: token ids of the answers, from the begin token to the end token, `[R, A]`.
    ///   - answerMask: 1 for tokens of the answers, 0 for padding, `[R, A]`.
    ///   - questions: the question of each answer, `[R]` indices.
    ///   - weights: the weight of each answer, `[R]`.
    public init(
        pixels: Tensor, ids: Tensor, mask: Tensor, answers: Tensor, answerMask: Tensor,
        questions: Tensor, weights: Tensor
    ) {
        self.pixels = pixels
        self.ids = ids
        self.mask = mask
        self.answers = answers
        self.answerMask = answerMask
        self.questions = questions
        self.weights = weights
    }

    /// The number of questions N.
    public var count: Int { ids.size(0) }

    /// Checks that there are answers of at least two tokens, each with a question and a weight.
    func check() throws(ALBEFError) {
        guard answers.rank == 2, answers.size(0) > 0, answers.size(1) > 1 else {
            throw .batch(
                "answers", found: answers.shape, expected: "[R, A] with two tokens or more")
        }
        guard answerMask.shape == answers.shape else {
            throw .batch("answer masks", found: answerMask.shape, expected: "\(answers.shape)")
        }
        for (name, tensor) in [("questions of answers", questions), ("weights", weights)]
        where tensor.shape != [answers.size(0)] {
            throw .batch(name, found: tensor.shape, expected: "[\(answers.size(0))]")
        }
    }
}
