import Foundation
import ImageText
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("albef explain")
struct ExplainCommandTests {
    private func withModel(_ body: (FilePath) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            try TinyImages.write(2, to: folder.appending("photos"))
            try await body(folder)
        }
    }

    @Test func drawsAndPrints() async throws {
        try await withModel { folder in
            let arguments = ["explain", "photos/001.bmp", "two <dogs> & 火车", "--model", "model"]
            for (file, signature) in [
                ("heat.png", [0x89, 0x50] as [UInt8]), ("heat.jpg", [0xFF, 0xD8]),
            ] {
                let result = try await Command.run(arguments + ["-o", file], folder: folder)
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.output.hasPrefix("match ") && result.output.contains("%  dogs"))
                let path = folder.appending(file)
                let bytes = try Data(contentsOf: URL(filePath: path.string))
                #expect(bytes.starts(with: signature))
                // Two panels beside each other, two rows of words below them.
                let figure = try ImageLoader().load(path)
                #expect(figure.width == 904 && figure.height > 600)
            }
        }
    }

    @Test func printsJSON() async throws {
        try await withModel { folder in
            let result = try await Command.run(
                ["explain", "photos/001.bmp", "two dogs", "--model", "model", "--json"],
                folder: folder)
            #expect(result.status == 0, "\(result.errors)")
            let json = try result.json()
            #expect(
                Set(json.keys) == [
                    "path", "text", "similarity", "match_logit", "match_probability", "layer",
                    "map", "tokens", "words",
                ])
            let map = try #require(json["map"] as? [[Double]])
            #expect(map.count == 3 && map.allSatisfy { $0.count == 3 })
            let words = try #require(json["words"] as? [[String: Any]])
            #expect(words.map { $0["word"] as? String } == ["two", "dogs"])
            #expect(words.allSatisfy { Set($0.keys) == ["word", "tokens", "share", "map"] })
            let tokens = try #require(json["tokens"] as? [[String: Any]])
            #expect(tokens.first?["token"] as? String == "[CLS]")
        }
    }

    @Test(arguments: [
        (["photos/001.bmp", "train", "--layer", "1"], "layer 1 does not read the image"),
        (["photos/001.bmp", "..."], "nothing is left"),
        (["photos/009.bmp", "train"], "photos/009.bmp"),
        (["photos/001.bmp", "train", "-o", "heat.gif"], "--output 'heat.gif'"),
        (["photos/001.png", "train", "-o", "photos/./001.png"], "would replace the image"),
        (["photos/001.bmp", "train", "-o", "nowhere/heat.png"], "nowhere/heat.png"),
    ])
    func badInputIsNamed(_ arguments: [String], _ named: String) async throws {
        try await withModel { folder in
            let result = try await Command.run(
                ["explain"] + arguments + ["--model", "model"], folder: folder)
            #expect(result.status != 0 && result.output.isEmpty)
            #expect(result.errors.contains(named), "\(result.errors)")
            #expect(!result.errors.contains("Fatal error"))
        }
    }
}
