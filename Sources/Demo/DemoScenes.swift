import ArgumentParser
import Foundation
import ImageText
import SystemPackage
import Wardrobe

/// The drawn scenes of the demonstration, and the questions about them.
struct DemoScenes {
    /// A question with the numbers of the scenes that answer it.
    struct Question {
        let text: String
        let note: String
        let right: Set<Int>
        let mirrored: Set<Int>
    }

    /// A seed with which no model was trained or tested.
    private static let seed: UInt64 = 3_000_001
    private static let outfit = WardrobeOutfit(top: .black, trousers: .white)
    private static let thing = WardrobeThing(kind: .duck, colour: .yellow)

    let scenes: [WardrobeScene]
    let questions: [Question]
    private let directory: FilePath

    /// The folder of images to index.
    var images: FilePath { directory.appending("gallery").appending("images") }
    /// The index.
    var index: FilePath { directory.appending("index") }

    /// Generates a gallery: 1 % of the scenes, but at least 22, show the rare outfit, 6 % show its
    /// mirror, and the others are random.
    init(count: Int, directory: FilePath) {
        self.directory = directory
        let gallery = WardrobeBenchmark.gallery(
            for: Self.outfit, right: max(22, count / 100), mirrored: count * 6 / 100,
            others: count - max(22, count / 100) - count * 6 / 100, seed: Self.seed)
        scenes = gallery.scenes
        let rare = WardrobeBenchmark.query(Self.outfit, scenes)
        let common = WardrobeBenchmark.query(Self.outfit.mirror, scenes)
        let small = WardrobeBenchmark.query(Self.thing, scenes)
        func question(
            _ query: WardrobeBenchmark.Query, _ language: WardrobeLanguage, _ note: String
        ) -> Question {
            Question(
                text: query.text[language] ?? "", note: note, right: Set(query.right),
                mirrored: Set(query.mirrored))
        }
        questions = [
            question(rare, .chinese, "black top, white trousers: rare, among many of the mirror"),
            question(common, .english, "the mirror: common"),
            question(small, .english, "a small thing among large ones"),
        ]
    }

    /// Draws the scenes, and replaces those of an earlier demonstration.
    ///
    /// - Throws: `ValidationError` if the directory has other files of these names.
    func draw(progress: (Int) -> Void) async throws {
        let gallery = directory.appending("gallery")
        let files = FileManager.default
        let isOurs = files.fileExists(atPath: gallery.appending("scenes.jsonl").string)
        for path in [gallery, index] where files.fileExists(atPath: path.string) {
            guard isOurs else {
                throw ValidationError("\(path) already exists; choose another --output.")
            }
            try files.removeItem(atPath: path.string)
        }
        try await WardrobeFolder(gallery, side: 256).write(
            scenes, seed: Self.seed, progress: progress)
    }

    /// Returns the number of the scene that an image shows.
    func scene(of path: FilePath) -> Int? { path.stem.flatMap { Int($0) } }
}
