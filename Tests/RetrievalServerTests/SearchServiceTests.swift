import ALBEF
import Foundation
import Retrieval
import RetrievalServer
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("The service answers as the library does", .oneModelAndTwo)
struct SearchServiceTests {
    @Test("A text finds the images that the library finds, in its order")
    func text() async throws {
        try await TinyService.run { service in
            let searcher = try Searcher(service.model, ForwardIndex(service.index))
            let expected = try searcher.search(
                .text("two dogs"), SearchOptions(count: 12, candidates: 8))
            let answer = try await service.client.post(
                "/api/search", ["text": "two dogs", "count": 12, "candidates": 8])
            #expect(answer.status == 200)
            let results = try #require(answer.json["results"] as? [[String: Any]])
            #expect(results.map { $0["path"] as? String } == expected.results.map(\.path.string))
            #expect(results.map { $0["rank"] as? Int } == Array(1...12))
            #expect(results.map { $0["recall_rank"] as? Int } == expected.results.map(\.recallRank))
            #expect(answer.json["reranked"] as? Int == 8)
            #expect(results[8]["match_logit"] is NSNull)
            for (result, reference) in zip(results, expected.results) {
                #expect(result["id"] as? String == EntryKey(reference.path).description)
                let logit = result["match_logit"] as? Double
                #expect(abs((logit ?? 0) - Double(reference.matchLogit ?? 0)) < 1e-4)
            }
        }
    }

    @Test("Results have their folders and facts; pages and conditions select them")
    func about() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = folder.appending("images")
            try TinyImages.write(6, to: photos)
            for name in ["camera.jpg", "phone.png", "packet.jpg"] {
                try FileManager.default.copyItem(
                    atPath: Fixtures.repository.appending("Tests/Fixtures/facts/\(name)").string,
                    toPath: photos.appending(name).string)
            }
            let model = try TinyModel.search(in: folder)
            _ = try await Indexer(model).update(folder.appending("index"), with: photos)
            try await TinyService.serve(folder, model) { service in
                let results = try await service.results(
                    ["text": "two dogs", "filters": ["camera=NIKON D90"]])
                let camera = try #require(results.first)
                #expect(results.count == 1)
                #expect(camera["folder"] as? String == photos.absolute.string)
                #expect((camera["size"] as? Int ?? 0) > 500)
                let about = try #require(camera["about"] as? [String: Any])
                #expect(about["date"] as? String == "2020-06-14T12:34:56")
                #expect(about["orientation"] as? String == "portrait")

                func names(_ query: String) async throws -> (names: [String], total: Int?) {
                    let page = try await service.client.send("GET", "/api/images?\(query)")
                    let images = page.json["images"] as? [[String: Any]] ?? []
                    return (images.compactMap { $0["name"] as? String }, page.json["total"] as? Int)
                }
                let newest = try await names("sort=date&limit=3")
                #expect(newest.names == ["camera.jpg", "phone.png", "packet.jpg"])
                #expect(newest.total == 9)
                let oldest = try await names("sort=-date&limit=2")
                #expect(oldest.names == ["packet.jpg", "phone.png"])
                let chosen = try await names("where=date%3E%3D2019&where=width%3E10")
                #expect(chosen.names == ["phone.png"] && chosen.total == 1)
                let next = try await names("sort=date&limit=1&offset=1")
                #expect(next.names == ["phone.png"] && next.total == 9)

                let sorted = try await service.client.post(
                    "/api/search", ["text": "two dogs", "sort": "-date", "count": 9])
                let found = sorted.json["results"] as? [[String: Any]] ?? []
                #expect(
                    found.prefix(2).map { $0["name"] as? String } == ["packet.jpg", "phone.png"])
                #expect(sorted.json["total"] as? Int == 9)

                let facets = try await service.client.send("GET", "/api/facets").json
                let years = facets["years"] as? [[String: Any]] ?? []
                #expect(years.map { $0["value"] as? String } == ["2020", "2019", "2018"])
                for (path, part) in [
                    ("/api/images?sort=size", "sort: must be one of path, date, -date"),
                    ("/api/images?where=size", "where: 'size' is not a condition"),
                    ("/api/images?sort=date&sort=date", "sort: occurs twice"),
                ] {
                    let refused = try await service.client.send("GET", path)
                    #expect(refused.status == 400)
                    #expect((refused.json["detail"] as? String)?.contains(part) == true)
                }
                for (field, value) in [("offset", -1 as Any), ("sort", "size")] {
                    let refused = try await service.client.post(
                        "/api/search", ["text": "dog", field: value])
                    #expect(refused.status == 400)
                    #expect((refused.json["detail"] as? String)?.hasPrefix("\(field): ") == true)
                }
            }
        }
    }

    @Test("The service names the one or two models of its index")
    func models() async throws {
        try await TinyService.run(images: 2) { service in
            let index = try await service.client.send("GET", "/api/index")
            let model = try #require(index.json["model"] as? [String: Any])
            #expect(model["fingerprint"] as? String == service.model.fingerprint)
            #expect(model["name"] as? String == "model" && model["knows"] is NSNull)
            #expect(model["image_size"] as? Int == 48)
            #expect(index.json["standard_ranking"] as? String == "itm")
            guard TinyModel.hasRecall else {
                #expect(model["recall"] is NSNull)
                return
            }
            let recall = try #require(model["recall"] as? [String: Any])
            #expect(recall["name"] as? String == "recall" && recall["image_size"] as? Int == 32)
            #expect(recall["fingerprint"] as? String == service.model.recall?.fingerprint)
            #expect(recall["is_trained"] as? Bool == false)
        }
    }

    @Test("The service describes its model, and reports if nothing matches well")
    func guesses() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyImages.write(6, to: folder.appending("images"))
            _ = try TinyModel.search(in: folder)
            let files = try ModelDirectory.open(folder.appending("model"))
            try files.write(try #require(ModelCard("colours of squares")))
            try files.write(MatchCalibration(temperature: 1, bias: -50, least: 0.2))
            let model = try TinyModel.opened(in: folder)
            _ = try await Indexer(model).update(
                folder.appending("index"), with: folder.appending("images"))
            try await TinyService.serve(folder, model) { service in
                let index = try await service.client.send("GET", "/api/index")
                let named = index.json["model"] as? [String: Any]
                #expect(named?["knows"] as? String == "colours of squares")
                // The second answer comes from the cache.
                for (text, candidates, isGood, words) in [
                    ("a red dog", 4, false, []), ("a red dog", 4, false, []),
                    ("a red dog 狗", 4, false, ["狗"]), ("黑色", 0, false, ["黑色"]),
                    ("a red dog", 0, nil, []),
                ] as [(String, Int, Bool?, [String])] {
                    let answer = try await service.client.post(
                        "/api/search", ["text": text, "candidates": candidates])
                    #expect(answer.json["matches_well"] as? Bool == isGood, "\(text)")
                    #expect((answer.json["matches_well"] is NSNull) == (isGood == nil))
                    let reading = answer.json["reading"] as? [String: Any]
                    #expect(reading?["unknown_words"] as? [String] == words)
                    #expect((answer.json["results"] as? [Any])?.count == 6)
                }
                let image = try await service.client.sendForm(
                    "POST", "/api/search", query: ["count": 3], image: TinyImages.bitmap(2))
                #expect(image.json["matches_well"] is NSNull)
            }
        }
    }

    @Test("An image finds itself, sent or named; with a text it finds matches of both")
    func image() async throws {
        try await TinyService.run { service in
            let sent = try await service.client.sendForm(
                "POST", "/api/search", query: ["count": 3], image: TinyImages.bitmap(7))
            let found = try #require((sent.json["results"] as? [[String: Any]])?.first)
            #expect(found["name"] as? String == "007.bmp")
            let named = try await service.results(["image": found["id"] ?? "", "count": 3])
            #expect(named.first?["name"] as? String == "007.bmp")
            let both = try await service.client.sendForm(
                "POST", "/api/search", query: ["text": "two dogs", "count": 30],
                image: TinyImages.bitmap(7))
            let searcher = try Searcher(service.model, ForwardIndex(service.index))
            let query = SearchQuery.imageAndText(
                .file(service.images.appending("007.bmp")), "two dogs")
            let expected = try searcher.search(query, SearchOptions(count: 30))
            let paths = (both.json["results"] as? [[String: Any]])?.map { $0["path"] as? String }
            #expect(paths == expected.results.map(\.path.string))
        }
    }

    @Test("Concurrent queries have the same answers as single ones")
    func batches() async throws {
        try await TinyService.run { service in
            let texts = (0..<24).map { index in
                ["a dog", "two dogs on the grass", "a man with a red hat and a bag"][index % 3]
                    + (index < 12 ? "" : " \(index)")
            }
            let searcher = try Searcher(service.model, ForwardIndex(service.index))
            let answers = try await withThrowingTaskGroup(of: (Int, ServiceResponse).self) {
                group in
                for (index, text) in texts.enumerated() {
                    group.addTask {
                        let answer = try await service.client.post(
                            "/api/search", ["text": text, "count": 20, "candidates": 5 + index])
                        return (index, answer)
                    }
                }
                return try await group.reduce(into: [Int: ServiceResponse]()) { $0[$1.0] = $1.1 }
            }
            for (index, text) in texts.enumerated() {
                let expected = try searcher.search(
                    .text(text), SearchOptions(count: 20, candidates: 5 + index)
                ).results
                let found = try #require(answers[index]?.json["results"] as? [[String: Any]])
                #expect(found.count == expected.count)
                // Rounding may swap results with nearly equal scores; the scores themselves agree.
                for result in found {
                    let same = expected.first { $0.path.string == result["path"] as? String }
                    let logit = result["match_logit"] as? Double
                    #expect(
                        logit.map(Float.init) == nil || same?.matchLogit == nil
                            || abs(Float(logit ?? 0) - (same?.matchLogit ?? 0)) < 1e-4)
                }
                let best = found.prefix(3).map { $0["path"] as? String }
                #expect(best == expected.prefix(3).map(\.path.string), "\(text)")
            }
            let metrics = try await service.client.send("GET", "/metrics").text
            #expect(metrics.contains("albef_batch_queries_count"))
        }
    }

    @Test("An answer is cached until the index changes")
    func cache() async throws {
        try await TinyService.run { service in
            func isCached() async throws -> Bool? {
                let answer = try await service.client.post("/api/search", ["text": "a dog"])
                return answer.json["is_cached"] as? Bool
            }
            #expect(try await isCached() == false)
            #expect(try await isCached() == true)
            let id = try #require(try await service.ids().first)
            let removed = try await service.client.send(
                "DELETE", "/api/images/\(id)", headers: TinyService.authorization)
            #expect(removed.status == 204)
            #expect(try await isCached() == false)
            #expect(try await service.results(["text": "a dog", "count": 30]).count == 29)
        }
    }

    @Test("Pairs are scored and explained as the library does")
    func pairs() async throws {
        try await TinyService.run { service in
            let path = service.images.appending("004.bmp")
            let id = EntryKey(path).description
            let answer = try await service.client.post(
                "/api/score", ["image": id, "texts": ["two dogs", "a man"]])
            let scores = try #require(answer.json["scores"] as? [[String: Any]])
            let expected = try service.model.score(path, ["two dogs", "a man"])
            #expect(scores.map { $0["text"] as? String } == ["two dogs", "a man"])
            for (score, reference) in zip(scores, expected) {
                let logit = score["match_logit"] as? Double ?? .nan
                #expect(abs(logit - Double(reference.matchLogit)) < 1e-4)
            }
            let explained = try await service.client.post(
                "/api/explain", ["image": id, "text": "two dogs"])
            #expect(explained.status == 200)
            let reference = try service.model.explain(path, "two dogs")
            let map = try #require(explained.json["map"] as? [[Double]])
            #expect(map.count == reference.sentence.height)
            for (value, expected) in zip(map.joined(), reference.sentence.values) {
                #expect(abs(value - Double(expected)) < 1e-5)
            }
            let words = explained.json["words"] as? [[String: Any]]
            #expect(words?.map { $0["word"] as? String } == reference.words.map(\.text))
        }
    }

    @Test(
        "Conditions, counts and probabilities are checked and named",
        arguments: [
            (#"{"count": 5}"#, "the query is empty"),
            (#"{"text": "a", "count": 0}"#, "count"),
            (#"{"text": "a", "count": 1001}"#, "count"),
            (#"{"text": "a", "candidates": -1}"#, "candidates: must be from 0 to 128"),
            (#"{"text": "a", "candidates": 129}"#, "candidates: must be from 0 to 128"),
            (#"{"text": "a", "ranking": "best"}"#, "ranking"),
            (#"{"text": "a", "filters": ["year"]}"#, "filters"),
            (#"{"text": "a", "minimum_probability": 2}"#, "minimum_probability"),
            (#"{"text": "a", "time_budget": 0}"#, "time_budget"),
            (#"{"text": "a", "colour": "red"}"#, "colour"),
            (#"{"text": 5}"#, "text"),
            (#"{"text": "a""#, "JSON"),
            ("", "the query is empty"),
        ])
    func refusals(_ body: String, _ named: String) async throws {
        try await TinyService.run(images: 2) { service in
            let answer = try await service.client.send(
                "POST", "/api/search", headers: ["content-type": "application/json"],
                body: Array(body.utf8))
            #expect(answer.status == 400)
            #expect(answer.problem == "invalid-request")
            let detail = answer.json["detail"] as? String ?? ""
            #expect(detail.contains(named), "\(detail)")
            #expect(answer.json["instance"] as? String == answer.headers["x-request-id"])
        }
    }

    @Test("A text of punctuation is refused")
    func empty() async throws {
        try await TinyService.run(images: 2) { service in
            let answer = try await service.client.post("/api/search", ["text": " ?! "])
            #expect(answer.status == 422 && answer.problem == "empty-text")
            let method = try await service.client.send("TRACE", "/api/search")
            #expect(method.status == 405 && method.headers["allow"] == "POST")
            #expect(try await service.client.send("GET", "/api/nothing").status == 404)
            for (method, path) in [("POST", "/"), ("TRACE", "/page.js"), ("DELETE", "/metrics")] {
                let answer = try await service.client.send(method, path)
                #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD", "\(path)")
            }
            #expect(try await service.client.send("OPTIONS", "*").status == 405)
        }
    }

    @Test("Thumbnails and originals have the headers for a browser's cache")
    func files() async throws {
        try await TinyService.run(images: 3) { service in
            let id = EntryKey(service.images.appending("001.bmp")).description
            let original = try await service.client.send("GET", "/api/images/\(id)/original")
            #expect(original.headers["content-type"] == "image/bmp")
            #expect(original.body == TinyImages.bitmap(1))
            #expect(original.headers["content-security-policy"]?.contains("sandbox") == true)
            let small = try await service.client.send(
                "GET", "/api/images/\(id)/thumbnail?side=64")
            #expect(small.headers["content-type"] == "image/jpeg")
            #expect(small.body.starts(with: [0xFF, 0xD8]))
            let tag = try #require(small.headers["etag"])
            for known in [tag, "\"other\", \(tag)", "*", String(tag.dropFirst(2))] {
                let again = try await service.client.send(
                    "GET", "/api/images/\(id)/thumbnail?side=64",
                    headers: ["if-none-match": known])
                #expect(again.status == 304 && again.body.isEmpty, "\(known)")
                #expect(again.headers["cache-control"] == small.headers["cache-control"])
            }
            let changed = try await service.client.send(
                "GET", "/api/images/\(id)/thumbnail?side=64",
                headers: ["if-none-match": "\"other\""])
            #expect(changed.status == 200)
            let page = try await service.client.send("GET", "/page.js")
            let pageTag = try #require(page.headers["etag"])
            let same = try await service.client.send(
                "GET", "/page.js", headers: ["if-none-match": pageTag])
            #expect(same.status == 304)
            // Characters of an id may be percent-encoded.
            let digit = try #require(id.utf8.first)
            let encoded = "%\(String(digit, radix: 16))\(id.dropFirst())"
            #expect(try await service.client.send("GET", "/api/images/\(encoded)").status == 200)
            for side in ["15", "2049", "x", ""] {
                let answer = try await service.client.send(
                    "GET", "/api/images/\(id)/thumbnail?side=\(side)")
                #expect(answer.status == 400, "\(side)")
            }
            try FileManager.default.removeItem(
                atPath: service.images.appending("001.bmp").string)
            let gone = try await service.client.send("GET", "/api/images/\(id)/original")
            #expect(gone.status == 404 && gone.problem == "not-found")
        }
    }

    @Test("Every described operation exists, and every operation is described")
    func description() async throws {
        try await TinyService.run(images: 2) { service in
            let document = try await service.client.send("GET", "/openapi.json").json
            #expect(document["openapi"] as? String == "3.1.0")
            let paths = try #require(document["paths"] as? [String: [String: Any]])
            #expect(paths.count == 16)
            let id = EntryKey(service.images.appending("001.bmp")).description
            for (path, operations) in paths {
                for method in operations.keys where method != "parameters" {
                    let answer = try await service.client.send(
                        method.uppercased(),
                        path.replacing("{id}", with: id),
                        headers: ["content-type": "application/json"])
                    // A request without its parameters may be refused, but the operation exists.
                    #expect(answer.status != 404 && answer.status < 500, "\(method) \(path)")
                    let responses = (operations[method] as? [String: Any])?["responses"]
                    let described = (responses as? [String: Any])?["\(answer.status)"]
                    #expect(described != nil, "\(method) \(path): \(answer.status)")
                }
            }
            #expect(try await service.client.send("GET", "/health/ready").status == 200)
            #expect(
                try await service.client.send("GET", "/").headers["content-type"]?
                    .hasPrefix("text/html") == true)
        }
    }
}
