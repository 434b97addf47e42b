import ALBEF
import Foundation
import ImageText
import Retrieval
import SystemPackage
import TestSupport
import Testing
import Torch
import Wardrobe

@Suite("The model that ships")
struct ShippedModelTests {
    @Test("Is found by its name, small, trained, and reads both languages")
    func opens() throws {
        let directory = try #require(ShippedModel.wardrobe.directory)
        let weights = directory.appending("model.safetensors").string
        let size = try FileManager.default.attributesOfItem(atPath: weights)[.size] as? Int
        #expect(try #require(size) < 20_000_000)
        try ModelDirectory.open(directory).verify()
        let model = try SearchModel(directory)
        #expect(model.model.configuration.isTrained && model.matches)
        for query in ["black top and white trousers", "黑色上衣白色裤子", "yellow toy duck"] {
            let ids = model.text.tokenizer.ids(of: query)
            #expect(!ids.contains(try #require(model.text.tokenizer.unknown)))
        }
    }

    @Test("Each has a card, and the one that is meant without a name is there")
    func cards() throws {
        #expect(ShippedModel.available.contains(.default))
        for shipped in ShippedModel.available {
            let directory = try #require(shipped.directory)
            let model = try SearchModel(directory)
            #expect(model.reader.name == shipped.rawValue)
            let subject = try #require(model.reader.subject)
            #expect(model.reader.introduction == "\(shipped.rawValue): \(subject)")
            #expect(model.isCalibrated && model.calibration.least != nil)
        }
        let wardrobe = try ModelDirectory.open(try #require(ShippedModel.wardrobe.directory))
        #expect(
            wardrobe.card?.subject == "drawn scenes of people in clothes; it knows no photos")
    }

    @Test("Everyday photos: finds what it learned, in both languages, and says what it did not")
    func everyday() async throws {
        let model = try SearchModel(try #require(ShippedModel.photos.directory))
        let weights = model.reader.path.appending("model.safetensors").string
        let size = try FileManager.default.attributesOfItem(atPath: weights)[.size] as? Int
        #expect(try #require(size) < 30_000_000)
        try ModelDirectory.open(model.reader.path).verify()
        let photos = FilePath(#filePath).removingLastComponent().removingLastComponent()
            .removingLastComponent().appending("Sources/Demo/Photos")
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            _ = try await Indexer(model).update(index, with: photos)
            let searcher = try Searcher(model, ForwardIndex(index))
            for (query, name) in [
                ("a dog", "dog.jpg"), ("snowy mountains", "mountains.jpg"),
                ("flowers in a field", "dandelions.jpg"), ("草地上的马", "horses.jpg"),
                ("树林中的河流", "stream.jpg"),
            ] {
                let answer = try searcher.search(.text(query), SearchOptions(count: 2))
                #expect(
                    answer.results.contains { $0.path.lastComponent?.string == name }, "\(query)")
                #expect(answer.reading?.unknownWords == [])
            }
            for (query, words) in [("a castle", ["castle"]), ("一杯咖啡", ["咖啡"])] {
                let answer = try searcher.search(.text(query), SearchOptions(count: 2))
                #expect(answer.reading?.unknownWords == words && answer.matchesWell == false)
            }
        }
    }

    @Test("Finds scenes it has not seen by their captions, better by reading than by the towers")
    func finds() throws {
        let model = try SearchModel(try #require(ShippedModel.wardrobe.directory))
        var sizes = WardrobeBenchmark.Sizes()
        // Among sixty scenes the towers leave no room for five points.
        sizes.captions = 240
        let gallery = WardrobeBenchmark(seed: 5_000_001, sizes: sizes).all
        let images = try model.encode(
            pixels: gallery.scenes.map { model.pixels(of: try $0.image(side: 128)) })
        for language in WardrobeLanguage.allCases {
            let captions = gallery.queries.compactMap { $0.text[language] }
            let texts = try model.encode(texts: captions)
            let scores = RetrievalScores(EncodedImageSet(images), texts, model: model.model)
            let right = Array(gallery.queries.indices)
            let dual = scores.dual(images: right, texts: captions).metrics.textToImage.r1
            let read16 = try scores.reranked(depth: 16, ranking: .posterior)
            let read = RecallRanks(
                imageToText: read16.imageToText, textToImage: read16.textToImage, images: right,
                texts: captions
            ).metrics
            #expect(dual > 40)
            #expect(read.textToImage.r1 > dual + 5)
        }
    }
}
