import ALBEF
import TestSupport
import Testing
import Torch

@Suite("Answers that a model writes")
struct AnswerGenerationTests {
    private let model: ALBEFModel
    private let questions: EncodedQuestions
    private let start: Int
    private let end: Int

    init() throws {
        let golden = try GoldenSet("lavis-vqa")
        model = try golden.model(.lavis, .vqa)
        questions = try model.encodeQuestions(
            try golden.input("question_ids"), mask: try golden.input("question_mask"),
            tokens: try model.encodeTokens(try golden.input("image")))
        let answer: [Int] = try golden.input("answer_list_ids")[0].values()
        (start, end) = (answer[0], answer[2])
    }

    /// The log-probabilities `[prefixes.count, V]` of the token after each of some prefixes of equal
    /// length.
    private func next(_ prefixes: [[Int]], _ question: Int) throws -> [[Double]] {
        let decoder = try #require(model.answers)
        let length = prefixes[0].count + 1
        let logits = decoder(
            Tensor(prefixes.flatMap { [start] + $0 }, shape: [prefixes.count, length]),
            mask: .ones([prefixes.count, length]), answering: decoder.memory(of: questions),
            rows: Tensor([Int](repeating: question, count: prefixes.count)))
        let logs = logits[.all, length - 1].logSoftmax(1)
        return (0..<prefixes.count).map { logs[$0].values() }
    }

    @Test("Greedy search takes the most probable token until that is the end")
    func greedy() throws {
        let settings = AnswerGeneration(start: start, end: end, maximumTokens: 6)
        for (question, answers) in try model.generateAnswers(to: questions, settings).enumerated() {
            let answer = try #require(answers.first)
            #expect(answers.count == 1 && answer.tokens.count <= 6)
            var sum = 0.0
            for (place, token) in (answer.tokens + [end]).enumerated() {
                let logs = try next([Array(answer.tokens[..<place])], question)[0]
                sum += logs[token]
                // The last token of the maximum length has to be the end.
                if place < 6 {
                    #expect(logs.indices.max { logs[$0] < logs[$1] } == token)
                }
            }
            #expect(abs(sum - answer.logLikelihood) < 1e-4)
        }
    }

    @Test("A beam as wide as the vocabulary finds every answer of one token, in order")
    func wideBeam() throws {
        let settings = AnswerGeneration(start: start, end: end, beams: 200, maximumTokens: 1)
        let found = try model.generateAnswers(to: questions, settings)
        for question in 0..<questions.count {
            let first = try next([[]], question)[0]
            let tokens = first.indices.filter { $0 != end }
            var expected = [(tokens: [Int](), log: first[end])]
            for (token, logs) in zip(tokens, try next(tokens.map { [$0] }, question)) {
                expected.append(([token], first[token] + logs[end]))
            }
            expected.sort { $0.log > $1.log }
            #expect(found[question].count == 200)
            for (answer, expected) in zip(found[question], expected) {
                #expect(abs(answer.logLikelihood - expected.log) < 1e-4)
            }
            #expect(found[question][0].tokens == expected[0].tokens)
            #expect(Set(found[question].map(\.tokens)).count == 200)
        }
    }

    @Test("The likelihood of an answer is that of its tokens and the end")
    func likelihood() throws {
        let settings = AnswerGeneration(start: start, end: end, beams: 3, maximumTokens: 4)
        for (question, answers) in try model.generateAnswers(to: questions, settings).enumerated() {
            #expect(answers.count == 3)
            for answer in answers {
                var sum = 0.0
                for (place, token) in (answer.tokens + [end]).enumerated() {
                    sum += try next([Array(answer.tokens[..<place])], question)[0][token]
                }
                #expect(abs(sum - answer.logLikelihood) < 1e-4)
                #expect(answer.score == answer.logLikelihood)
            }
        }
    }

    @Test("More beams never find a less likely answer here, and questions do not affect each other")
    func widths() throws {
        func best(_ beams: Int, _ questions: EncodedQuestions) throws -> [Double] {
            try model.generateAnswers(
                to: questions,
                AnswerGeneration(start: start, end: end, beams: beams, maximumTokens: 4)
            ).compactMap(\.first?.logLikelihood)
        }
        let (one, four) = (try best(1, questions), try best(4, questions))
        #expect(zip(one, four).allSatisfy { $0 <= $1 + 1e-6 })
        for index in 0..<questions.count {
            let alone = EncodedQuestions(
                states: questions.states[index..<index + 1], mask: questions.mask[index..<index + 1]
            )
            #expect(abs(try best(4, alone)[0] - four[index]) < 1e-4)
        }
    }

    @Test("A length penalty divides the likelihood")
    func lengthPenalty() throws {
        let settings = AnswerGeneration(
            start: start, end: end, beams: 3, maximumTokens: 4, lengthPenalty: 1)
        for answer in try model.generateAnswers(to: questions, settings).joined() {
            let length = Double(answer.tokens.count + 1)
            #expect(abs(answer.score - answer.logLikelihood / length) < 1e-9)
        }
    }

    @Test("Settings out of range are refused")
    func refused() throws {
        func message(_ settings: AnswerGeneration) -> String {
            failure { _ = try model.generateAnswers(to: questions, settings) }
        }
        #expect(message(.init(start: 200, end: end)).contains("begin token 200"))
        #expect(message(.init(start: start, end: -1)).contains("end token -1"))
        #expect(message(.init(start: start, end: end, beams: 0)).contains("at least one beam"))
        #expect(message(.init(start: start, end: end, maximumTokens: 40)).contains("1...39"))
        let other = try TinyObjective.model()
        #expect(
            failure { _ = try other.generateAnswers(to: questions, .init(start: 1, end: 2)) }
                .contains("answers need a vqa model"))
        let (ids, mask) = (Tensor([2, 7, 3], shape: [1, 3]), Tensor.ones([1, 3]))
        #expect(
            failure { _ = try AnswerList([], ids: ids, mask: mask) }.contains(
                "list of answers is empty"))
        #expect(
            failure { _ = try AnswerList(["a", "b"], ids: ids, mask: mask) }
                .contains("has 2 answers"))
        #expect(
            failure {
                _ = try AnswerList([""], ids: ids[.all, 0..<2], mask: mask[.all, 0..<2])
            }.contains("has no token"))
    }
}
