import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("The option --model")
struct ModelOptionsTests {
    private static func score(_ model: [String], in folder: FilePath) async throws -> Command.Result
    {
        try await Command.run(["score", "a.bmp", "a red top"] + model, folder: folder)
    }

    @Test("A directory with the name of the shipped model does not take its place")
    func shadowed() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try Data(TinyModel.bitmap(1)).write(to: URL(filePath: folder.appending("a.bmp").string))
            // 'albef wardrobe generate --output wardrobe' makes such a folder.
            try FileManager.default.createDirectory(
                atPath: folder.appending("wardrobe").string, withIntermediateDirectories: false)
            let shipped = try await Self.score([], in: folder)
            #expect(shipped.status == 0, "\(shipped.errors)")
            #expect(!shipped.errors.contains("holds a model too"))
            let path = try await Self.score(["--model", "./wardrobe"], in: folder)
            #expect(path.status != 0 && path.errors.contains("config.json"))

            try FileManager.default.removeItem(atPath: folder.appending("wardrobe").string)
            try TinyModel.write(to: folder.appending("wardrobe"))
            let both = try await Self.score([], in: folder)
            #expect(both.output == shipped.output)
            #expect(both.errors.contains("--model ./wardrobe"))
            let own = try await Self.score(["--model", "./wardrobe"], in: folder)
            #expect(own.status == 0 && own.output != shipped.output)
        }
    }
}
