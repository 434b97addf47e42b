import Foundation
import ImageText
import SystemPackage
import Testing

@Suite struct CaptionTextsTests {
    /// Runs `body` with a file of the given name and content.
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
        ("a.txt", "\u{FEFF}one\r\n\n  \n两只狗\ntwo"),
        (
            "a.json",
            #"[{"image": "1.jpg", "caption": ["one", "两只狗"]}, {"image": "2.jpg", "caption": "two"}]"#
        ),
        (
            "a.jsonl",
            "{\"image\": \"1\", \"caption\": [\"one\", \"\", \"两只狗\"]}\n"
                + "{\"image\": \"2\", \"caption\": \"two\"}"
        ),
        ("a.csv", "image,caption\n1.jpg,one\n1.jpg,两只狗\n2.jpg,two\n"),
    ])
    func everyFormatIsRead(name: String, content: String) throws {
        let captions = try withFile(name, content.utf8) { try CaptionTexts.read($0) }
        #expect(captions == ["one", "两只狗", "two"])
    }

    @Test func aFaultIsNamed() throws {
        let invalid = #expect(throws: VocabularyError.self) {
            try withFile("a.txt", [0x61, 0x0A, 0xFF]) { try CaptionTexts.read($0) }
        }
        #expect(invalid?.description.contains("a.txt: line 2 is not") == true)
        let missing = #expect(throws: VocabularyError.self) {
            try CaptionTexts.read("/nonexistent/captions.txt")
        }
        #expect(missing?.description.contains("/nonexistent/captions.txt: cannot be") == true)
        let field = #expect(throws: DatasetError.self) {
            try withFile("a.json", #"[{"image": "1", "caption": 3}]"#.utf8) {
                try CaptionTexts.read($0)
            }
        }
        #expect(field?.description.contains("caption") == true)
    }

    @Test func aVocabularyIsWrittenAsItIsReadAndNotOverwritten() throws {
        var words = WordCounts(rules: nil, isUncased: false)
        words.add(try CaptionRow.load().map(\.text))
        let vocabulary = try VocabularyTrainer(size: 900, minimumFrequency: 1).train(on: words)
        try withFile("old.txt", "old".utf8) { old in
            let error = #expect(throws: VocabularyError.self) { try vocabulary.write(to: old) }
            #expect(error?.description.contains("old.txt: already exists") == true)
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
        #expect(error?.description.contains("/nonexistent/vocab.txt: cannot ") == true)
    }
}
