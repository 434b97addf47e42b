import ALBEF
import Foundation
import ImageText
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch
import Wardrobe

@Suite("Explanations", .oneModelAndTwo)
struct ExplanationTests {
    private static func model(
        _ dialect: Dialect, _ body: (SearchModel, FilePath) throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = try TinyImages.write(2, to: folder.appending("photos"))
            try body(try TinyModel.search(in: folder, dialect: dialect), photos[1])
        }
    }

    @Test("Words, maps and score", arguments: Dialect.original)
    func explains(_ dialect: Dialect) async throws {
        try await Self.model(dialect) { model, photo in
            let text = "Two dogs, playing"
            let found = try model.explain(photo, text)
            let score = try #require(try model.score(photo, [text]).first)
            #expect(abs(found.score.matchLogit - score.matchLogit) < 1e-4)
            #expect(abs(found.score.matchProbability - score.matchProbability) < 1e-4)
            #expect(abs(found.score.similarity - score.similarity) < 1e-5)
            #expect(found.logits.match == found.score.matchLogit && found.layer == 2)

            #expect(found.tokens.first == "[CLS]")
            #expect((found.tokens.last == "[SEP]") == (dialect == .lavis))
            #expect(found.tokenMaps.count == found.tokens.count)
            // LAVIS keeps the comma as a word.
            let words =
                dialect == .albef ? ["two", "dogs", "playing"] : ["two", "dogs", ",", "playing"]
            #expect(found.words.map(\.text) == words)
            // The words' tokens are all but the special ones, in order and without gaps.
            let end = found.tokens.count - (dialect == .lavis ? 1 : 0)
            #expect(found.words.flatMap { Array($0.tokens) } == Array(1..<end))
            #expect(abs(found.words.reduce(0) { $0 + $1.share } - 1) < 1e-5)
            for map in found.tokenMaps + found.words.map(\.map) + [found.sentence] {
                #expect((map.width, map.height) == (3, 3))
                #expect(map.values.allSatisfy { $0 >= 0 && $0.isFinite })
            }
            for word in found.words {
                let pieces = found.tokenMaps[word.tokens]
                let mean = pieces.reduce(0) { $0 + $1.values[4] } / Float(pieces.count)
                #expect(abs(word.map.values[4] - mean) < 1e-7)
                #expect((0...1).contains(found.strength(of: word)))
            }
            let centre = found.tokenMaps.reduce(0) { $0 + $1.values[4] }
            #expect(abs(found.sentence.values[4] - centre / Float(found.tokens.count)) < 1e-7)
            let image = try model.loader.load(photo)
            #expect(try model.explain(image, text) == found)
        }
    }

    @Test("Unknown words keep their spelling; long texts end where the model's length does")
    func words() async throws {
        try await Self.model(.lavis) { model, photo in
            let chinese = try model.explain(photo, "黑色 train")
            #expect(chinese.words.map(\.text) == ["黑", "色", "train"])
            #expect(chinese.tokens[1] == "[UNK]")
            let long = try model.explain(photo, String(repeating: "two dogs ", count: 40))
            #expect(long.tokens.count == 30 && long.tokens.last == "[SEP]")
            #expect(long.words.last?.tokens.upperBound == 29)
        }
    }

    @Test("What cannot be explained is named")
    func refusals() async throws {
        try await Self.model(.albef) { model, photo in
            #expect(throws: QueryError.self) { try model.explain(photo, " ... ") }
            #expect(throws: ALBEFError.self) { try model.explain(photo, "train", layer: 1) }
            #expect(throws: ImageError.self) { try model.explain("missing.jpg", "train") }
        }
    }

    /// The pointing game (Zhang et al., 2016): is a colour's hottest patch on the person, and the half
    /// of the person, that wears it? One in four by chance.
    @Test("The shipped model points at what a word names")
    func pointing() throws {
        let directory = try #require(ShippedModel.wardrobe.directory)
        let model = try SearchModel(directory)
        let generator = WardrobeGenerator(seed: 77, settings: .init(people: 2...2))
        var (asked, rightPerson, rightHalf) = (0, 0, 0)
        for index in 0..<100 where asked < 80 {
            let people = generator.scene(index).people
            let colours = Set(people.flatMap { [$0.top, $0.bottom.colour] })
            guard colours.count == 4, people.allSatisfy({ $0.bottom.kind == .trousers }) else {
                continue
            }
            let image = try generator.scene(index).image(side: 128)
            for (person, other) in [(people[0], people[1]), (people[1], people[0])] {
                let (top, bottom) = (person.top.rawValue, person.bottom.colour.rawValue)
                let found = try model.explain(image, "\(top) top and \(bottom) trousers")
                for word in found.words where [top, bottom].contains(word.text) {
                    let peak = try #require(word.map.values.max())
                    let place = try #require(word.map.values.firstIndex(of: peak))
                    let x = (Double(place % word.map.width) + 0.5) / Double(word.map.width)
                    let y = (Double(place / word.map.width) + 0.5) / Double(word.map.height)
                    let isRight = abs(x - person.x) < abs(x - other.x)
                    asked += 1
                    rightPerson += isRight ? 1 : 0
                    rightHalf +=
                        isRight && (y < person.y - 0.45 * person.height) == (word.text == top)
                        ? 1 : 0
                }
            }
        }
        #expect(asked >= 40)
        #expect(rightPerson * 4 > asked * 3, "\(rightPerson) of \(asked)")
        #expect(rightHalf * 2 > asked, "\(rightHalf) of \(asked)")
    }
}

@Suite("Drawing heat maps")
struct HeatMapRendererTests {
    private static let map = HeatMap(
        width: 3, height: 2, values: [0, 0, 0, 0, 0, 4])
    private static let grey = RGBImage(
        width: 30, height: 20, pixels: [UInt8](repeating: 128, count: 1800))

    @Test("Between 0 and 1, hottest where the map is")
    func spread() {
        let heat = Self.map.spread(width: 30, height: 20)
        #expect(heat.count == 600)
        #expect(heat.min() == 0 && heat.max() == 1)
        #expect(heat.firstIndex(of: 1) == 599 && heat[0] == 0)
        // Smooth: neighbours differ little.
        #expect(
            zip(heat, heat.dropFirst()).enumerated().allSatisfy {
                $0 % 30 == 29 || abs($1.0 - $1.1) < 0.15
            })
        let even = HeatMap(width: 2, height: 2, values: [3, 3, 3, 3]).spread(width: 7, height: 5)
        #expect(even.allSatisfy { $0 == 0 })
    }

    @Test("Cool places stay as they are, hot ones turn red")
    func overlay() {
        let image = HeatMapRenderer().overlay(Self.map, on: Self.grey)
        #expect(image.pixels[..<3] == [128, 128, 128])
        let last = Array(image.pixels.suffix(3))
        #expect(last[0] > 120 && last[1] < 60 && last[2] < 60)
        let faded = HeatMapRenderer().overlay(Self.map, on: Self.grey, strength: 0)
        #expect(faded == Self.grey)
    }

    @Test("PNG keeps every pixel")
    func png() throws {
        let bytes = try HeatMapRenderer().png(Self.map, on: Self.grey)
        #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        let read = try ImageLoader().load(bytes, named: "heat.png")
        #expect(read == HeatMapRenderer().overlay(Self.map, on: Self.grey))
    }
}
