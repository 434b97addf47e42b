import Foundation
import ImageText
import SystemPackage
import Testing

@Suite struct TokenizerFileTests {
    private static func message(_ json: String) -> String {
        do {
            _ = try Tokenizer.read(Array(json.utf8), name: "tokenizer.json", source: "FILE")
            return ""
        } catch {
            return error.description
        }
    }

    private static func pipeline(_ stage: String) -> String {
        #"{\#(stage), "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}"#
    }

    /// Changes that each replace a letter by nine.
    private static func growing(times count: Int) -> String {
        let change =
            #"{"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaaa"}"#
        let all = Array(repeating: change, count: count).joined(separator: ", ")
        return #""normalizer": {"type": "Sequence", "normalizers": [\#(all)]}"#
    }

    @Test func whatIsNotReadIsNamedWithItsPlace() {
        let refusals = [
            (Self.pipeline(#""normalizer": {"type": "Nmt"}"#), "normalizer: the normalizer Nmt"),
            (
                Self.pipeline(
                    #""normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Weird"}]}"#
                ), "normalizer.normalizers[1]: the normalizer Weird"
            ),
            (
                Self.pipeline(
                    #""normalizer": {"type": "Replace", "pattern": {"Regex": "x+"}, "content": ""}"#
                ), "normalizer.pattern.Regex: the expression x+"
            ),
            (
                Self.pipeline(#""pre_tokenizer": {"type": "UnicodeScripts"}"#),
                "pre_tokenizer: the pre_tokenizer UnicodeScripts"
            ),
            (
                Self.pipeline(
                    #""pre_tokenizer": {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated"}"#
                ), "pre_tokenizer.pattern.Regex"
            ),
            (
                Self.pipeline(#""post_processor": {"type": "Odd"}"#),
                "post_processor: the post_processor Odd"
            ),
            (
                Self.pipeline(
                    #""padding": {"strategy": "BatchLongest", "direction": "Left", "pad_id": 0}"#),
                "padding.direction"
            ),
            (
                Self.pipeline(
                    #""added_tokens": [{"id": 2, "content": "x", "single_word": true}]"#),
                "added_tokens[0]: single_word"
            ),
            (#"{"model": {"type": "WordLevel", "vocab": {}}}"#, "model: the type WordLevel"),
            (
                #"{"model": {"type": "BPE", "dropout": 0.1, "vocab": {}, "merges": []}}"#,
                "model: dropout"
            ),
            (
                #"{"model": {"type": "BPE", "ignore_merges": true, "vocab": {}, "merges": []}}"#,
                "model: ignore_merges"
            ),
        ]
        for (json, expected) in refusals {
            #expect(Self.message(json).hasPrefix("FILE: \(expected)"), "\(Self.message(json))")
        }
    }

    @Test func whatIsWrongIsNamedWithItsPlace() {
        let longResult = Data([0, 0, 0, 0] + [UInt8](repeating: 0x61, count: 4097))
            .base64EncodedString()
        let faults = [
            ("", "byte 0"), ("{", "byte 1"), ("{} x", "byte 3"), ("[]", "byte 0: is not an object"),
            ("{}", "byte 0: \"model\" is missing"), (#"{"model": 3}"#, "model: is not an object"),
            (#"{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}"#, "model.vocab"),
            (#"{"model": {"type": "BPE", "vocab": {"a": 1e3}, "merges": []}}"#, "model.vocab"),
            (
                #"{"model": {"type": "BPE", "vocab": {"a": 99999999}, "merges": []}}"#,
                "model.vocab: the id 99999999 is above the limit"
            ),
            (
                #"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}}"#,
                "model.vocab: 'a' and 'b' share the id 0"
            ),
            (
                #"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a a"]}}"#,
                "model.merges: merge 0, 'a' and 'a'"
            ),
            (
                #"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}}"#,
                "model.merges: merge 0 does not consist of two pieces"
            ),
            (
                #"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "unk_token": "?"}}"#,
                "model.unk_token"
            ),
            (
                #"{"model": {"type": "Unigram", "unk_id": 3, "vocab": [["a", -1]]}}"#,
                "model.unk_id: piece 3 does not exist"
            ),
            (
                #"{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", 1e999]]}}"#,
                "model.vocab"
            ),
            (
                Self.pipeline(
                    #""normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}"#),
                "normalizer.precompiled_charsmap"
            ),
            (
                Self.pipeline(
                    #""normalizer": {"type": "Precompiled", "precompiled_charsmap": "\#(longResult)"}"#
                ), "normalizer.precompiled_charsmap: a result has 4097 bytes"
            ),
            (
                Self.pipeline(Self.growing(times: 4)),
                "normalizer: the changes can make a text more than 4096 times as long"
            ),
            (
                Self.pipeline(
                    #""padding": {"strategy": {"Fixed": 9223372036854775807}, "pad_id": 0}"#),
                "byte 0: padding to 9223372036854775807 tokens is above the limit of 65536"
            ),
            (
                Self.pipeline(#""added_tokens": [{"id": 1, "content": "a"}]"#),
                "added_tokens: 'a' has the id 1, but the id 0 in the vocabulary"
            ),
            (
                Self.pipeline(#""added_tokens": [{"id": 1, "content": "x"}]"#),
                "added_tokens: 'x' has the id 1, which the vocabulary assigns to 'b'"
            ),
            (
                #"{"model": {"type": "WordPiece", "vocab": {"a": 0}}}"#,
                "byte 0: \"normalizer\" is missing"
            ),
        ]
        for (json, expected) in faults {
            #expect(Self.message(json).hasPrefix("FILE: \(expected)"), "\(Self.message(json))")
        }
    }

    @Test func changesMayGrowATextWithinTheLimit() throws {
        let json = Self.pipeline(Self.growing(times: 3))
        let read = try Tokenizer.read(Array(json.utf8), name: "tokenizer.json", source: "FILE")
        #expect(read.tokenizer.ids(of: "a").count == 729)
    }

    @Test func aLengthThatNoTextHasIsNone() throws {
        let json = Self.pipeline(#""truncation": {"max_length": 9223372036854775807}"#)
        let read = try Tokenizer.read(Array(json.utf8), name: "tokenizer.json", source: "FILE")
        #expect(read.framing.length == nil)
    }

    @Test(arguments: ["clip.json", "gemma.json", "unigram.json", "stages.json", "bert.json"])
    func cutAndDamagedFilesDoNoHarm(name: String) throws {
        let bytes = try TokenizerFixtures.bytes(name)
        for part in 0..<20 {
            let cut = Array(bytes.prefix(bytes.count * part / 20))
            #expect(throws: TokenizerError.self) {
                try Tokenizer.read(cut, name: name, source: name)
            }
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<30 {
            var damaged = bytes
            for _ in 0..<3 {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                damaged[place] = UInt8.random(in: 0x20..<0x7F, using: &random)
            }
            // Either an error names a place, or the result is another tokenizer, which must work.
            do {
                let read = try Tokenizer.read(damaged, name: name, source: name).tokenizer
                _ = read.words(of: "Two dogs é 狗在草地上跑 \u{1F600}")
            } catch {
                #expect("\(error)".hasPrefix(name))
            }
        }
    }

    @Test func deepNestingIsRefused() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(Self.message(deep).contains("nested too deep"))
    }

    @Test func aFileAboveTheLimitIsRefusedBeforeItIsRead() throws {
        let file = FileManager.default.temporaryDirectory
            .appending(path: "\(UUID().uuidString).json")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let handle = try FileHandle(forWritingTo: file)
        // A hole, which takes no space.
        try handle.truncate(atOffset: (1 << 29) + 1)
        try handle.close()
        #expect {
            try Tokenizer.read(file: FilePath(file.path))
        } throws: { "\($0)".contains("larger than 536870912 bytes") }
    }

    @Test func aFolderWithoutTokenizerSaysWhatIsWanted() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect {
            try Tokenizer.read(folder: FilePath(folder.path))
        } throws: { "\($0)".contains("it needs tokenizer.json") }
        try Data(try TokenizerFixtures.bytes("spiece.model"))
            .write(to: folder.appending(path: "spiece.model"))
        let read = try Tokenizer.read(folder: FilePath(folder.path))
        #expect(read.files.compactMap(\.lastComponent?.string) == ["spiece.model"])
        #expect {
            try Tokenizer.read(file: FilePath(folder.appending(path: "none.json").path))
        } throws: { "\($0)".contains("cannot be read") }
    }

    @Test func settingsOfTheFolderCompleteTheFile() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func read(_ file: String, as name: String, _ settings: String) throws -> TokenizerOfFolder {
            try Data(try TokenizerFixtures.bytes(file)).write(to: folder.appending(path: name))
            try Data(settings.utf8).write(to: folder.appending(path: "tokenizer_config.json"))
            return try Tokenizer.read(folder: FilePath(folder.path))
        }
        let clip = try read(
            "clip.json", as: "tokenizer.json",
            #"{"model_max_length": 77, "pad_token": {"content": "<|endoftext|>"}}"#)
        #expect(clip.framing.length == 77 && [clip.framing.padding] == clip.framing.end)
        #expect(clip.files.count == 2)
        let gemma = try read(
            "gemma.json", as: "tokenizer.json",
            #"{"model_max_length": 1000000000000000019884624838656, "pad_token": "<eos>"}"#)
        #expect(gemma.framing.length == 64 && gemma.framing.padding == 0)
        try FileManager.default.removeItem(at: folder.appending(path: "tokenizer.json"))
        let cased = try read(
            "../../vocabularies/bert-base-uncased-vocab.txt", as: "vocab.txt",
            #"{"do_lower_case": false}"#)
        #expect(cased.tokenizer.ids(of: "Dogs dogs") == [100, 6077])
        #expect(throws: TokenizerError.self) {
            try read("clip.json", as: "tokenizer.json", #"{"model_max_length": "long"}"#)
        }
    }

    @Test func bertsVocabularyIsReadAsBefore() throws {
        let path = TextFixtures.folder.appending(path: "vocabularies/bert-base-uncased-vocab.txt")
        let bytes = [UInt8](try Data(contentsOf: path))
        let read = try Tokenizer.read(bytes, name: "vocab.txt", source: "vocab.txt")
        let plain = WordPieceTokenizer(
            vocabulary: try TextFixtures.vocabulary("bert-base-uncased"))
        #expect(read.tokenizer.ids(of: "Unaffable dogs") == plain.ids(of: "Unaffable dogs"))
        #expect(read.framing == TextFraming(start: [101], end: [102], padding: 0))
    }
}
