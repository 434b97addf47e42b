import ALBEF
import Foundation
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("The vocabulary of 'albef models create'", .serialized)
struct CreateVocabularyTests {
    private static let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    private static let table = "text_encoder.bert.embeddings.word_embeddings.weight"

    private func create(
        _ folder: FilePath, text: String = "minilm", _ options: [String]
    ) async throws -> Command.Result {
        let towers = Fixtures.path("towers")
        let text = text.hasPrefix("/") ? text : towers.appending(text).string
        return try await Command.run(
            [
                "models", "create", "--image", towers.appending("timm-vit").string, "--text", text,
                "--output", "model",
            ] + options, folder: folder)
    }

    private func write(_ lines: [String], _ name: String, _ folder: FilePath) throws {
        try Data(lines.map { $0 + "\n" }.joined().utf8)
            .write(to: URL(filePath: folder.appending(name).string))
    }

    private func rows(_ folder: FilePath) throws -> [[Float]] {
        let file = try SafetensorsFile(
            folder.appending("model").appending("model.safetensors"))
        let table = try Tensor(file.tensor(Self.table))
        return table.unbound().map { $0.values() }
    }

    @Test("Keeps rows, makes rows from glosses, and makes new ones, in the order of the file")
    func replaced() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let own = try await create(folder, [])
            #expect(own.status == 0, "\(own.errors)")
            #expect(!own.output.contains("word embeddings:"))
            let before = try rows(folder)
            try write(["狗"] + Self.special + ["b", "猫"], "v.txt", folder)
            try write(["狗\tab", "鸟\tc"], "g.tsv", folder)
            let options = ["--vocabulary", "v.txt", "--glosses", "g.tsv"]
            let made = try await create(folder, options)
            #expect(made.status == 0, "\(made.errors)")
            #expect(
                made.output.contains(
                    "word embeddings: 6 rows kept, 1 made from glosses, 1 new\n"),
                "\(made.output)")
            let after = try rows(folder)
            // `a` and `##b` are the tokens 5 and 32.
            let mean = zip(before[5], before[32]).map { ($0 + $1) / 2 }
            for (a, b) in zip(after[0], mean) { #expect(abs(a - b) < 1e-6) }
            #expect(Array(after[1...5]) == Array(before[0...4]) && after[6] == before[6])
            #expect(after.count == 8)

            let opened = try ModelDirectory.open(folder.appending("model"))
            #expect(opened.configuration.text.vocabularySize == 8)
            #expect(opened.configuration.text.paddingToken == 1)
            #expect(!opened.newParts.contains(Self.table))
            #expect(opened.newParts.contains("itm_head.weight"))

            // The same seed gives the same rows; the JSON report counts them.
            let again = try await create(folder, options + ["--json"])
            #expect(again.output.contains("6 rows kept, 1 made from glosses, 1 new"))
            #expect(try rows(folder) == after)
            let other = try await create(folder, options + ["--seed", "7"])
            #expect(other.status == 0)
            let changed = try rows(folder)
            #expect(changed[7] != after[7] && changed.dropLast() == after.dropLast())
        }
    }

    @Test("Naming the tower's own vocabulary changes nothing")
    func own() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            _ = try await create(folder, [])
            let before = try rows(folder)
            let words = Fixtures.path("towers/minilm/vocab.txt").string
            let named = try await create(folder, ["--vocabulary", words])
            #expect(named.status == 0 && !named.output.contains("word embeddings:"))
            #expect(try rows(folder) == before)
            // Its first tokens by themselves are another vocabulary.
            let lines = try String(contentsOfFile: words, encoding: .utf8).split(separator: "\n")
            try write(lines.prefix(20).map(String.init), "v.txt", folder)
            let short = try await create(folder, ["--vocabulary", "v.txt"])
            #expect(short.output.contains("20 rows kept, 0 made from glosses, 0 new"))
            #expect(try rows(folder) == Array(before.prefix(20)))
        }
    }

    @Test("Reports errors with file, line and field, and writes nothing")
    func refusals() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try write(Self.special + ["狗"], "v.txt", folder)
            try write(Self.special.dropLast() + ["狗"], "short.txt", folder)
            try write(["猫\ta", "狗\t鸟"], "g.tsv", folder)
            // A text tower without a WordPiece vocabulary beside it.
            let bare = folder.appending("bare")
            try FileManager.default.copyItem(
                atPath: Fixtures.path("towers/minilm").string, toPath: bare.string)
            try FileManager.default.moveItem(
                atPath: bare.appending("vocab.txt").string,
                toPath: bare.appending("sentencepiece.bpe.model").string)
            for (text, options, expected) in [
                ("minilm", ["--glosses", "g.tsv"], "another --vocabulary"),
                ("minilm", ["--vocabulary", "short.txt"], "short.txt: the special token [MASK]"),
                ("minilm", ["--vocabulary", "none.txt"], "none.txt: cannot be read"),
                (
                    "minilm", ["--vocabulary", "v.txt", "--glosses", "g.tsv"],
                    "g.tsv: line 2, field 2: '鸟', for '狗', has no word"
                ),
                ("open-clip", ["--vocabulary", "v.txt"], "is not a BERT"),
                (
                    bare.string, ["--vocabulary", "v.txt"],
                    "bare has no vocab.txt beside it, only sentencepiece.bpe.model: v.txt, of 6"
                ),
                (
                    bare.string, ["--vocabulary", "v.txt", "--glosses", "g.tsv"],
                    "only sentencepiece.bpe.model: --glosses cannot be used"
                ),
            ] {
                let made = try await create(folder, text: text, options)
                #expect(made.status != 0 && made.errors.contains(expected), "\(made.errors)")
                #expect(!FileManager.default.fileExists(atPath: folder.appending("model").string))
            }
        }
    }
}
