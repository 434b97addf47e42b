import ImageText
import SystemPackage
import TestSupport
import Testing
import Wardrobe

@Suite("Samples of Wardrobe")
struct WardrobeSamples: SampleSuite {
    let printed = Printed()

    @Test func drawing() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            // sample: draw-scenes
            // shown: folder = "scenes"
            let outfit = WardrobeOutfit(top: .black, trousers: .white)
            print(outfit.text(in: .english), outfit.mirror.text(in: .chinese))

            let generator = WardrobeGenerator(seed: 1)
            let scenes = (0..<4).map { generator.scene($0, with: .outfit(outfit)) }
            try await WardrobeFolder(folder).write(scenes, seed: 1)
            // end
            #expect(printed.lines.count == 1)
            #expect(scenes.allSatisfy { $0.shows(outfit) && !$0.shows(outfit.mirror) })
            let captions = folder.appending(WardrobeFolder.annotations(.english))
            #expect(try CaptionDataset(reading: [captions]).images.count == 4)
        }
    }
}
