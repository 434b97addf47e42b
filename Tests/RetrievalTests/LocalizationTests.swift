import ALBEF
import Foundation
import ImageText
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Localization and its figure")
struct LocalizationTests {
    @Test(
        "A match is located by the sentence's map of its explanation", arguments: Dialect.original)
    func matches(_ dialect: Dialect) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = try TinyImages.write(2, to: folder.appending("photos"))
            let model = try TinyModel(dialect: dialect).makeSearchModel(in: folder)
            let found = try model.locate(photos[1], "two dogs")
            let explanation = try model.explain(photos[1], "two dogs")
            #expect(found.map == explanation.sentence)
            #expect(found.similarity == explanation.score.similarity)
            #expect(found.matchProbability == explanation.score.matchProbability)
            #expect(found.layer.mode == .itm && found.layer.index == explanation.layer)
            #expect((found.placement.imageWidth, found.placement.imageHeight) == (8, 8))
            #expect(try model.locate(model.loader.load(photos[1]), "two dogs") == found)

            let towers = try model.locate(photos[1], "two dogs", by: .itc)
            #expect(towers.matchProbability == nil && towers.layer.index == 1)
            #expect(abs(towers.similarity - found.similarity) < 1e-5)
            #expect(towers.map != found.map && towers.map.total > 0)
            #expect(throws: QueryError.self) { try model.locate(photos[0], "...", by: .itc) }
            #expect(throws: ImageError.self) { try model.locate("missing.jpg", "train") }
            #expect(throws: ALBEFError.self) { try model.locate(photos[0], "train", layer: 0) }
        }
    }

    @Test("Boxes are in pixels of the file, however small it is decoded")
    func sizes() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let large = TinyImages.bitmap(3, side: 900)
            let image = try ImageLoader().load(large, named: "large")
            let bytes = try JPEGEncoder.encode(image, quality: 90, named: "large")
            let path = folder.appending("large.jpg")
            try Data(bytes).write(to: URL(filePath: path.string))
            let model = try TinyModel().makeSearchModel(in: folder)
            #expect(try model.loader.load(path).width < 900)
            let found = try model.locate(path, "a dog")
            #expect((found.placement.imageWidth, found.placement.imageHeight) == (900, 900))
        }
    }

    @Test("Boxes are outlined over the heat, each kind in its colour, with a legend")
    func figure() throws {
        let grey = RGBImage(
            width: 64, height: 48, pixels: [UInt8](repeating: 128, count: 64 * 48 * 3))
        let map = HeatMap(width: 2, height: 2, values: [0, 0, 0, 1])
        let placement = HeatPlacement(mapWidth: 2, mapHeight: 2, imageWidth: 640, imageHeight: 480)
        func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) throws -> BoundingBox
        {
            try #require(BoundingBox(x: x, y: y, width: width, height: height))
        }
        let figure = try GroundingFigure(
            title: "a dog & <cat> 火车", map: map, placement: placement,
            marks: [
                .init(.chosen, try box(300, 200, 200, 100)),
                .init(.truth, try box(40, 30, 100, 60)),
                .init(.proposal, try box(-5, -5, 650, 490)),
            ], image: grey
        ).render()
        #expect(figure.width == 680 && figure.height == 480 + 52 + 30 + 20)
        func pixel(_ x: Int, _ y: Int) -> [UInt8] {
            // Of the image, which begins at 20, 52.
            let place = 3 * ((y + 52) * figure.width + x + 20)
            return Array(figure.pixels[place..<place + 3])
        }
        #expect(pixel(302, 250) == [255, 0, 220] && pixel(400, 202) == [255, 0, 220])
        #expect(pixel(497, 250) == [255, 0, 220] && pixel(400, 297) == [255, 0, 220])
        // A true box is drawn around, so that it shows around an equal chosen one.
        #expect(pixel(37, 60) == [255, 255, 255] && pixel(90, 92) == [255, 255, 255])
        #expect(pixel(0, 100) == [190, 190, 190] && pixel(639, 479) == [190, 190, 190])
        // The image shows in cool places, and the heat is red where it is hottest.
        #expect(abs(Int(pixel(200, 100)[0]) - 128) < 8)
        let hot = pixel(630, 470)
        #expect(hot[0] > 100 && hot[2] < 100)
    }

    @Test("The heat of a model that crops is over the middle square alone")
    func crop() throws {
        let grey = RGBImage(
            width: 640, height: 320, pixels: [UInt8](repeating: 128, count: 640 * 320 * 3))
        let placement = HeatPlacement(
            mapWidth: 1, mapHeight: 2, imageWidth: 640, imageHeight: 320, fit: .crop)
        let figure = try GroundingFigure(
            title: "a", map: HeatMap(width: 1, height: 2, values: [0, 1]), placement: placement,
            marks: [], image: grey
        ).render()
        func pixel(_ x: Int, _ y: Int) -> [UInt8] {
            let place = 3 * ((y + 52) * figure.width + x + 20)
            return Array(figure.pixels[place..<place + 3])
        }
        #expect(pixel(100, 300) == [128, 128, 128] && pixel(560, 300) == [128, 128, 128])
        #expect(pixel(320, 300) != [128, 128, 128])
    }
}
