import ALBEF
import Foundation
import ImageText
import SystemPackage
import TestSupport
import Testing

@Suite("Sentences, questions and answers as tokens")
struct TaskTextsTests {
    private func texts(_ dialect: Dialect = .albef, positions: Int = 16) throws -> (
        TaskTexts, Vocabulary
    ) {
        let vocabulary = try Vocabulary(contentsOf: Fixtures.tinyVocabulary)
        var text = ALBEFConfiguration.Text()
        text.vocabularySize = vocabulary.count
        (text.positions, text.maximumTokens) = (positions, 5)
        let configuration = ALBEFConfiguration(dialect: dialect, text: text)
        return (TaskTexts(vocabulary: vocabulary, configuration: configuration), vocabulary)
    }

    @Test("Sentences end as captions of the dialect do, and are not cut to the length of captions")
    func sentences() throws {
        let long = "red cat two dogs near tree man"
        for (dialect, ends) in [(Dialect.albef, false), (.lavis, true)] {
            let (texts, vocabulary) = try texts(dialect)
            let row = texts.sentences([long])[0]
            #expect(row.count > 8)
            #expect((row.last == vocabulary.special.separator) == ends)
        }
    }

    @Test("Answers have a begin and an end in every dialect, and become text again")
    func answers() throws {
        for dialect in [Dialect.albef, .lavis] {
            let (texts, vocabulary) = try texts(dialect)
            let batch = texts.answers(["red", "two dogs"])
            #expect(batch[0].first == vocabulary.special.start)
            for (row, text) in ["red", "two dogs"].enumerated() {
                let tokens = batch[row]
                #expect(tokens.last == vocabulary.special.separator)
                #expect(texts.answer(of: Array(tokens.dropFirst().dropLast())) == text)
            }
            #expect(texts.answerBounds.start == vocabulary.special.start)
            #expect(texts.answerBounds.end == vocabulary.special.separator)
        }
    }

    @Test("Questions of training are cut to a number of tokens, those of tests to the positions")
    func questions() throws {
        let (texts, _) = try texts(positions: 12)
        let long = Array(repeating: "red", count: 40).joined(separator: " ")
        #expect(texts.questions([long], maximumTokens: 6).length == 6)
        #expect(texts.questions([long]).length == 12)
        #expect(texts.questions(["Red, cat?"])[0] == texts.questions(["red cat"])[0])
    }

    @Test("An answer without tokens is refused by its place in the list")
    func blank() throws {
        let (texts, _) = try texts()
        let folder = FileManager.default.temporaryDirectory
        let file = folder.appending(path: "answers-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("[\"red\", \"\u{200B}\"]".utf8).write(to: file)
        let choices = try AnswerChoices(reading: .init(file.path))
        let error = #expect(throws: ALBEFError.self) { try texts.list(choices) }
        #expect(error.map { "\($0)".contains("answer 2 of the list") } == true)
    }
}
