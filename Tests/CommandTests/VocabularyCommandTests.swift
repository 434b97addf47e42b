import Foundation
import ImageText
import SystemPackage
import TestSupport
import Testing

@Suite("albef vocabulary")
struct VocabularyCommandTests {
    private static func write(_ text: String, to file: FilePath) throws {
        try text.write(toFile: file.string, atomically: true, encoding: .utf8)
    }

    @Test func learnsFromSeveralFiles() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try Self.write("Two dogs!\ntwo dogs, a cat\n", to: folder.appending("a.txt"))
            try Self.write(
                #"[{"image": "1.jpg", "caption": ["两只狗。", "两只猫。"]}]"#,
                to: folder.appending("b.json"))
            let train = ["vocabulary", "train", "a.txt", "b.json", "--output", "vocab.txt"]
            let result = try await Command.run(
                train + ["--size", "60", "--json"], folder: folder)
            #expect(result.status == 0, "\(result.errors)")
            let json = try result.json()
            let vocabulary = try Vocabulary(contentsOf: folder.appending("vocab.txt"))
            #expect(json["size"] as? Int == vocabulary.count && json["captions"] as? Int == 4)
            #expect(json["words"] as? Int == 14 && json["distinct_words"] as? Int == 9)
            // 猫 and 狗 occur once, and so do "c" of cat and its word.
            #expect(json["unknown_share"] as? Double == 3 / 14.0)
            #expect(json["tokens_per_caption"] as? Double == 14 / 4.0)
            #expect(json["single_token_share"] as? Double == 11 / 14.0)
            #expect(vocabulary.id(of: "dogs") != nil && vocabulary.id(of: "只") != nil)
            #expect(result.errors.contains("instead of 60"))

            let again = try await Command.run(train + ["--size", "10"], folder: folder)
            #expect(again.status != 0 && again.errors.contains("vocab.txt already exists"))
            let forced = try await Command.run(train + ["--size", "10", "--force"], folder: folder)
            #expect(forced.status == 0 && forced.output.contains("wrote vocab.txt: 10 tokens"))
            #expect(try Vocabulary(contentsOf: folder.appending("vocab.txt")).count == 10)
        }
    }

    @Test func dialectAndAccentsAreFollowed() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try Self.write("a dog's café\na dog's café\n", to: folder.appending("a.txt"))
            for (options, words) in [
                ([], ["dogs", "cafe"]), (["--dialect", "lavis"], ["dog", "'", "cafe"]),
                (["--cased"], ["dogs", "café"]),
            ] {
                let result = try await Command.run(
                    ["vocabulary", "train", "a.txt", "--size", "90", "--output", "v", "--force"]
                        + options, folder: folder)
                #expect(result.status == 0, "\(result.errors)")
                let vocabulary = try Vocabulary(contentsOf: folder.appending("v"))
                #expect(words.allSatisfy { vocabulary.id(of: $0) != nil }, "\(options)")
            }
        }
    }

    @Test func badInputIsNamed() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try Self.write("[{\"caption\": 3}]", to: folder.appending("bad.json"))
            try Self.write("...\n", to: folder.appending("empty.txt"))
            for (arguments, named) in [
                (["nowhere.txt", "--size", "100"], "nowhere.txt"),
                (["bad.json", "--size", "100"], "bad.json: [0]"),
                (["empty.txt", "--size", "100"], "no words"),
                (["empty.txt", "--size", "5"], "--size"),
                (["empty.txt", "--size", "9", "--minimum-frequency", "0"], "--minimum-frequency"),
            ] {
                let result = try await Command.run(
                    ["vocabulary", "train"] + arguments + ["--output", "out"], folder: folder)
                #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
                #expect(result.errors.contains(named), "\(arguments): \(result.errors)")
                #expect(!FileManager.default.fileExists(atPath: folder.appending("out").string))
            }
        }
    }
}
