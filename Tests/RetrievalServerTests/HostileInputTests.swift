import Foundation
import Retrieval
import RetrievalServer
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Hostile input has a defined answer")
struct HostileInputTests {
    private func expectWell(_ service: TinyService) async throws {
        let results = try await service.results(["text": "two dogs"])
        #expect(!results.isEmpty)
    }

    @Test("Bodies that are too large, declared or not, are refused")
    func oversize() async throws {
        try await TinyService.run(images: 2, { $0.limits.bodyBytes = 4096 }) { service in
            let announced = try await service.client.exchange([
                Array(
                    """
                    POST /api/search HTTP/1.1\r\nhost: localhost\r\n\
                    content-type: application/json\r\ncontent-length: 99999999999\r\n\r\n
                    """.utf8)
            ])
            #expect(announced.status == 413 && announced.problem == "too-large")
            let chunk = "1000\r\n" + String(repeating: "x", count: 0x1000) + "\r\n"
            let endless = try await service.client.exchange(
                [
                    Array(
                        """
                        POST /api/search HTTP/1.1\r\nhost: localhost\r\n\
                        content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n
                        """.utf8)
                ] + Array(repeating: Array(chunk.utf8), count: 8))
            #expect(endless.status == 413)
            try await expectWell(service)
        }
    }

    @Test("An unfinished body is answered, and the connection closes")
    func slow() async throws {
        try await TinyService.run(images: 2, { $0.limits.bodySeconds = 0.2 }) { service in
            let (answer, isClosed) = try await service.client.converse { connection in
                connection.send(
                    """
                    POST /api/search HTTP/1.1\r\nhost: localhost\r\n\
                    content-type: application/json\r\ncontent-length: 100\r\n\r\n{
                    """)
                // The rest is never sent.
                return (try connection.answer(), connection.isAtEnd())
            }
            #expect(answer.status == 408 && answer.problem == "body-timeout")
            #expect(isClosed)
            // This request has no body, because a busy machine may exceed the limit with one.
            #expect(try await service.client.send("GET", "/health/live").status == 200)
        }
    }

    @Test(
        "Ids that are paths are not found",
        arguments: [
            "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "....//etc/passwd",
            "0000000000000000000000000000000g", "00000000000000000000000000000000",
            "%00", "A0000000000000000000000000000000", String(repeating: "0", count: 4000),
        ])
    func traversal(_ id: String) async throws {
        try await TinyService.run(images: 2) { service in
            for path in ["", "/original", "/thumbnail"] {
                let answer = try await service.client.send("GET", "/api/images/\(id)\(path)")
                #expect(answer.status == 404, "\(path)")
                #expect(answer.problem == "not-found")
                #expect(!answer.text.contains("root:"))
            }
            let removal = try await service.client.send(
                "DELETE", "/api/images/\(id)", headers: TinyService.authorization)
            #expect(removal.status == 404)
        }
    }

    @Test("Images that are too large, truncated or invalid are refused")
    func images() async throws {
        try await TinyService.run(images: 2, { $0.limits.pixels = 1_000_000 }) { service in
            var bomb = TinyImages.bitmap(1)
            // This BMP declares 30,000 x 30,000 pixels.
            for (place, value) in [(18, 30_000), (22, 30_000)] {
                for byte in 0..<4 { bomb[place + byte] = UInt8(value >> (8 * byte) & 255) }
            }
            let bombs = try ["bmp", "gif", "jpg", "png", "tif"].map {
                try [UInt8](
                    Data(
                        contentsOf: URL(filePath: Fixtures.path("images/bomb.\($0)").string)))
            }
            let cases =
                bombs + [
                    bomb, Array(TinyImages.bitmap(1).prefix(100)),
                    Array("<svg onload=alert(1)>".utf8),
                    [], [0xFF, 0xD8, 0xFF], Array("GIF89a".utf8),
                    [UInt8](repeating: 0, count: 4096),
                ]
            for bytes in cases {
                let search = try await service.client.sendForm(
                    "POST", "/api/search", image: bytes)
                #expect(search.status == 422, "\(search.text)")
                #expect(search.problem == "unsupported-picture")
                let added = try await service.client.sendForm(
                    "POST", "/api/images", image: bytes, headers: TinyService.authorization)
                #expect(added.status == 422)
            }
            let detail =
                try await service.client.sendForm("POST", "/api/search", image: bomb)
                .json["detail"] as? String
            #expect(detail?.contains("30000 x 30000") == true, "\(detail ?? "")")
            #expect(try ForwardIndex(service.index).count == 2)
            try await expectWell(service)
        }
    }

    @Test("Of the files that an index names, only images are sent")
    func otherFiles() async throws {
        try await TinyService.run(images: 2) { service in
            let path = service.images.appending("001.bmp")
            try Data("root:x:0:0".utf8).write(to: URL(filePath: path.string))
            for part in ["original", "thumbnail"] {
                let answer = try await service.client.send(
                    "GET", "/api/images/\(EntryKey(path))/\(part)")
                #expect(answer.status == 404 && answer.problem == "not-found", "\(part)")
                #expect(!answer.text.contains("root:"))
            }
            let archive = try await service.client.post(
                "/api/archive", ["ids": [EntryKey(path).description]])
            #expect(!archive.body.contains("root:x".utf8))
        }
    }

    @Test("A request cannot make the service fetch an address or read a path")
    func addresses() async throws {
        let other = try FileServer { _ in FileServer.Behaviour(content: Data("secret".utf8)) }
        defer { other.stop() }
        try await TinyService.run(images: 2) { service in
            for place in [other.address.absoluteString, "file:///etc/passwd", "/etc/passwd"] {
                let named = try await service.client.post("/api/search", ["image": place])
                #expect(named.status == 404 && named.problem == "not-found")
                for field in ["image_url", "url", "path"] {
                    let unknown = try await service.client.post(
                        "/api/search", ["text": "a dog", field: place])
                    #expect(unknown.status == 400)
                    #expect((unknown.json["detail"] as? String)?.contains("'\(field)'") == true)
                }
            }
        }
        #expect(other.requests.isEmpty)
    }

    @Test("Texts have a limited length")
    func texts() async throws {
        try await TinyService.run(images: 2, { $0.limits.characters = 40 }) { service in
            for body: [String: Any] in [
                ["text": String(repeating: "a", count: 41)],
                ["text": "a dog", "without": [String(repeating: "狗", count: 41)]],
            ] {
                let answer = try await service.client.post("/api/search", body)
                #expect(answer.status == 400)
                #expect(
                    (answer.json["detail"] as? String)?.contains("at most 40 characters") == true)
            }
            try await expectWell(service)
        }
    }

    @Test("Every answer forbids scripts of others, frames and guesses about types")
    func headers() async throws {
        try await TinyService.run(images: 2) { service in
            for path in ["/", "/page.js", "/api/index", "/api/nothing"] {
                let answer = try await service.client.send("GET", path)
                let policy = answer.headers["content-security-policy"] ?? ""
                for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
                    #expect(policy.contains(rule), "\(path)")
                }
                #expect(!policy.contains("unsafe") && !policy.contains("*"), "\(path)")
                #expect(answer.headers["x-content-type-options"] == "nosniff", "\(path)")
                #expect(answer.headers["access-control-allow-origin"] == nil, "\(path)")
            }
        }
    }

    @Test("The page's scripts never read a text as HTML or as code")
    func page() throws {
        let folder = Fixtures.repository.appending("Sources/RetrievalServer/Page")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.string)
            .filter { $0.hasSuffix(".js") || $0.hasSuffix(".html") }
        #expect(names.count > 40)
        let forbidden = [
            "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
            "new Function", "srcdoc", "javascript:", "createContextualFragment",
        ]
        for name in names {
            let text = try String(contentsOfFile: folder.appending(name).string, encoding: .utf8)
            for word in forbidden { #expect(!text.contains(word), "\(name) has \(word)") }
        }
    }

    @Test(
        "Malformed forms are refused",
        arguments: [
            ("multipart/form-data", "--edge--\r\n"),
            ("multipart/form-data; boundary=", "--\r\n"),
            ("multipart/form-data; boundary=edge", ""),
            ("multipart/form-data; boundary=edge", "no boundary at all"),
            ("multipart/form-data; boundary=edge", "--edge\r\n\r\nno head\r\n--edge--"),
            (
                "multipart/form-data; boundary=edge",
                "--edge\r\ncontent-disposition: form-data\r\n\r\nx\r\n--edge--"
            ),
            (
                "multipart/form-data; boundary=edge",
                "--edge\r\ncontent-disposition: form-data; name=\"image\"\r\n\r\nnever ends"
            ),
            (
                "multipart/form-data; boundary=edge",
                "--edgecontent-disposition: form-data; name=\"image\"\r\n\r\nx\r\n--edge--"
            ),
            (
                "multipart/form-data; boundary=edge",
                "--edge\r\ncontent-disposition: form-data; name=\"other\"\r\n\r\nx\r\n--edge--"
            ),
            (
                "multipart/form-data; boundary=edge",
                "--edge\r\ncontent-disposition: form-data; name=\"image\r\n\r\nx\r\n--edge--"
            ),
            (
                "multipart/form-data; boundary=edge",
                "--edge\r\n" + String(repeating: "a", count: 9000) + "\r\n\r\nx\r\n--edge--"
            ),
            (
                "multipart/form-data; boundary=edge",
                String(
                    repeating: "--edge\r\ncontent-disposition: form-data; name=\"q\"\r\n\r\n\r\n",
                    count: 99) + "--edge--"
            ),
            ("multipart/form-data; boundary=\"\(String(repeating: "e", count: 71))\"", "x"),
        ])
    func forms(_ type: String, _ body: String) async throws {
        try await TinyService.run(images: 2) { service in
            let answer = try await service.client.send(
                "POST", "/api/search", headers: ["content-type": type], body: Array(body.utf8))
            #expect(answer.status == 400, "\(answer.text)")
            #expect(answer.problem == "invalid-request")
        }
    }

    @Test("Invalid and oversized heads are refused")
    func heads() async throws {
        try await TinyService.run(images: 2) { service in
            let many = (0..<2000).map { "x-\($0): y\r\n" }.joined()
            let long = "x-long: " + String(repeating: "y", count: 200_000) + "\r\n"
            for head in [many, long] {
                let answer = try await service.client.exchange([
                    Array("GET /api/index HTTP/1.1\r\nhost: localhost\r\n\(head)\r\n".utf8)
                ])
                #expect(answer.status == 400)
            }
            for line in ["\r\n\r\n\r\n", "GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
                let answer = try? await service.client.converse { connection in
                    connection.send(line)
                    connection.finish()
                    return try connection.answer()
                }
                #expect(answer == nil || answer?.status == 400, "\(line)")
            }
            let type = try await service.client.send(
                "POST", "/api/search", headers: ["content-type": "text/plain"], body: [1])
            #expect(type.status == 415 && type.problem == "unsupported-media")
            try await expectWell(service)
        }
    }

    @Test("Other host names are refused, so that no other page can use the service")
    func names() async throws {
        try await TinyService.run(images: 2, { $0.names = ["photos.test"] }) { service in
            for (host, status) in [
                ("evil.example", 421), ("photos.test:80", 200), ("LOCALHOST", 200),
                ("[::1]:99", 200), ("", 421), ("localhost:evil", 421), ("[::1].evil", 421),
                ("localhost:99999", 421), ("localhost:", 421),
            ] {
                let answer = try await service.client.exchange([
                    Array("GET /api/index HTTP/1.1\r\nhost: \(host)\r\n\r\n".utf8)
                ])
                #expect(answer.status == status, "\(host)")
            }
        }
    }

    @Test("Writing without the key, or with a wrong one, is refused")
    func keys() async throws {
        try await TinyService.run(images: 2) { service in
            let id = try #require(try await service.ids().first)
            for authorization in ["", "Bearer", "Bearer no", "Basic \(TinyService.key)"] {
                for (method, path) in [("DELETE", "/api/images/\(id)"), ("POST", "/api/images")] {
                    let answer = try await service.client.send(
                        method, path, headers: ["authorization": authorization])
                    #expect(answer.status == 401 && answer.problem == "unauthorized")
                }
            }
            #expect(try ForwardIndex(service.index).count == 2)
        }
        try await TinyService.run(images: 2, { $0.key = nil }) { service in
            let answer = try await service.client.sendForm(
                "POST", "/api/images", image: TinyImages.bitmap(9),
                headers: TinyService.authorization)
            #expect(answer.status == 403 && answer.problem == "forbidden")
        }
    }

    @Test("An address with too many requests receives the time to wait")
    func rate() async throws {
        // The rate is one request per fifty seconds, so a slow machine does not matter.
        try await TinyService.run(images: 2, { $0.limits.requestsPerSecond = 0.02 }) {
            service in
            #expect(try await service.client.send("GET", "/api/index").status == 200)
            for _ in 0..<3 {
                let answer = try await service.client.send("GET", "/api/index")
                #expect(answer.status == 429 && answer.problem == "rate-limited")
                let wait = answer.headers["retry-after"].flatMap { Int($0) } ?? 0
                #expect((1...50).contains(wait))
            }
        }
    }

    @Test("Requests beyond the limit are refused, and the others answered")
    func overload() async throws {
        try await TinyService.run(
            images: 30,
            {
                $0.batching.waiting = 2
                $0.batching.queries = 1
                $0.batching.cachedAnswers = 0
            }
        ) { service in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<40 {
                    group.addTask {
                        let answer = try await service.client.post(
                            "/api/search", ["text": "dog \(index)", "candidates": 30])
                        if answer.status == 503 {
                            #expect(answer.headers["retry-after"] == "1")
                            #expect(answer.problem == "unavailable")
                        }
                        return answer.status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(statuses).isSubset(of: [200, 503]))
            #expect(statuses.contains(200))
            try await expectWell(service)
        }
    }

    @Test("A request that takes too long is cancelled")
    func timeout() async throws {
        try await TinyService.run(
            images: 90,
            {
                $0.limits.requestSeconds = 0.001
                $0.batching.delayMilliseconds = 1000
            }
        ) { service in
            let answer = try await service.client.post("/api/search", ["text": "a dog"])
            #expect(answer.status == 504 && answer.problem == "timed-out")
        }
    }
}
