import Foundation
import RetrievalServer
import RetrievalTesting
import TestSupport
import Testing

@Suite("JSON documents are validated before they are decoded")
struct HostileDocumentTests {
    private static let type = ["content-type": "application/json"]

    @Test(
        "Errors name the field or the position",
        arguments: [
            (#"{"text": "a", "count": 3.5}"#, "count: must be a whole number, not 3.5"),
            (#"{"text": "a", "count": 1e999}"#, "count: 1e999 is too large"),
            (#"{"text": "a", "count": 9007199254740993}"#, "count: 9007199254740993 is beyond"),
            (
                #"{"text": "a", "count": 99999999999999999999999999}"#,
                "count: 99999999999999999999999999 is beyond"
            ),
            (#"{"text": "a", "count": 5, "text": "b"}"#, "text: occurs twice"),
            (#"{"text": "a", "te\u0078t": "b"}"#, "text: occurs twice"),
            (#"{"text": "\ud83d"}"#, "line 1, byte 17: a string has half a surrogate pair"),
            (#"{"text": "\ude00\ud83d"}"#, "line 1, byte 17: a string has half a surrogate pair"),
            ("{\"text\": \"a\",\n \"count\": 05}", "line 2, byte 13: a number has a leading zero"),
            (#"{"text": 5}"#, "text: must be a text"),
            (#"{"text": "a", "filters": "a=1"}"#, "filters: must be a list"),
            (#"{"text": "a", "filters": ["a=1", 2]}"#, "filters.1: must be a text"),
            (#"{"text": "a", "count": "5"}"#, "count: must be a number"),
            (#"{"text": "a", "count": NaN}"#, "expected a value"),
            (#"{"text": "a",}"#, "line 1, byte 14: expected a string"),
            (#"{"text": "a"} {}"#, "unexpected text after the end"),
            (#"{"text": "a"#, "line 1, byte 12: a string does not end"),
            (#"["text"]"#, "must be an object"),
            (" ", "JSON: is empty"),
            ("\u{FEFF}{}", "byte order mark"),
            (String(repeating: #"{"a":"#, count: 5000), "nested more than 16 deep"),
            (#"{"a": [\#(String(repeating: "1,", count: 20_000))1]}"#, "10000 values"),
            (
                #"{"text": "a", "filters": [\#(String(repeating: "\"a=1\",", count: 16))"a=1"]}"#,
                "filters: must have at most 16"
            ),
        ])
    func faults(_ body: String, _ named: String) async throws {
        try await TinyService.run(images: 2) { service in
            let answer = try await service.client.send(
                "POST", "/api/search", headers: Self.type, body: Array(body.utf8))
            #expect(answer.status == 400 && answer.problem == "invalid-request")
            let detail = answer.json["detail"] as? String ?? ""
            #expect(detail.contains(named), "\(detail)")
        }
    }

    @Test("Documents have their own size limit, alone and in forms")
    func sizes() async throws {
        try await TinyService.run(
            images: 2,
            {
                $0.limits.documentBytes = 2048
                $0.limits.metadataBytes = 200
            }
        ) { service in
            let long = ["text": String(repeating: "a ", count: 2000)]
            let alone = try await service.client.post("/api/search", long)
            #expect(alone.status == 413 && alone.problem == "too-large")
            let form = try await service.client.sendForm(
                "POST", "/api/search", query: long, image: TinyImages.bitmap(1))
            #expect(form.status == 413)
            #expect((form.json["detail"] as? String)?.contains("query") == true)
            let fits = try await service.client.sendForm(
                "POST", "/api/search", query: ["text": "a dog"], image: TinyImages.bitmap(1))
            #expect(fits.status == 200)
            for value: Any in [
                String(repeating: "x", count: 300), Array(repeating: "tag", count: 100),
            ] {
                let answer = try await service.client.sendForm(
                    "POST", "/api/images", query: ["metadata": ["a": value]],
                    image: TinyImages.bitmap(3), headers: TinyService.authorization)
                #expect(answer.status == 400)
                let detail = answer.json["detail"] as? String ?? ""
                #expect(detail.contains("metadata: must have at most 200 bytes"), "\(detail)")
            }
        }
    }

    @Test("Many large documents at once do not delay other answers")
    func many() async throws {
        try await TinyService.run(images: 2) { service in
            let fields = (0..<8000).map { #""k\#($0)":1"# }.joined(separator: ",")
            let wide = Array("{\(fields)}".utf8)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<32 {
                    group.addTask {
                        let answer =
                            index % 4 == 0
                            ? try await service.client.send("GET", "/health/live")
                            : try await service.client.send(
                                "POST", "/api/search", headers: Self.type, body: wide)
                        return answer.status
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 8, 400: 24])
        }
    }

    @Test("Concurrent large bodies share a limit, and free their share when they end")
    func sum() async throws {
        try await TinyService.run(images: 2, { $0.limits.bodyBytes = 4096 }) { service in
            let question = ["text": String(repeating: "two dogs ", count: 40)]
            let hold: @Sendable (ServiceConnection) -> ServiceConnection = { connection in
                connection.send(
                    """
                    POST /api/search HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4096\r\n\
                    content-type: multipart/form-data; boundary=edge\r\n\r\n
                    """)
                connection.send([UInt8](repeating: 0x20, count: 4090))
                return connection
            }
            // Sixteen of these fill the budget. One that competes with a question may itself be
            // refused, so one more follows each question that is still answered.
            var held: [ServiceConnection] = []
            for _ in 0..<16 { held.append(try await service.client.converse(hold)) }
            #expect(
                try await eventually {
                    let answer = try await service.client.post("/api/search", question)
                    if answer.status == 503 { return answer.headers["retry-after"] != nil }
                    held.append(try await service.client.converse(hold))
                    return false
                })
            held.removeAll()
            let isFree = try await eventually {
                try await service.client.post("/api/search", question).status == 200
            }
            #expect(isFree)
        }
    }

    @Test("Compressed bodies, and unknown or repeated parameters, are refused")
    func requests() async throws {
        try await TinyService.run(images: 2) { service in
            let packed = try await service.client.send(
                "POST", "/api/search",
                headers: ["content-type": "application/json", "content-encoding": "gzip"],
                body: [0x1F, 0x8B])
            #expect(packed.status == 415 && packed.problem == "unsupported-media")
            #expect(packed.headers["accept-encoding"] == "identity")
            for (query, named) in [
                ("limit=1&limit=abc", "limit: occurs twice"), ("lmit=1", "'lmit'"),
                ("limit=1&x", "'x'"),
            ] {
                let answer = try await service.client.send("GET", "/api/images?\(query)")
                #expect(answer.status == 400)
                #expect((answer.json["detail"] as? String)?.contains(named) == true, "\(query)")
            }
            // The page reads its own parameters, so the service accepts any.
            #expect(try await service.client.send("GET", "/?q=a&q=b").status == 200)
        }
    }
}
