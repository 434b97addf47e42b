import Foundation
import ImageText
import SystemPackage
import Testing
import Wardrobe

@Suite("The Wardrobe benchmark")
struct WardrobeBenchmarkTests {
    private let benchmark = WardrobeBenchmark(seed: 77)

    @Test("In swap, the scene shows the true caption's outfit and not the other's")
    func swaps() throws {
        #expect(benchmark.swaps.count == 600)
        for kind in WardrobeBenchmark.Swap.Kind.allCases {
            #expect(benchmark.swaps.count { $0.kind == kind } == 200)
        }
        let outfits = OutfitFrequencies.common + OutfitFrequencies.rare
        for swap in benchmark.swaps where swap.kind != .neighbours {
            let scene = benchmark.swapScenes[swap.scene]
            let right = try #require(
                outfits.first { $0.text(in: .english) == swap.right[.english] })
            #expect(scene.shows(right) && !scene.shows(right.mirror))
            #expect(swap.wrong[.english] == right.mirror.text(in: .english))
            #expect(swap.wrong[.chinese] == right.mirror.text(in: .chinese))
            #expect(OutfitFrequencies.isRare(right) == (swap.kind == .rare))
        }
        for swap in benchmark.swaps where swap.kind == .neighbours {
            #expect(swap.right != swap.wrong)
            for text in swap.right.values {
                // Exchanged, not invented: the same words in another order.
                let other = swap.wrong.values.first { $0.count == text.count }
                #expect(other.map { $0.sorted() } == text.sorted())
            }
        }
    }

    @Test("In rare, each outfit has at least ten right scenes, and many more of its mirror")
    func rare() {
        #expect(benchmark.rare.queries.count == 12 && benchmark.rare.scenes.count == 480)
        for query in benchmark.rare.queries {
            #expect(query.right.count >= 10 && query.mirrored.count >= 30)
            #expect(Set(query.right).isDisjoint(with: query.mirrored))
        }
    }

    @Test("In small, each thing has at least ten right scenes; all kinds and colours occur")
    func small() {
        #expect(benchmark.small.queries.count == 16)
        #expect(benchmark.small.queries.allSatisfy { $0.right.count >= 10 })
        let texts = benchmark.small.queries.compactMap { $0.text[.english] }
        #expect(Set(texts).count == 16)
        for word in ["ball", "cup", "duck", "car"] + WardrobeColour.allCases.map(\.rawValue) {
            #expect(texts.contains { $0.contains(word) }, "\(word)")
        }
    }

    @Test("In all, every caption fits its own scene, and hardly ever another")
    func all() {
        #expect(benchmark.all.queries.count == 200)
        for (index, query) in benchmark.all.queries.enumerated() {
            #expect(query.right.contains(index) && query.right.count < 4)
            #expect(query.text.count == 2)
        }
    }

    @Test("A gallery for one outfit has the requested scenes")
    func gallery() {
        let outfit = WardrobeOutfit(top: .black, trousers: .white)
        let gallery = WardrobeBenchmark.gallery(
            for: outfit, right: 5, mirrored: 12, others: 30, seed: 4)
        #expect(gallery.scenes.count == 47)
        #expect(Set(0..<5).isSubset(of: gallery.queries[0].right))
        #expect(Set(5..<17).isSubset(of: gallery.queries[0].mirrored))
    }

    @Test("A folder of scenes reads back as one data set in two languages")
    func folder() async throws {
        let path = FilePath(NSTemporaryDirectory()).appending("wardrobe-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        let generator = WardrobeGenerator(seed: 9)
        let scenes = (0..<6).map { generator.scene($0) }
        try await WardrobeFolder(path, side: 48).write(scenes, seed: 9)
        let dataset = try CaptionDataset(
            reading: WardrobeLanguage.allCases.map {
                path.appending(WardrobeFolder.annotations($0))
            })
        #expect(dataset.images.count == 6)
        #expect(
            zip(dataset.images, scenes).allSatisfy { image, scene in
                let (people, things) = (scene.people.count, scene.smallProp == nil ? 0 : 1)
                return image.captions.count == 2 * ((people == 1 ? 2 : 3 + people) + things)
            })
        // Brief annotations have the same captions, and repeat short ones.
        try await WardrobeFolder(path.appending("brief"), side: 48, isBrief: true)
            .write(scenes, seed: 9)
        let brief = try CaptionDataset.read(path.appending("brief").appending("en.json"))
        let plain = try CaptionDataset.read(path.appending("en.json"))
        for (index, scene) in scenes.enumerated() {
            let (short, all) = (brief.images[index].captions, plain.images[index].captions)
            #expect(Set(short) == Set(all))
            let things = scene.smallProp == nil ? 0 : 2
            #expect(short.count == all.count + scene.people.count + things)
        }
        // Captions are equal for a seed on every platform.
        let fingerprints = try WardrobeLanguage.allCases.map { language in
            let file = path.appending(WardrobeFolder.annotations(language))
            return Fingerprint.of(try String(contentsOfFile: file.string, encoding: .utf8))
        }
        #expect(fingerprints == ["a3c83899750050cb", "7809bf69c7763758"])
        let lines = try String(
            contentsOfFile: path.appending("scenes.jsonl").string, encoding: .utf8
        ).split(separator: "\n")
        struct Line: Decodable {
            let image: String
            let scene: WardrobeScene
        }
        let decoded = try lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        #expect(decoded.map(\.scene) == scenes)
        #expect(decoded[3].image == "images/00003.jpg")
        let image = try ImageLoader().load(dataset.images[3].path)
        #expect(image.width == 48 && image.height == 48)
    }

    @Test("New scenes replace earlier ones, and no other files")
    func replacing() async throws {
        let path = FilePath(NSTemporaryDirectory()).appending("wardrobe-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        let generator = WardrobeGenerator(seed: 9)
        func names(_ folder: FilePath) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
        }
        for count in [4, 2] {
            let scenes = (0..<count).map { generator.scene($0) }
            try await WardrobeFolder(path, side: 16).write(scenes, seed: 9)
            #expect(try names(path.appending("images")).count == count)
        }

        let foreign = path.appending("foreign")
        try FileManager.default.createDirectory(
            atPath: foreign.string, withIntermediateDirectories: false)
        try Data("[]".utf8).write(to: URL(filePath: foreign.appending("en.json").string))
        await #expect(throws: DatasetError.self) {
            try await WardrobeFolder(foreign).write([generator.scene(0)], seed: 9)
        }
        #expect(try names(foreign) == ["en.json"])
    }
}
