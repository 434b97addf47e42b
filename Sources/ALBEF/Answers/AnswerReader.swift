public import ImageText
public import Torch

/// An answer of a model to a question.
public struct ScoredAnswer: Sendable, Hashable, Codable {
    /// The text of the answer.
    public var text: String
    /// The score by which answers were compared; see ``AnswerScore``.
    ///
    /// For an answer that the model wrote freely, it is ln p(answer | image, question).
    public var score: Double

    /// Creates an answer with its score.
    public init(text: String, score: Double) {
        self.text = text
        self.score = score
    }
}

/// Answers questions about images: from a list, as in the original, or freely.
public struct AnswerReader: Sendable {
    /// The number of answers of a list that a question gets.
    private static let kept = 5

    private let texts: TaskTexts
    private let list: AnswerList?
    private let candidates: Int
    private let score: AnswerScore
    private let beams: Int

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - texts: the preparation of the model's texts.
    ///   - choices: the answers among which the model chooses; nil, the default, to write answers
    ///     freely.
    ///   - candidates: the number of answers of the list that are scored as a whole, at least 1; 128
    ///     by default.
    ///   - score: the score of an answer of the list; the likelihood by default.
    ///   - beams: the width of the search for a freely written answer, at least 1; 3 by default.
    /// - Throws: ``ALBEFError`` if an answer of the list has no token.
    public init(
        _ texts: TaskTexts, choices: AnswerChoices? = nil, candidates: Int = 128,
        score: AnswerScore = .likelihood, beams: Int = 3
    ) throws(ALBEFError) {
        self.texts = texts
        list = try choices.map { choices throws(ALBEFError) in try texts.list(choices) }
        self.candidates = candidates
        self.score = score
        self.beams = beams
    }

    /// Returns answers to N questions about an image each.
    ///
    /// - Parameters:
    ///   - questions: the questions as typed.
    ///   - tokens: the tokens `[N, P + 1, D_v]` of their images.
    ///   - model: a model for VQA.
    /// - Returns: the best five answers of the list to each question, or as many as there are beams;
    ///   best first.
    /// - Throws: ``ALBEFError`` if the model is for another task, or if a question is too long.
    public func answers(
        to questions: [String], tokens: Tensor, _ model: ALBEFModel
    ) throws(ALBEFError) -> [[ScoredAnswer]] {
        let (ids, mask) = texts.questions(questions).tensors(on: model.device)
        return try withoutGradients { () throws(ALBEFError) in
            let encoded = try model.encodeQuestions(ids, mask: mask, tokens: tokens)
            if let list {
                return try model.rankAnswers(
                    list, to: encoded, candidates: candidates, score: score
                ).map { ranked in
                    ranked.prefix(Self.kept).map { ScoredAnswer(text: $0.text, score: $0.score) }
                }
            }
            let (start, end) = texts.answerBounds
            return try model.generateAnswers(
                to: encoded, AnswerGeneration(start: start, end: end, beams: beams)
            ).map { written in
                written.map {
                    ScoredAnswer(text: texts.answer(of: $0.tokens), score: $0.logLikelihood)
                }
            }
        }
    }
}
