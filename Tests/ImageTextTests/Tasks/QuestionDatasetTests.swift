import ImageText
import SystemPackage
import Testing

@Suite("VQA's annotations")
struct QuestionDatasetTests {
    private let training = """
        [{"image": "a.bmp", "question": "What  is it?", "dataset": "vqa", "question_id": 7,
          "answer": ["cat", "dog", "cat", "cat"]},
         {"image": "a", "question": "Whose?", "dataset": "vg", "answer": "mine"},
         {"image": "sub/b", "question": "Where?", "answer": ["é", "e\\u0301", " ", "é"],
          "question_id": "q-9"}]
        """

    @Test("Records of training have the answers of all people")
    func forms() async throws {
        let items = try await TaskFixtures.read(training) { file, _ in
            try QuestionDataset(reading: [file])
        }.items
        #expect(items.map(\.question) == ["What  is it?", "Whose?", "Where?"])
        #expect(items.map(\.answers.count) == [4, 1, 4])
        #expect(items.map(\.source) == [.vqa, .visualGenome, .vqa])
        #expect(items.map(\.id) == [.number(7), nil, .text("q-9")])
        #expect(items.map(\.image.name) == ["a.bmp", "a.bmp", "b.bmp"])
        #expect(items.map(\.entry) == ["[0]", "[1]", "[2]"])
        #expect(TextRules.albef.question(items[0].question) == "what  is it")
    }

    @Test("Weights are shares of the people, and half for Visual Genome")
    func weights() async throws {
        let items = try await TaskFixtures.read(training) { file, _ in
            try QuestionDataset(reading: [file])
        }.items
        #expect(
            items[0].weightedAnswers() == [
                .init(text: "cat", weight: 0.75), .init(text: "dog", weight: 0.25),
            ])
        #expect(items[1].weightedAnswers() == [.init(text: "mine", weight: 0.5)])
        #expect(
            items[1].weightedAnswers(visualGenomeWeight: 1) == [.init(text: "mine", weight: 1)])
        // Two spellings of é are two answers, as in Python, and the blank one counts as a person.
        let spelled = items[2].weightedAnswers(visualGenomeWeight: 7)
        #expect(spelled.map { $0.text.unicodeScalars.count } == [1, 2])
        #expect(spelled.map(\.weight) == [0.5, 0.25])
    }

    @Test("Questions of a test need no answers, and keep those that they have")
    func test() async throws {
        let text = """
            {"image": "a", "question": "p?", "question_id": 3, "dataset": "vqa"}
            {"image": "a", "question": "q?", "question_id": 4, "answer": ["x", "y"]}
            {"image": "a", "question": "r?", "question_id": 5, "answer": null}
            """
        let items = try await TaskFixtures.read(text, named: "x.jsonl") { file, _ in
            try QuestionDataset(reading: [file], isTest: true)
        }.items
        #expect(items.map(\.answers) == [[], ["x", "y"], []])
        #expect(items.map(\.id) == [.number(3), .number(4), .number(5)])
        await TaskFixtures.expectError("x.jsonl:1: answer: is missing", text, named: "x.jsonl") {
            file, _ in try QuestionDataset(reading: [file])
        }
    }

    @Test("Every question of a test has an identifier of its own, in all files")
    func identifiers() async {
        let record = #"{"image": "a", "question": "p?", "question_id": 3}"#
        await TaskFixtures.expectError(
            "x.json: [1].question_id: 3 is already the one of [0]", "[\(record), \(record)]"
        ) { file, _ in try QuestionDataset(reading: [file], isTest: true) }
        await TaskFixtures.expectError("other.json: [0]", "[\(record)]") { file, folder in
            let other = try DatasetFixtures.write(
                "[\(record)]", to: folder.appending("other.json"))
            return try QuestionDataset(reading: [other, file], isTest: true)
        }
        await TaskFixtures.expectError(
            "x.json: [0].question_id: is missing", #"[{"image": "a", "question": "p?"}]"#
        ) { file, _ in try QuestionDataset(reading: [file], isTest: true) }
    }

    @Test("Images of Visual Genome are in a folder of their own")
    func folders() async throws {
        let text = """
            [{"image": "a", "question": "p?", "answer": "x", "dataset": "vqa"},
             {"image": "b", "question": "q?", "answer": "x", "dataset": "vg"},
             {"image": "b", "question": "r?", "answer": "x", "dataset": "vqa"}]
            """
        let dataset = try await TaskFixtures.read(text) { file, folder in
            try QuestionDataset(
                reading: [file], visualGenomeRoot: folder.appending("sub"), missing: .skipped)
        }
        #expect(dataset.items.map(\.entry) == ["[0]", "[1]"] && dataset.missingCount == 1)
        await TaskFixtures.expectError("x.json: [1]: the image ", text) { file, _ in
            try QuestionDataset(reading: [file])
        }
    }

    @Test(
        "Errors name the file, the record and the field",
        arguments: [
            ("[]", "x.json: has no records"),
            ("yes\n", "x.json: is not a supported annotation file"),
            (
                #"[{"image": "a", "question": "p?", "answer": []}]"#,
                "x.json: [0].answer: has no answer"
            ),
            (
                #"[{"image": "a", "question": "p?", "answer": ["", " "]}]"#,
                "x.json: [0].answer: has only blank answers"
            ),
            (
                #"{"image": "a", "question": "p?", "answer": 3}"#,
                "x.json:1: answer: is neither a string nor a list of strings"
            ),
            (
                #"[{"image": "a", "question": "\n", "answer": "x"}]"#,
                "x.json: [0].question: is empty"
            ),
            (
                #"[{"question": "p?", "answer": "x"}]"#, "x.json: [0].image: is missing"
            ),
            (
                #"[{"image": "a", "question": "p?", "answer": "x", "dataset": "gqa"}]"#,
                "x.json: [0].dataset: is 'gqa'; a question is of vqa or vg"
            ),
            (
                #"[{"image": "a", "question": "p?", "answer": "x", "question_id": [1]}]"#,
                "x.json: [0].question_id: is neither an integer nor a string"
            ),
        ])
    func errors(_ text: String, _ expected: String) async {
        await TaskFixtures.expectError(expected, text) { file, _ in
            try QuestionDataset(reading: [file])
        }
    }
}
