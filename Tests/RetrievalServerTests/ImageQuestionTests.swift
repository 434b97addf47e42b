import ALBEF
import Foundation
import ImageText
import Retrieval
import RetrievalServer
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Questions about an image, and the places of texts in it")
struct ImageQuestionTests {
    /// A running service that answers questions, and what answers them in the library.
    private struct Asked {
        let client: ServiceClient
        let model: TaskModel
        let reader: AnswerReader
        let images: FilePath

        /// Returns the id of an image in the index.
        func id(_ name: String) -> String { EntryKey(images.appending(name)).description }
    }

    /// Runs a service that answers questions freely, or from a list.
    private func withQuestions(
        _ choices: [String]? = nil, configure: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (Asked) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let images = folder.appending("images")
            let index = folder.appending("index")
            try TinyImages.write(4, to: images)
            let search = try TinyModel.search(in: folder)
            _ = try await Indexer(search).update(index, with: images)
            let path = folder.appending("vqa")
            try TinyModel(task: .vqa, seed: 3).write(to: path)
            let model = try TaskModel(ModelDirectory.open(path))
            var list: AnswerChoices?
            if let choices {
                let file = folder.appending("answers.json")
                try JSONEncoder().encode(choices).write(to: URL(filePath: file.string))
                list = try AnswerChoices(reading: file)
            }
            let reader = try AnswerReader(model.texts, choices: list)
            try await withRetrievalService(
                search, questions: QuestionModel(model, reader, name: "vqa"), index: index,
                configure: configure
            ) { client in
                try await body(
                    Asked(client: client, model: model, reader: reader, images: images))
            }
        }
    }

    @Test(
        "Answers are those of the library, from a list or freely written",
        arguments: [["red", "two dogs", "tree"], nil] as [[String]?])
    func answers(_ choices: [String]?) async throws {
        try await withQuestions(choices) { asked in
            let question = "What is on the left?"
            let image = try ImageLoader(targetSide: asked.model.image.side)
                .load(asked.images.appending("002.bmp"))
            let expected = try asked.model.answers(to: question, about: image, asked.reader)
            #expect(choices == nil ? !expected.isEmpty : expected.count == 3)
            let named = try await asked.client.post(
                "/api/answer", ["image": asked.id("002.bmp"), "question": question])
            let sent = try await asked.client.sendForm(
                "POST", "/api/answer", query: ["question": question], image: TinyImages.bitmap(2))
            for answer in [named, sent] {
                #expect(answer.status == 200, "\(answer.text)")
                #expect(answer.json["question"] as? String == question)
                #expect(answer.json["model"] as? String == "vqa")
                let found = try #require(answer.json["answers"] as? [[String: Any]])
                #expect(found.map { $0["text"] as? String } == expected.map(\.text))
                for (each, reference) in zip(found, expected) {
                    let score = each["score"] as? Double ?? .nan
                    #expect(abs(score - reference.score) < 1e-4)
                }
            }
            let index = try await asked.client.send("GET", "/api/index").json
            #expect((index["questions"] as? [String: Any])?["model"] as? String == "vqa")
            let metrics = try await asked.client.send("GET", "/metrics").text
            #expect(metrics.contains("albef_stage_seconds_count{stage=\"answer\"} 2"))
        }
    }

    @Test("A service without a model for questions says so, and another model is refused")
    func absent() async throws {
        try await TinyService.run(images: 2) { service in
            let id = EntryKey(service.images.appending("001.bmp")).description
            let answer = try await service.client.post(
                "/api/answer", ["image": id, "question": "What is it?"])
            #expect(answer.status == 409 && answer.problem == "conflict")
            #expect((answer.json["detail"] as? String)?.contains("--questions") == true)
            let index = try await service.client.send("GET", "/api/index").json
            #expect(index["questions"] is NSNull)

            let path = service.folder.appending("entailment")
            try TinyModel(task: .entailment).write(to: path)
            let model = try TaskModel(ModelDirectory.open(path))
            #expect(throws: ServerError.self) {
                try QuestionModel(model, AnswerReader(model.texts), name: "other")
            }
        }
    }

    @Test("Questions are validated as searches are")
    func faults() async throws {
        try await withQuestions(configure: { $0.limits.characters = 40 }) { asked in
            let id = asked.id("001.bmp")
            let long = String(repeating: "what ", count: 9)
            let unknown = String(repeating: "0", count: 32)
            let cases: [([String: String], Int, String, String)] = [
                (["image": id], 400, "invalid-request", "question"),
                (["image": id, "question": " ?! "], 422, "empty-text", "question: "),
                (["image": id, "question": long], 400, "invalid-request", "at most 40 characters"),
                (
                    ["image": id, "question": "what?", "text": "a"], 400, "invalid-request",
                    "'text'"
                ),
                (["image": unknown, "question": "what?"], 404, "not-found", "no image"),
                (["question": "what?"], 400, "invalid-request", "image: "),
            ]
            for (body, status, problem, named) in cases {
                let answer = try await asked.client.post("/api/answer", body)
                let detail = answer.json["detail"] as? String ?? ""
                #expect(answer.status == status && answer.problem == problem, "\(detail)")
                #expect(detail.contains(named), "\(detail)")
            }
            let both = try await asked.client.sendForm(
                "POST", "/api/answer", query: ["image": id, "question": "what?"],
                image: TinyImages.bitmap(1))
            #expect(both.status == 400 && both.text.contains("not both"))
            let broken = try await asked.client.sendForm(
                "POST", "/api/answer", query: ["question": "what?"], image: Array("none".utf8))
            #expect(broken.status == 422 && broken.problem == "unsupported-picture")
        }
    }

    private struct Location: Decodable {
        struct Place: Decodable {
            struct Box: Decodable { let x, y, width, height: Double }
            let x, y: Double
            let box: Box

            var numbers: [Double] { [x, y, box.x, box.y, box.width, box.height] }
        }
        struct Peak: Decodable { let pixels, shares: Place }

        let text: String
        let match_probability: Double
        let image_width, image_height, layer, width, height: Int
        let peak: Peak?
        let map: [[Double]]
    }

    @Test("A text is located as the library does, in pixels and in shares", .oneModelAndTwo)
    func places() async throws {
        try await TinyService.run(images: 5) { service in
            var peaks = 0
            for number in 0..<5 {
                let path = service.images.appending("00\(number).bmp")
                let expected = try service.model.locate(path, "two dogs")
                let answer = try await service.client.post(
                    "/api/locate", ["image": EntryKey(path).description, "text": "two dogs"])
                #expect(answer.status == 200, "\(answer.text)")
                let found = try answer.decoded(as: Location.self)
                #expect(found.text == "two dogs" && found.layer == expected.layer.index)
                #expect(found.image_width == 8 && found.image_height == 8)
                #expect(
                    found.map.map(\.count) == [Int](repeating: found.width, count: found.height))
                #expect((found.width, found.height) == (expected.map.width, expected.map.height))
                for (value, reference) in zip(found.map.joined(), expected.map.values) {
                    #expect(abs(value - Double(reference)) < 1e-5)
                }
                let probability = Double(try #require(expected.matchProbability))
                #expect(abs(found.match_probability - probability) < 1e-4)
                guard let place = expected.peak, let peak = found.peak else {
                    #expect(expected.peak == nil && found.peak == nil)
                    continue
                }
                peaks += 1
                let numbers =
                    [place.x, place.y, place.box.x, place.box.y, place.box.width]
                    + [place.box.height]
                for (value, reference) in zip(peak.pixels.numbers, numbers) {
                    #expect(abs(value - reference) < 1e-3)
                }
                for (share, pixels) in zip(peak.shares.numbers, peak.pixels.numbers) {
                    #expect(abs(8 * share - pixels) < 1e-9)
                }
            }
            #expect(peaks > 0)
        }
    }

    @Test("Places are in pixels of a sent image, however small it is decoded")
    func sizes() async throws {
        try await TinyService.run(images: 2) { service in
            let image = try ImageLoader().load(TinyImages.bitmap(3, side: 900), named: "large")
            let bytes = try JPEGEncoder.encode(image, quality: 90, named: "large")
            let answer = try await service.client.sendForm(
                "POST", "/api/locate", query: ["text": "a dog"], image: bytes)
            #expect(answer.status == 200, "\(answer.text)")
            let found = try answer.decoded(as: Location.self)
            #expect(found.image_width == 900 && found.image_height == 900)
        }
    }

    @Test("Texts to locate are validated, and need a model that matches")
    func refusals() async throws {
        try await TinyService.run(images: 2, { $0.limits.characters = 40 }) { service in
            let id = EntryKey(service.images.appending("001.bmp")).description
            let cases: [([String: Any], Int, String, String)] = [
                (["image": id], 400, "invalid-request", "text"),
                (["image": id, "text": "..."], 422, "empty-text", ""),
                (
                    ["image": id, "text": String(repeating: "dog ", count: 11)], 400,
                    "invalid-request", "text: must have at most 40 characters"
                ),
                (["image": id, "text": "a dog", "layer": 0], 409, "conflict", "layer: must be"),
                (["image": id, "text": "a dog", "box": 1], 400, "invalid-request", "'box'"),
                (["text": "a dog"], 400, "invalid-request", "image: "),
            ]
            for (body, status, problem, named) in cases {
                let answer = try await service.client.post("/api/locate", body)
                let detail = answer.json["detail"] as? String ?? ""
                #expect(answer.status == status && answer.problem == problem, "\(detail)")
                #expect(named.isEmpty || detail.contains(named), "\(detail)")
            }
        }
        try await withTinyService(images: 2, model: TinyModel(task: .alignment)) { service in
            let id = EntryKey(service.images.appending("001.bmp")).description
            let answer = try await service.client.post(
                "/api/locate", ["image": id, "text": "a dog"])
            #expect(answer.status == 409 && answer.problem == "conflict", "\(answer.text)")
        }
    }
}
