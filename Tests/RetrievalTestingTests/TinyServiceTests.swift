import Foundation
import Retrieval
import RetrievalServer
import RetrievalTesting
import SystemPackage
import Testing

@Suite("A service to test against", .timeLimit(.minutes(30)))
struct TinyServiceTests {
    private struct Page: Decodable {
        struct Image: Decodable { var id, name: String }
        var images: [Image]
        var total: Int
    }

    @Test("Documents go in and come out")
    func documents() async throws {
        try await withTinyService(images: 4) { service in
            let answer = try await service.client.post(
                "/api/search", ["text": "two dogs", "count": 3])
            #expect(answer.status == 200)
            let results = try #require(answer.json["results"] as? [[String: Any]])
            #expect(results.count == 3)
            let page = try await service.client.send("GET", "/api/images?limit=2")
                .decoded(as: Page.self)
            #expect(page.images.map(\.name) == ["000.bmp", "001.bmp"] && page.total == 4)
            let refused = try await service.client.post("/api/search", ["text": ""])
            #expect(refused.status == 422 && refused.problem == "empty-text")
            await #expect(throws: RetrievalTestingError.self) {
                try await service.client.post("/api/search", ["text": Date()])
            }
        }
    }

    @Test("Forms are read, and writing needs the key")
    func writing() async throws {
        try await withTinyService(images: 3, configure: { $0.limits.results = 5 }) { service in
            let image = TinyImages.bitmap(60)
            let refused = try await service.client.sendForm("POST", "/api/images", image: image)
            #expect(refused.status == 401)
            let added = try await service.client.sendForm(
                "POST", "/api/images", query: ["metadata": ["year": 2024]], image: image,
                headers: TinyService.authorization)
            #expect(added.status == 201)
            let id = try #require(added.json["id"] as? String)
            let like = try await service.client.sendForm(
                "POST", "/api/search", query: ["count": 1], image: image)
            let best = try #require((like.json["results"] as? [[String: Any]])?.first)
            #expect(best["id"] as? String == id)
            #expect(try ForwardIndex(service.index).count == 4)
            let removed = try await service.client.send(
                "DELETE", "/api/images/\(id)", headers: TinyService.authorization)
            #expect(removed.status == 204)
            let settings = try await service.client.post(
                "/api/search", ["text": "a dog", "count": 6])
            #expect(settings.status == 400)
        }
    }

    @Test("A service that cannot start says why, and one that has ended is not there")
    func failures() async throws {
        await #expect(throws: ServerError.self) {
            try await withTinyService(images: 1, configure: { $0.key = "short" }) { _ in }
        }
        let (client, folder) = try await withTinyService(images: 1) { service in
            // Its port is taken.
            let port = Int(service.client.port)
            await #expect(throws: ServerError.self) {
                try await withRetrievalService(
                    service.model, index: service.index, configure: { $0.port = port }
                ) { _ in }
            }
            let ready = try await service.client.send("GET", "/health/ready")
            #expect(ready.status == 200)
            return (service.client, service.folder)
        }
        await #expect(throws: RetrievalTestingError.self) {
            try await client.send("GET", "/health/live")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.string))
    }
}
