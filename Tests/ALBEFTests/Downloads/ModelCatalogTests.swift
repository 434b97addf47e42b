import ALBEF
import Foundation
import Testing

@Suite struct ModelCatalogTests {
    @Test func everyPublishedFileIsListedOnce() {
        let entries = ModelCatalog.published.entries
        #expect(entries.count == 14)
        #expect(Set(entries.map(\.name)).count == 14)
        #expect(Set(entries.map(\.file)).count == 14)
        #expect(entries.filter { $0.dialect == .albef }.count == 7)
        #expect(entries.filter { $0.dialect == .lavis }.count == 5)
        #expect(entries.allSatisfy { $0.address.scheme == "https" })
        #expect(entries.allSatisfy { ($0.sha256 != nil) == ($0.purpose == .vocabulary) })
    }

    @Test func entriesAreFoundByName() throws {
        let coco = try #require(ModelCatalog.published["albef-coco"])
        #expect(coco.file == "mscoco.pth")
        #expect(
            coco.address.absoluteString
                == "https://storage.googleapis.com/sfr-pcl-data-research/ALBEF/mscoco.pth")
        #expect(coco.purpose == .retrieval)
        #expect(ModelCatalog.published["albef"] == nil)
    }

    @Test func aMirrorKeepsEveryFileInOneFolder() throws {
        let base = try #require(URL(string: "http://127.0.0.1:8000/models/"))
        let mirror = ModelCatalog.published.mirrored(at: base)
        let vocabulary = try #require(mirror["bert-base-chinese"])
        #expect(
            vocabulary.address.absoluteString
                == "http://127.0.0.1:8000/models/bert-base-chinese-vocab.txt")
        #expect(vocabulary.sha256 == ModelCatalog.published["bert-base-chinese"]?.sha256)
    }
}
