import ALBEF
import OrderedCollections
import TestSupport
import Testing
import Torch

@Suite("Question answering, as the Python implementations do it")
struct AnswerParityTests {
    private func batch(_ golden: GoldenSet) throws -> AnswerBatch {
        let counts: [Int] = try golden.input("n_answers").values()
        let questions = counts.enumerated().flatMap { repeatElement($0.offset, count: $0.element) }
        return AnswerBatch(
            pixels: try golden.input("image"), ids: try golden.input("question_ids"),
            mask: try golden.input("question_mask"), answers: try golden.input("answer_ids"),
            answerMask: try golden.input("answer_mask"), questions: Tensor(questions),
            weights: try golden.input("weight"))
    }

    @Test("A step of fine-tuning")
    func training() throws {
        let golden = try GoldenSet("lavis-vqa")
        let (student, teacher) = try golden.studentAndTeacher(.vqa)
        let objective = try AnswerObjective(
            student: student, teacher: teacher, labelSmoothing: 0.1, dropout: nil)
        let batch = try batch(golden)
        let outcome = try objective(batch, alpha: try #require(golden.scalars["train/alpha"]))
        try golden.expect(outcome.logits, equals: "train/decoder_logits")
        try golden.expect(try #require(outcome.softLabels), equals: "train/soft_labels")
        try golden.expect(outcome.answerLosses, equals: "train/per_answer_loss")
        golden.expect(outcome.loss.scalar(), equalsScalar: "train/loss")
        try outcome.loss.backward()
        try golden.expectGradients(of: student)

        for (model, name) in [(student, ""), (teacher.model, "_m")] {
            let questions = try model.encodeQuestions(
                batch.ids, mask: batch.mask, tokens: try model.encodeTokens(batch.pixels))
            try golden.expect(questions.states, equals: "train/question_states\(name)")
        }
    }

    @Test("The loss of the original, whose labels are not smoothed")
    func originalLoss() throws {
        let golden = try GoldenSet("lavis-vqa")
        let (student, teacher) = try golden.studentAndTeacher(.vqa)
        let objective = try AnswerObjective(student: student, teacher: teacher, dropout: nil)
        let losses = try objective.losses(
            of: try batch(golden), alpha: try #require(golden.scalars["train/alpha"]))
        golden.expect(losses.total.scalar(), equalsScalar: "train/loss_no_smoothing")
        #expect(losses.parts.keys == ["answers"])
    }

    @Test(
        "Ranking by the rules of both",
        arguments: [
            (AnswerScore.smoothed(0.1), "neg_loss_lavis", "answers_lavis"),
            (.likelihood, "neg_loss_no_smoothing", "answers_no_smoothing"),
            (.firstTokenTwice, "log_probs_sum_original_repo", "answers_original_repo"),
        ])
    func ranking(_ score: AnswerScore, _ name: String, _ best: String) throws {
        let golden = try GoldenSet("lavis-vqa")
        let model = try golden.model(.lavis, .vqa)
        let questions = try model.encodeQuestions(
            try golden.input("question_ids"), mask: try golden.input("question_mask"),
            tokens: try model.encodeTokens(try golden.input("image")))
        let decoder = try #require(model.answers)
        let ids = try golden.input("answer_list_ids")
        let first = decoder(
            ids[0..<1, 0..<1].expanded(3, 1), mask: .ones([3, 1]),
            answering: decoder.memory(of: questions), rows: Tensor([0, 1, 2]))
        try golden.expect(first[.all, 0], equals: "rank/first_token_logits")

        let list = try AnswerList(
            try golden.fact("answer_list"), ids: ids, mask: try golden.input("answer_list_mask"))
        let strings: [String: [String]] = try golden.fact("strings")
        let shape = try golden.output("rank/\(name)").shape
        let indices = try golden.output("rank/topk_ids").values(as: Int.self)
        // The number of answers that the decoder reads at once does not matter.
        for batchSize in [4, 512] {
            let found = try model.rankAnswers(
                list, to: questions, candidates: 5, score: score, batchSize: batchSize)
            #expect(found.compactMap(\.first?.text) == strings["rank/\(best)"])
            var scores = [Double](repeating: .nan, count: indices.count)
            for (question, answers) in found.enumerated() {
                let own = question * 5..<(question + 1) * 5
                #expect(Set(answers.map(\.index)) == Set(indices[own]))
                #expect(abs(answers.reduce(0) { $0 + $1.probability } - 1) < 1e-9)
                for answer in answers {
                    let place = try #require(own.first { indices[$0] == answer.index })
                    scores[place] = answer.score
                    #expect(answer.text == list.texts[answer.index])
                }
            }
            try golden.expect(Tensor(scores, shape: shape), equals: "rank/\(name)")
        }
    }

    @Test("A list that is shorter than the number of candidates is ranked completely")
    func shortList() throws {
        let golden = try GoldenSet("lavis-vqa")
        let model = try golden.model(.lavis, .vqa)
        let questions = try model.encodeQuestions(
            try golden.input("question_ids"), mask: try golden.input("question_mask"),
            tokens: try model.encodeTokens(try golden.input("image")))
        let list = try AnswerList(
            try golden.fact("answer_list"), ids: try golden.input("answer_list_ids"),
            mask: try golden.input("answer_list_mask"))
        for answers in try model.rankAnswers(list, to: questions) {
            #expect(answers.map(\.index).sorted() == Array(0..<list.count))
            #expect(zip(answers, answers.dropFirst()).allSatisfy { $0.score >= $1.score })
        }
    }
}
