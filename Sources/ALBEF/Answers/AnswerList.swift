public import Torch

/// The answers among which a VQA model chooses, such as the 3,128 most frequent ones of VQAv2.
public struct AnswerList: Sendable {
    /// The A answers.
    public let texts: [String]
    /// Their token ids, from the begin token `[CLS]` to `[SEP]`, `[A, L]`.
    public let ids: Tensor
    /// 1 for tokens, 0 for padding, `[A, L]`.
    public let mask: Tensor

    /// Creates a list.
    ///
    /// - Parameters:
    ///   - texts: the answers, at least one.
    ///   - ids: their token ids, from the begin token to the end token, `[A, L]`.
    ///   - mask: 1 for tokens, 0 for padding, `[A, L]`.
    /// - Throws: ``ALBEFError`` if the list is empty, if texts and tokens differ in number, or if an
    ///   answer has no token between the begin and the end.
    public init(_ texts: [String], ids: Tensor, mask: Tensor) throws(ALBEFError) {
        guard !texts.isEmpty else { throw .answer("the list of answers is empty") }
        guard ids.rank == 2, ids.shape == mask.shape, ids.size(0) == texts.count else {
            throw .answer(
                "the list has \(texts.count) answers, but token ids \(ids.shape) and a mask"
                    + " \(mask.shape); both must be [\(texts.count), L]")
        }
        let lengths: [Int] = mask.to(.int64).sum(1).values()
        if let short = lengths.firstIndex(where: { $0 < 3 }) {
            throw .answer(
                "answer \(short + 1) of the list, \"\(texts[short])\", has no token; remove it")
        }
        self.texts = texts
        self.ids = ids
        self.mask = mask
    }

    /// The number of answers A.
    public var count: Int { texts.count }
}

/// The score by which answers of a list are ranked.
public enum AnswerScore: Sendable, Hashable {
    /// ln p(answer | image, question), the sum over the answer's tokens.
    case likelihood
    /// The same with labels of which a share is spread over the vocabulary, as in LAVIS, whose share
    /// is 0.1.
    case smoothed(Double)
    /// The likelihood plus once more that of the first token, as in the original.
    ///
    /// The original adds the probability by which it chose the candidates to a sum that already has
    /// it.
    case firstTokenTwice
}

/// An answer of a list, as a model ranks it.
public struct RankedAnswer: Sendable, Hashable {
    /// The position in the list, from 0.
    public var index: Int
    /// The answer.
    public var text: String
    /// The score; see ``AnswerScore``.
    public var score: Double
    /// The softmax of the scores over the question's candidates.
    public var probability: Double
}

extension ALBEFModel {
    /// Ranks the answers of a list for each of N questions (section 5).
    ///
    /// The answers whose first tokens are the most probable become candidates. The decoder then
    /// scores the candidates as a whole.
    ///
    /// - Parameters:
    ///   - list: the answers.
    ///   - questions: N questions; see ``encodeQuestions(_:mask:tokens:dropout:)``.
    ///   - candidates: the number of candidates per question, at least 1; 128 by default, as in the
    ///     original. A longer list than answers is cut.
    ///   - score: the score; the likelihood by default.
    ///   - batchSize: the number of answers that the decoder reads at once.
    /// - Returns: the candidates of each question, best first.
    /// - Throws: ``ALBEFError`` if the model has no answer decoder, or if the answers are longer than
    ///   its number of positions.
    /// - Complexity: O(N · `candidates`) runs of the decoder.
    public func rankAnswers(
        _ list: AnswerList, to questions: EncodedQuestions, candidates: Int = 128,
        score: AnswerScore = .likelihood, batchSize: Int = 512
    ) throws(ALBEFError) -> [[RankedAnswer]] {
        guard let decoder = answers else { throw .missingHead("text_decoder", configuration.task) }
        try checkText(list.ids, mask: list.mask)
        guard questions.count > 0 else { return [] }
        let ids = list.ids.to(device)
        let mask = list.mask.to(device)
        let wanted = max(1, min(candidates, list.count))
        return withoutGradients {
            let memory = decoder.memory(of: questions)
            let first = decoder(
                ids[0..<1, 0..<1].expanded(questions.count, 1),
                mask: .ones([questions.count, 1], device: device), answering: memory,
                rows: .arange(0..<questions.count, device: device).to(.int64), .start)
            let firstLogs = first[.all, 0].to(.float32).logSoftmax(1).selected(1, ids[.all, 1])
            let chosen = firstLogs.topK(wanted)
            let indices = chosen.indices.reshaped(-1)
            let rows: [Int] = (0..<questions.count).flatMap { question in
                repeatElement(question, count: wanted)
            }
            let smoothing = if case .smoothed(let share) = score { share } else { 0.0 }
            var scores: [Double] = []
            for start in stride(from: 0, to: rows.count, by: max(1, batchSize)) {
                let part = start..<min(rows.count, start + max(1, batchSize))
                let partIDs = ids[indices[part]]
                let partMask = mask[indices[part]]
                let logits = decoder(
                    partIDs, mask: partMask, answering: memory,
                    rows: Tensor(Array(rows[part]), device: device))
                let losses = AnswerLikelihood.losses(
                    logits, ids: partIDs, mask: partMask, smoothing: smoothing)
                scores += (-losses).values(as: Double.self)
            }
            if score == .firstTokenTwice {
                scores = zip(scores, chosen.values.values(as: Double.self)).map { $0 + $1 }
            }
            let places: [Int] = indices.values()
            let probabilities: [Double] = Tensor(scores, shape: [questions.count, wanted])
                .softmax(1).values()
            return (0..<questions.count).map { question in
                (question * wanted..<(question + 1) * wanted).map { place in
                    RankedAnswer(
                        index: places[place], text: list.texts[places[place]],
                        score: scores[place], probability: probabilities[place])
                }.sorted { ($1.score, $0.index) < ($0.score, $1.index) }
            }
        }
    }
}
