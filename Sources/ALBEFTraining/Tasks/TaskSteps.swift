import ALBEF
import ImageText
import SystemPackage
import Torch

/// Training on sentences with one image or two: visual entailment and NLVR2.
struct SentenceTask: RunTask {
    let objective: ClassificationObjective
    let items: [ClassificationItem]
    let texts: TaskTexts
    let precision: TrainingConfiguration.Training.Precision

    func losses(
        of batch: RunBatch, part: RunBatch, alpha: Double, epoch: Double
    ) throws -> TrainingLosses {
        guard let rows = batch.items else {
            preconditionFailure("a batch of captions in training on sentences")
        }
        let student = objective.student
        let chosen = rows.items.map { items[$0] }
        let (ids, mask) = texts.sentences(chosen.map(\.sentence)).tensors(on: student.device)
        let input = ClassificationBatch(
            pixels: rows.tensors(
                side: student.configuration.vision.imageSize, on: student.device),
            ids: ids, mask: mask, labels: Tensor(chosen.map(\.label), device: student.device))
        return try withAutocast(precision.autocast, on: student.device) {
            try objective.losses(of: input, alpha: alpha)
        }
    }

    func examples(of batch: RunBatch) -> [NonFiniteReport.Pair] {
        (batch.items?.items ?? []).flatMap { place in
            items[place].images.map {
                .init(image: $0.string, caption: items[place].sentence)
            }
        }
    }
}

/// Training on questions with answers.
struct QuestionTask: RunTask {
    let objective: AnswerObjective
    let items: [QuestionItem]
    let texts: TaskTexts
    /// The number of tokens to which questions are cut.
    let maximumTokens: Int
    /// The weight of an answer of Visual Genome.
    let genomeWeight: Double
    let precision: TrainingConfiguration.Training.Precision

    func losses(
        of batch: RunBatch, part: RunBatch, alpha: Double, epoch: Double
    ) throws -> TrainingLosses {
        guard let rows = batch.items else {
            preconditionFailure("a batch of captions in training on questions")
        }
        let student = objective.student
        let device = student.device
        let chosen = rows.items.map { items[$0] }
        let answers = chosen.map { $0.weightedAnswers(visualGenomeWeight: genomeWeight) }
        let owners = answers.indices.flatMap { row in answers[row].map { _ in row } }
        let (ids, mask) = texts.questions(
            chosen.map(\.question), maximumTokens: maximumTokens
        ).tensors(on: device)
        let all = answers.flatMap { $0 }
        let (answerIDs, answerMask) = texts.answers(all.map(\.text)).tensors(on: device)
        let input = AnswerBatch(
            pixels: rows.tensors(side: student.configuration.vision.imageSize, on: device)[0],
            ids: ids, mask: mask, answers: answerIDs, answerMask: answerMask,
            questions: Tensor(owners, device: device),
            weights: Tensor(all.map { Float($0.weight) }, device: device))
        return try withAutocast(precision.autocast, on: device) {
            try objective.losses(of: input, alpha: alpha)
        }
    }

    func examples(of batch: RunBatch) -> [NonFiniteReport.Pair] {
        (batch.items?.items ?? []).map {
            .init(image: items[$0].image.string, caption: items[$0].question)
        }
    }
}

/// Text assignment on images with captions, by each process for its own part of a batch.
struct AssignmentTask: RunTask {
    let objective: TextAssignmentObjective
    let preprocessing: ModelPreprocessing
    let precision: TrainingConfiguration.Training.Precision

    func losses(
        of batch: RunBatch, part: RunBatch, alpha: Double, epoch: Double
    ) throws -> TrainingLosses {
        guard let rows = part.pairs else {
            preconditionFailure("a batch of items in text assignment")
        }
        let student = objective.student
        let side = student.configuration.vision.imageSize
        let (ids, mask) = preprocessing.text.batch(rows.captions).tensors(on: student.device)
        let input = PretrainingBatch(
            images: .pixels(
                Tensor(
                    rows.pixels, shape: [rows.captions.count, 3, side, side],
                    device: student.device)),
            ids: ids, mask: mask, imageIDs: Tensor(rows.ids, device: student.device))
        return try withAutocast(precision.autocast, on: student.device) {
            try objective.losses(of: input, alpha: alpha)
        }
    }
}

extension TrainingConfiguration {
    /// Creates the part of a run's steps that depends on the task.
    ///
    /// - Throws: `ALBEFError` if the model lacks a head of the task.
    func task(
        _ state: TrainingState, _ data: TrainingData, _ preprocessing: ModelPreprocessing,
        _ vocabulary: Vocabulary, maps: TrunkMaps?
    ) throws -> any RunTask {
        if let objective = state.pretraining {
            return PairTask(
                objective: objective, configuration: self, preprocessing: preprocessing, maps: maps)
        }
        let texts = TaskTexts(vocabulary: vocabulary, configuration: state.student.configuration)
        switch data.content {
        case .items(.sentences(let items)):
            return SentenceTask(
                objective: try ClassificationObjective(
                    student: state.student, teacher: state.teacher,
                    momentum: objectives.teacher.momentum, dropout: state.dropout,
                    isFaithful: objectives.isFaithful,
                    isCheckpointed: training.gradientCheckpointing),
                items: items, texts: texts, precision: training.precision)
        case .items(.questions(let items)):
            return QuestionTask(
                objective: try AnswerObjective(
                    student: state.student, teacher: state.teacher,
                    momentum: objectives.teacher.momentum,
                    labelSmoothing: objectives.answers.labelSmoothing, dropout: state.dropout,
                    isFaithful: objectives.isFaithful,
                    isCheckpointed: training.gradientCheckpointing),
                items: items, texts: texts, maximumTokens: model.maximumTokens,
                genomeWeight: objectives.answers.genomeWeight, precision: training.precision)
        case .annotations, .shards:
            return AssignmentTask(
                objective: try TextAssignmentObjective(
                    student: state.student, generator: state.choices, dropout: state.dropout,
                    isCheckpointed: training.gradientCheckpointing),
                preprocessing: preprocessing, precision: training.precision)
        }
    }
}
