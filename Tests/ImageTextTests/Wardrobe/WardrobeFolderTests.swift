import ImageText
import SystemPackage
import Testing

@Suite struct WardrobeFolderTests {
    @Test(
        "A folder with anything but a data set of scenes is not written to",
        arguments: [
            ([], nil), (["images"], nil), (["images", "scenes.jsonl", "en.json", "zh.json"], nil),
            (["en.json"], "en.json"), (["images", "zh.json"], "zh.json"),
            (["images", "scenes.jsonl", "notes.txt"], "notes.txt"),
        ] as [([String], String?)])
    func occupied(_ names: [String], _ obstacle: String?) async throws {
        try await DatasetFixtures.withFolder { folder in
            for name in names { try DatasetFixtures.write("x", to: folder.appending(name)) }
            #expect(WardrobeFolder.obstacle(at: folder) == obstacle)
            guard let obstacle else { return }
            let error = await #expect(throws: DatasetError.self) {
                try await WardrobeFolder(folder).write([], seed: 1)
            }
            #expect(error?.description.contains("it holds '\(obstacle)'") == true)
        }
    }
}
