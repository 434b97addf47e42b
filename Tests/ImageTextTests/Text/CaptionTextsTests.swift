import Foundation
import ImageText
import SystemPackage
import Testing

@Suite struct CaptionTextsTests {
    /// Runs `body` with a file of that name and content.
    private func withFile<Result>(
        _ name: String, _ content: some Sequence<UInt8>, _ body: (FilePath) throws -> Result
    ) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: name)
        try Data(content).write(to: file)
        return try body(FilePath(file.path))
    }

    @Test(arguments: [
        ("a.txt", "one\r\n\n  \n两只狗\ntwo"),
        ("a", "one\n两只狗\ntwo\n"),
        ("a.json", #"[{"image": "1.jpg", "caption": ["one", "两只狗"]}, {"caption": "two"}]"#),
        (
            "a.jsonl",
            "{\"caption\": [\"one\", \"\"]}\r\n\n{\"caption\": \"两只狗\"}\n{\"caption\": \"two\"}"
        ),
    ])
    func everyFormatIsRead(name: String, content: String) throws {
        let captions = try withFile(name, content.utf8) { try CaptionTexts.read($0) }
        #expect(captions == ["one", "两只狗", "two"])
    }

    @Test(arguments: [
        ("a.json", "{\"caption\": \"one\"}", "is not a list"),
        ("a.json", "[{\"caption\": \"one\"", "is not JSON"),
        ("a.json", "[{\"caption\": \"one\"}, 3]", "entry 2 is not an entry"),
        ("a.json", "[{\"text\": \"one\"}]", "entry 1 has no field 'caption'"),
        ("a.json", "[{\"caption\": [\"one\", 2]}]", "field 'caption' of entry 1"),
        ("a.jsonl", "{\"caption\": \"one\"}\n\n{\"caption\"}", "line 3 is not JSON"),
        ("a.jsonl", "\n{\"caption\": null}", "field 'caption' of line 2"),
    ])
    func aFaultIsNamed(name: String, content: String, message: String) throws {
        let error = #expect(throws: CaptionTextsError.self) {
            try withFile(name, content.utf8) { try CaptionTexts.read($0) }
        }
        let description = try #require(error?.description)
        #expect(description.contains(name) && description.contains(message), "\(description)")
    }

    @Test func bytesThatAreNotTextAndMissingFilesAreNamed() throws {
        let invalid = #expect(throws: CaptionTextsError.self) {
            try withFile("a.txt", [0x61, 0x0A, 0xFF]) { try CaptionTexts.read($0) }
        }
        #expect(invalid?.description.contains("line 2 is not UTF-8") == true)
        let missing = #expect(throws: CaptionTextsError.self) {
            try CaptionTexts.read("/nonexistent/captions.json")
        }
        #expect(missing?.description.contains("/nonexistent/captions.json: cannot be") == true)
    }

    @Test func aVocabularyIsWrittenAsItIsReadAndNotOverwritten() throws {
        var words = WordCounts(rules: nil, isUncased: false)
        words.add(try CaptionRow.load().map(\.text))
        let vocabulary = try VocabularyTrainer(size: 900, minimumFrequency: 1).train(on: words)
        try withFile("old.txt", "old".utf8) { old in
            let error = #expect(throws: VocabularyError.self) { try vocabulary.write(to: old) }
            #expect(error?.description.contains("old.txt: is there already") == true)
            #expect(try Data(contentsOf: URL(filePath: old.string)) == Data("old".utf8))
            let new = old.removingLastComponent().appending("new.txt")
            for (file, replaces) in [(old, true), (new, false)] {
                try vocabulary.write(to: file, replacing: replaces)
                let bytes = try Data(contentsOf: URL(filePath: file.string))
                #expect(bytes.last == UInt8(ascii: "\n"))
                #expect(bytes.count(where: { $0 == UInt8(ascii: "\n") }) == vocabulary.count)
                let read = try Vocabulary(contentsOf: file).tokens
                #expect(zip(read, vocabulary.tokens).allSatisfy(same) && read.count == 900)
            }
        }
        let error = #expect(throws: VocabularyError.self) {
            try vocabulary.write(to: "/nonexistent/vocab.txt")
        }
        #expect(error?.description.contains("/nonexistent/vocab.txt: cannot be written") == true)
    }
}
