import Foundation
import ImageText
import SystemPackage
import Testing

@Suite("Answer lists and results of VQA")
struct AnswerChoicesTests {
    private func item(_ answers: String...) -> QuestionItem {
        QuestionItem(image: "a.jpg", question: "p?", answers: answers)
    }

    @Test("A list is a JSON list of texts, and survives being written")
    func file() async throws {
        let text = #"["yes", "no", "Yes", "\u00e9", "e\u0301", "it's \"x\"", "a\\b"]"#
        let (read, again) = try await TaskFixtures.read(text) { file, folder in
            let read = try AnswerChoices(reading: file)
            let copy = folder.appending("copy.json")
            try read.write(to: copy)
            return (read, try AnswerChoices(reading: copy))
        }
        #expect(read.texts.prefix(3) == ["yes", "no", "Yes"] && read.texts.count == 7)
        #expect(read.texts.suffix(2) == ["it's \"x\"", "a\\b"])
        #expect(again.texts.map { Array($0.utf8) } == read.texts.map { Array($0.utf8) })
    }

    @Test(
        "Errors name the answer",
        arguments: [
            (#"["yes", "no", "yes"]"#, "x.json: [2]: repeats [0], 'yes'; remove one"),
            (#"["yes", "", "no"]"#, "x.json: [1]: is empty; remove it"),
            (#"["yes", " \t"]"#, "x.json: [1]: is empty; remove it"),
            (#"["yes", 2]"#, "x.json: [1]: is not a string"),
            (#"{"yes": 0}"#, "x.json: is not a JSON list of answers"),
            ("[]", "x.json: has no answers"),
            ("", "x.json: is empty"),
            ("[\"yes\",\n \"no\"", "x.json:"),
        ])
    func errors(_ text: String, _ expected: String) async {
        await TaskFixtures.expectError(expected, text) { file, _ in
            try AnswerChoices(reading: file)
        }
    }

    @Test("The most frequent answers come first, and equally frequent ones in the order of bytes")
    func mostFrequent() throws {
        var counts = AnswerCounts()
        counts.add([item("no", "yes", "yes", " "), item("b", "a", "no")])
        counts.add([item("yes", "Z", "é")])
        #expect(counts.count == 6)
        let all = try #require(AnswerChoices(mostFrequent: 10, of: counts))
        #expect(all.texts == ["yes", "no", "Z", "a", "b", "é"])
        #expect(AnswerChoices(mostFrequent: 3, of: counts)?.texts == ["yes", "no", "Z"])
        #expect(AnswerChoices(mostFrequent: 3, of: counts, minimum: 2)?.texts == ["yes", "no"])
        #expect(AnswerChoices(mostFrequent: 3, of: counts, minimum: 4) == nil)
        #expect(AnswerChoices(mostFrequent: 3, of: AnswerCounts()) == nil)

        // The order of the data changes nothing.
        var reversed = AnswerCounts()
        reversed.add([item("é", "Z", "no", "a", "b", "yes", "yes", "yes", "no")])
        #expect(AnswerChoices(mostFrequent: 10, of: reversed) == all)
    }

    @Test("Results are a JSON list with the identifiers as they were")
    func results() async throws {
        let results: [AnswerResult] = [
            .init(questionID: .number(262_148_000), answer: "down"),
            .init(questionID: .text("q\"9"), answer: "it's\n\\ \"é\""),
        ]
        try await DatasetFixtures.withFolder { folder in
            let file = folder.appending("results.json")
            try DatasetFixtures.write("old", to: file)
            try AnswerResult.write(results, to: file)
            let data = try Data(contentsOf: URL(filePath: file.string))
            struct Record: Decodable {
                let question_id: RecordID
                let answer: String
            }
            let read = try JSONDecoder().decode([Record].self, from: data)
            #expect(read.map(\.question_id) == results.map(\.questionID))
            #expect(read.map(\.answer) == results.map(\.answer))
            #expect(
                String(decoding: data, as: UTF8.self).hasPrefix(
                    #"[{"question_id": 262148000, "answer": "down"},"#))

            try AnswerResult.write([], to: file)
            #expect(try String(contentsOfFile: file.string, encoding: .utf8) == "[]\n")
            let nowhere = folder.appending("none").appending("results.json")
            #expect {
                try AnswerResult.write(results, to: nowhere)
            } throws: {
                $0 is DatasetError && "\($0)".hasPrefix("\(nowhere): cannot create it: ")
            }
        }
    }
}
