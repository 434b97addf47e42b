import Foundation
import ImageText
import SystemPackage
import Testing

@Suite struct VocabularyTests {
    static let special = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]"

    @Test func publishedVocabulariesHaveTheirKnownIDs() throws {
        let english = try TextFixtures.vocabulary("bert-base-uncased")
        #expect(english.count == 30_522)
        #expect(english.special.ids == [0, 100, 101, 102, 103])
        #expect(english.id(of: "##strom") == 15_687)
        #expect(english.id(of: "no such token") == nil)
        #expect(english.tokens(of: [101, 1037, -1, 30_522]) == ["[CLS]", "a", nil, nil])

        let chinese = try TextFixtures.vocabulary("bert-base-chinese")
        #expect(chinese.count == 21_128)
        // Two tokens are line separators; splitting on them would shift every id that follows.
        #expect(chinese.tokens[343].unicodeScalars.contains("\u{2028}"))
        #expect(chinese.id(of: chinese.tokens[13_502]) == 13_502)
        #expect(chinese.special.ids == [0, 100, 101, 102, 103])
    }

    @Test func everyTokenIsFoundUnderItsOwnID() throws {
        for name in ["bert-base-uncased", "bert-base-chinese", "tiny"] {
            let vocabulary = try TextFixtures.vocabulary(name)
            let wrong = vocabulary.tokens.indices.filter {
                vocabulary.id(of: vocabulary.tokens[$0]) != $0
            }
            #expect(wrong.isEmpty, "\(name)")
        }
    }

    @Test func aFinalNewlineIsOptional() throws {
        #expect(try Vocabulary(Self.special).count == 5)
        #expect(try Vocabulary(Self.special + "\n").count == 5)
    }

    @Test func equivalentSpellingsAreDifferentTokens() throws {
        let vocabulary = try Vocabulary(Self.special + "\n\u{E9}\ne\u{301}\n\u{F900}\n\u{8C48}")
        #expect(vocabulary.id(of: "\u{E9}") == 5)
        #expect(vocabulary.id(of: "e\u{301}") == 6)
        #expect(vocabulary.id(of: "\u{F900}") == 7)
        #expect(vocabulary.id(of: "\u{8C48}") == 8)
    }

    @Test(
        "Windows line ends and a byte order mark are not part of tokens",
        arguments: ["\u{FEFF}", ""], ["\n", "\r\n"])
    func windowsFiles(mark: String, end: String) throws {
        let lines: [String] = Self.special.components(separatedBy: "\n") + ["a", "b"]
        for last in ["", end] {
            let text = mark + lines.joined(separator: end) + last
            #expect(try Vocabulary(text).tokens == lines)
            let file = FileManager.default.temporaryDirectory
                .appending(path: "\(UUID().uuidString).txt")
            defer { try? FileManager.default.removeItem(at: file) }
            try Data(text.utf8).write(to: file)
            #expect(
                try Vocabulary(contentsOf: FilePath(file.path)).tokens == lines)
        }
    }

    @Test(arguments: [
        ("", "empty"),
        ("[PAD]\n[UNK]\n[CLS]\n[SEP]\na", "[MASK] is missing"),
        ("[PAD]\r\n[UNK]\r\n[CLS]\n[SEP]\r\n[MASK]\r\n", "carriage return"),
        (special + "\na\nb\na", "'a' is on line 6 and again on line 8"),
        (special + "\n\na", "line 6 is empty"),
    ])
    func aFaultIsNamed(text: String, message: String) throws {
        let error = #expect(throws: VocabularyError.self) {
            try Vocabulary(text, source: "words.txt")
        }
        let description = try #require(error?.description)
        #expect(description.contains(message) && description.contains("words.txt"))
    }

    @Test func aMissingFileAndBytesThatAreNotTextAreNamed() throws {
        let missing = #expect(throws: VocabularyError.self) {
            try Vocabulary(contentsOf: "/nonexistent/vocab.txt")
        }
        #expect(missing?.description.contains("/nonexistent/vocab.txt") == true)

        let file = FileManager.default.temporaryDirectory
            .appending(path: "\(UUID().uuidString).txt")
        defer { try? FileManager.default.removeItem(at: file) }
        try (Data("\(Self.special)\n".utf8) + Data([0xFF, 0xFE])).write(to: file)
        let invalid = #expect(throws: VocabularyError.self) {
            try Vocabulary(contentsOf: FilePath(file.path))
        }
        #expect(invalid?.description.contains("line 6 is not UTF-8") == true)
    }
}
