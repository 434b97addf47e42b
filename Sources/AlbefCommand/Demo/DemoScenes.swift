import Wardrobe
import ArgumentParser
import Foundation
import ImageText
import SystemPackage

/// The scenes of the demonstration and what it asks them for.
struct DemoScenes {
    /// A question with what would be a right answer.
    struct Question {
        let text: String
        let note: String
        let right: Set<Int>
        let mirrored: Set<Int>
    }

    /// Not one that models are trained or tested with.
    private static let seed: UInt64 = 3_000_001
    private static let outfit = WardrobeOutfit(top: .black, trousers: .white)
    private static let thing = WardrobeThing(kind: .duck, colour: .yellow)

    let scenes: [WardrobeScene]
    let questions: [Question]
    private let directory: FilePath

    /// The folder that is indexed.
    var images: FilePath { directory.appending("gallery").appending("images") }
    /// The index.
    var index: FilePath { directory.appending("index") }

    /// Invents a gallery: of a hundred scenes, one shows the rare outfit and six its mirror on
    /// purpose; the others show what comes.
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
            question(rare, .chinese, "black top, white trousers: rare, among many of its mirror"),
            question(common, .english, "the mirror: common"),
            question(small, .english, "a small thing among large ones"),
        ]
    }

    /// Draws the scenes; those of an earlier demonstration are replaced.
    ///
    /// - Throws: `ValidationError` if something else is there.
    func draw(progress: (Int) -> Void) async throws {
        let gallery = directory.appending("gallery")
        let files = FileManager.default
        let isOurs = files.fileExists(atPath: gallery.appending("scenes.jsonl").string)
        for path in [gallery, index] where files.fileExists(atPath: path.string) {
            guard isOurs else {
                throw ValidationError("\(path) is there already; choose another --output.")
            }
            try files.removeItem(atPath: path.string)
        }
        try await WardrobeFolder(gallery, side: 256).write(
            scenes, seed: Self.seed, progress: progress)
    }

    /// The number of an image in the gallery.
    func scene(of path: FilePath) -> Int? { path.stem.flatMap { Int($0) } }
}
