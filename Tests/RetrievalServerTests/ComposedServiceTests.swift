import Foundation
import Retrieval
import RetrievalServer
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Searches of several parts over HTTP", .oneModelAndTwo)
struct ComposedServiceTests {
    @Test("The service searches with the same query parts as the library")
    func parts() async throws {
        try await TinyService.run { service in
            func path(_ number: Int) -> FilePath {
                service.images.appending(String(format: "%03d.bmp", number))
            }
            func id(_ number: Int) -> String { EntryKey(path(number)).description }
            func entry(_ number: Int) -> QueryImage { .entry(EntryKey(path(number))) }
            let searcher = try Searcher(service.model, ForwardIndex(service.index))
            let cases: [([String: Any], SearchQuery)] = [
                (
                    ["text": "two dogs", "without": ["a hat", "a bus"]],
                    SearchQuery(text: "two dogs", without: ["a hat", "a bus"])
                ),
                (["images": [id(3), id(9)]], SearchQuery(images: [entry(3), entry(9)])),
                (
                    ["image": id(3), "images": [id(9)], "unlike": [id(20)]],
                    SearchQuery(images: [.file(path(3)), entry(9)], unlike: [entry(20)])
                ),
                (
                    ["text": "two dogs", "unlike": [id(4)], "emphasis": ["dogs": 2.5]],
                    SearchQuery(text: "two dogs", unlike: [entry(4)], emphasis: ["dogs": 2.5])
                ),
                (
                    ["images": [id(1)], "without": ["a hat"]],
                    SearchQuery(images: [entry(1)], without: ["a hat"])
                ),
            ]
            for (fields, query) in cases {
                let fields = fields.merging(["count": 30]) { $1 }
                let expected = try searcher.search(query, SearchOptions(count: 30)).results
                for isCached in [false, true] {
                    let answer = try await service.client.post("/api/search", fields)
                    #expect(answer.status == 200 && answer.json["is_cached"] as? Bool == isCached)
                    let results = answer.json["results"] as? [[String: Any]] ?? []
                    #expect(
                        results.map { $0["path"] as? String } == expected.map(\.path.string),
                        "\(fields)")
                    for (result, same) in zip(results, expected) {
                        let probability = (result["match_probability"] as? Double).map(Float.init)
                        #expect((probability == nil) == (same.matchProbability == nil))
                        #expect(abs((probability ?? 0) - (same.matchProbability ?? 0)) < 1e-4)
                        #expect(result["duplicates"] == nil)
                    }
                }
            }
            let form = try await service.client.sendForm(
                "POST", "/api/search", query: ["images": [id(3)], "count": 30],
                image: TinyImages.bitmap(9))
            let both = SearchQuery(images: [.file(path(9)), entry(3)])
            let expected = try searcher.search(both, SearchOptions(count: 30)).results
            let results = form.json["results"] as? [[String: Any]] ?? []
            #expect(results.map { $0["path"] as? String } == expected.map(\.path.string))
        }
    }

    @Test("Near-identical results are folded on request")
    func folds() async throws {
        try await TinyService.run(images: 3) { service in
            for name in ["one.bmp", "two.bmp"] {
                let sent = try await service.client.sendForm(
                    "POST", "/api/images", image: TinyImages.bitmap(1), fileName: name,
                    headers: TinyService.authorization)
                #expect(sent.status == 201)
            }
            let all = try await service.results(["text": "two dogs"])
            let folded = try await service.results(["text": "two dogs", "fold": true])
            #expect(all.count == 5 && folded.count <= 3)
            let stay = folded.compactMap { $0["id"] as? String }
            let others = folded.flatMap { $0["duplicates"] as? [[String: String]] ?? [] }
            #expect(
                Set(stay + others.compactMap { $0["id"] })
                    == Set(all.compactMap { $0["id"] as? String }))
            let names =
                folded.compactMap { $0["name"] as? String } + others.compactMap { $0["name"] }
            #expect(names.contains("one.bmp") && names.contains("two.bmp"))
        }
    }

    @Test("An invalid query part is refused, and the error names it")
    func refusals() async throws {
        try await TinyService.run(images: 2) { service in
            let id = EntryKey(service.images.appending("001.bmp")).description
            let nowhere = EntryKey("/nowhere").description
            let cases: [([String: Any], Int, String)] = [
                (["without": ["a hat"]], 400, "without: the query contains only exclusions"),
                (["unlike": [id]], 400, "unlike: the query contains only exclusions"),
                (
                    ["text": "a", "without": ["a", "b", "c", "d", "e"]], 400,
                    "without: must have at most 4"
                ),
                (["text": "a", "without": "a hat"], 400, "without: must be a list"),
                (["text": "a", "without": ["?!"]], 422, "without: nothing is left"),
                (
                    ["text": "a", "without": [String(repeating: "a", count: 2001)]], 400,
                    "without: must have at most 2000 characters"
                ),
                (["images": Array(repeating: id, count: 9)], 400, "images: must have at most 8"),
                (
                    ["image": id, "images": Array(repeating: id, count: 8)], 400,
                    "images: give at most 8 images"
                ),
                (["images": [nowhere]], 404, "images: no image has the id"),
                (["images": ["x"]], 404, "images: no image has the id 'x'"),
                (["text": "a", "unlike": [nowhere]], 404, "unlike: no image has the id"),
                (["text": "a dog", "emphasis": ["dog": 5]], 400, "emphasis: 'dog' has the weight"),
                (
                    ["text": "a dog", "emphasis": ["dog": "2"]], 400,
                    "emphasis.dog: must be a number"
                ),
                (["images": [id], "emphasis": ["dog": 2]], 400, "emphasis: the query has no text"),
                (["text": "a dog", "fold": 1], 400, "fold: must be true or false"),
                (["images": [String]()], 400, "the query is empty"),
            ]
            for (fields, status, named) in cases {
                let answer = try await service.client.post("/api/search", fields)
                let detail = answer.json["detail"] as? String ?? ""
                #expect(answer.status == status && detail.contains(named), "\(fields): \(detail)")
            }
        }
    }
}
