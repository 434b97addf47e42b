import Foundation
import ImageText
import SystemPackage
import Testing

/// The compact Flickr8k, if it exists beside the checkout.
enum Flickr {
    static let folder = ImageFixtures.repository.removingLastComponent()
        .appending("shared/data/flickr8k")

    static let isThere = FileManager.default.fileExists(
        atPath: folder.appending("en_train.json").string)
}

@Suite("Flickr8k", .enabled(if: Flickr.isThere, "no ../shared/data/flickr8k"))
struct FlickrTests {
    @Test("The counts of English and Chinese captions of the same images")
    func counts() throws {
        let english = try CaptionDataset.read(Flickr.folder.appending("en_train.json"))
        #expect(english.images.count == 5999)
        #expect(english.images.allSatisfy { $0.captions.count == 5 })
        #expect(english.images.map(\.id) == Array(0..<5999))
        let both = try CaptionDataset(
            reading: ["en_train.json", "zh_train.json"].map { Flickr.folder.appending($0) })
        #expect(both.images.count == 5999)
        #expect(both.images.allSatisfy { $0.captions.count > 5 })
    }

    @Test("A few images pass validation and form a batch")
    func batch() async throws {
        var dataset = try CaptionDataset.read(Flickr.folder.appending("en_train.json"))
        dataset.images = Array(dataset.images.prefix(32))
        let report = try await DatasetValidator().validate(dataset)
        #expect(!report.isBroken && report.widths?.minimum == 160 && report.widths?.maximum == 160)
        let loader = try BatchLoader(
            dataset, batchSize: 32, transform: TrainingTransform(side: 64))
        var iterator = loader.batches().makeAsyncIterator()
        let batch = try #require(try await iterator.next())
        #expect(batch.ids.sorted() == Array(0..<32))
        let mean = batch.pixels.reduce(0, +) / Float(batch.pixels.count)
        #expect(abs(mean) < 0.5)
        #expect(batch.pixels.allSatisfy { $0 > -2 && $0 < 2.3 })
    }
}
