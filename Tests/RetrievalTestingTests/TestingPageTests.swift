import Foundation
// begin search
import Retrieval
import RetrievalTesting
import SystemPackage
import Testing

/// Names the files that a sentence finds.
struct ImageFinder {
    let searcher: Searcher

    func names(_ sentence: String, count: Int) throws -> [String] {
        try searcher.search(sentence, count: count).compactMap { $0.path.lastComponent?.string }
    }
}

@Test func findsAsManyAsAsked() async throws {
    try await withTinyIndex(images: 6) { searcher, index, folder in
        let names = try ImageFinder(searcher: searcher).names("a dog in the snow", count: 3)
        #expect(names.count == 3)
    }
}
// end search

// begin service
@Test func anUploadIsFound() async throws {
    try await withTinyService(images: 6) { service in
        let image = TinyImages.bitmap(60)
        let added = try await service.client.sendForm(
            "POST", "/api/images", image: image, headers: TinyService.authorization)
        #expect(added.status == 201)

        let answer = try await service.client.sendForm(
            "POST", "/api/search", query: ["count": 1], image: image)
        let results = answer.json["results"] as? [[String: Any]]
        #expect(results?.first?["id"] as? String == added.json["id"] as? String)
    }
}
// end service

@Suite("The page on testing")
struct TestingPageTests {
    @Test("Shows the samples of this file", arguments: ["search", "service"])
    func samples(_ name: String) throws {
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let sample = try #require(
            source.components(separatedBy: "// begin \(name)\n").dropFirst().first?
                .components(separatedBy: "// end \(name)\n").first)
        let repository = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: repository.appending(path: "Documentation/testing.md"), encoding: .utf8)
        #expect(page.contains(sample))
    }
}
