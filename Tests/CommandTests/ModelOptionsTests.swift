import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("The option --model")
struct ModelOptionsTests {
    private static func score(_ model: [String], in folder: FilePath) async throws -> Command.Result
    {
        try await Command.run(["score", "a.bmp", "a red top"] + model, folder: folder)
    }

    @Test("A directory with the name of a shipped model does not replace the model")
    func shadowed() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try Data(TinyImages.bitmap(1)).write(
                to: URL(filePath: folder.appending("a.bmp").string))
            // 'albef wardrobe generate --output wardrobe' makes such a folder.
            try FileManager.default.createDirectory(
                atPath: folder.appending("wardrobe").string, withIntermediateDirectories: false)
            let shipped = try await Self.score(["--model", "wardrobe"], in: folder)
            #expect(shipped.status == 0, "\(shipped.errors)")
            #expect(!shipped.errors.contains("pass --model ./"))
            let path = try await Self.score(["--model", "./wardrobe"], in: folder)
            #expect(path.status != 0 && path.errors.contains("config.json"))

            try FileManager.default.removeItem(atPath: folder.appending("wardrobe").string)
            try TinyModel().write(to: folder.appending("wardrobe"))
            let both = try await Self.score(["--model", "wardrobe"], in: folder)
            #expect(both.output == shipped.output)
            #expect(both.errors.contains("--model ./wardrobe"))
            let own = try await Self.score(["--model", "./wardrobe"], in: folder)
            #expect(own.status == 0 && own.output != shipped.output)
        }
    }

    @Test("Without a name, uses the default model, and notes the summary of its card")
    func unnamed() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try Data(TinyImages.bitmap(1)).write(
                to: URL(filePath: folder.appending("a.bmp").string))
            let unnamed = try await Self.score([], in: folder)
            let name = ShippedModel.default.rawValue
            let named = try await Self.score(["--model", name], in: folder)
            #expect(unnamed.status == 0 && unnamed.output == named.output)
            #expect(unnamed.errors == named.errors && unnamed.errors.hasPrefix("\(name): "))
            let wardrobe = try await Self.score(["--model", "wardrobe"], in: folder)
            #expect(
                wardrobe.errors
                    == "wardrobe: drawn scenes of people in clothes; it knows no photos\n")
        }
    }

    @Test("Shows cards, keeps them when it packs a model, and writes new ones")
    func cards() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            func run(_ words: String...) async throws -> Command.Result {
                try await Command.run(["models"] + words, folder: folder)
            }
            let none = try await run("show", "./model")
            #expect(none.status == 64 && none.errors.contains("has no card"))
            try Data("# tiny\n\ncolours of squares.\n\nMore \u{1B}[2J.\n".utf8).write(
                to: URL(filePath: folder.appending("page.md").string))
            let packed = try await run("pack", "./model", "--output", "a", "--card", "page.md")
            #expect(packed.status == 0, "\(packed.errors)")
            #expect(try await run("pack", "./a", "--output", "b").status == 0)
            for name in ["./a", "./b"] {
                let shown = try await run("show", name)
                #expect(shown.output == "# tiny\n\ncolours of squares.\n\nMore \\u{1b}[2J.\n")
            }
            let wrong = try await run("pack", "./model", "--output", "c", "--card", "nowhere.md")
            #expect(wrong.status != 0 && wrong.errors.contains("nowhere.md"))
            #expect(!FileManager.default.fileExists(atPath: folder.appending("c").string))

            try Data("dog\n\na\n".utf8).write(
                to: URL(filePath: folder.appending("learned.txt").string))
            for command in [
                ["pack", "./model", "--output", "d", "--words", "learned.txt"],
                ["pack", "./d", "--output", "e"],
            ] { #expect(try await Command.run(["models"] + command, folder: folder).status == 0) }
            let learned = try ModelDirectory.open(folder.appending("e")).learnedWords
            #expect(learned == LearnedWords(["a", "dog"]))
            try Data("\n".utf8).write(to: URL(filePath: folder.appending("learned.txt").string))
            let empty = try await run("pack", "./model", "--output", "f", "--words", "learned.txt")
            #expect(empty.status != 0 && empty.errors.contains("learned.txt: has no words"))

            let wardrobe = try await run("show", "wardrobe")
            #expect(wardrobe.output.hasPrefix("# wardrobe\n\ndrawn scenes of people in clothes"))
            let published = try await run("show", "albef-coco")
            #expect(published.output.contains("also the zero-shot Flickr30K model, English\n"))
            #expect(published.output.contains("- licence: BSD-3-Clause\n"))
            let list = try await run("list")
            #expect(
                list.output.contains("  drawn scenes of people in clothes; it knows no photos\n"))
            #expect(list.output.contains("\(ShippedModel.default.rawValue) (default)"))
        }
    }
}
