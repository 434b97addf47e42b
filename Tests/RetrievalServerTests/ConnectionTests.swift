import Foundation
import RetrievalServer
import RetrievalTesting
import TestSupport
import Testing

@Suite("Connections before and around requests")
struct ConnectionTests {
    private static let search = """
        POST /api/search HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n
        """

    @Test("An unfinished head is answered, and a silent client is disconnected")
    func heads() async throws {
        try await TinyService.run(images: 2, { $0.limits.headSeconds = 0.2 }) { service in
            let (begun, isClosed) = try await service.client.converse { connection in
                connection.send("GET /api/index HTTP/1.1\r\nhost: loc")
                return (try connection.answer(), connection.isAtEnd())
            }
            #expect(begun.status == 408 && begun.problem == "body-timeout")
            #expect(isClosed)
            let isLetGo = try await service.client.converse { $0.isAtEnd() }
            #expect(isLetGo)
            // A second request on a connection has the same time.
            let (first, second) = try await service.client.converse { connection in
                connection.send("GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n")
                let first = try connection.answer()
                connection.send("GET /health/li")
                return (first, try connection.answer())
            }
            #expect(first.status == 200 && second.status == 408)
        }
    }

    @Test("A client that expects 100 Continue receives it only if its body is wanted")
    func expectations() async throws {
        try await TinyService.run(images: 2, { $0.limits.bodyBytes = 4096 }) { service in
            let body = #"{"text": "two dogs"}"#
            let (asked, found) = try await service.client.converse { connection in
                connection.send(
                    Self.search
                        + "content-length: \(body.utf8.count)\r\nExpect: 100-Continue\r\n\r\n")
                let asked = try connection.answer()
                connection.send(body)
                return (asked, try connection.answer())
            }
            #expect(asked.status == 100 && asked.headers.isEmpty)
            #expect(found.status == 200 && found.json["results"] != nil)
            let refusals = [
                (Self.search + "content-length: 99999999\r\nexpect: 100-continue\r\n\r\n", 413),
                (Self.search + "content-length: 5\r\nexpect: the-best\r\n\r\n", 417),
                (
                    """
                    POST /api/images HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\
                    expect: 100-continue\r\n\r\n
                    """, 401
                ),
            ]
            for (head, status) in refusals {
                let (answer, isClosed) = try await service.client.converse { connection in
                    connection.send(head)
                    return (try connection.answer(), connection.isAtEnd())
                }
                #expect(answer.status == status && answer.problem != nil)
                #expect(isClosed, "\(status)")
            }
        }
    }

    @Test("An address has a limited number of connections, and can open others when those end")
    func connections() async throws {
        try await TinyService.run(images: 2, { $0.limits.connectionsPerAddress = 3 }) {
            service in
            let live = "GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"
            let (held, turnedAway) = try await service.client.converse { first in
                first.send(live)
                var held = [try first.answer().status]
                let others = try (0..<2).map { _ in
                    try ServiceConnection(port: service.client.port)
                }
                for other in others {
                    other.send(live)
                    held.append(try other.answer().status)
                }
                let turnedAway = try ServiceConnection(port: service.client.port).answer()
                first.send(live)
                held.append(try first.answer().status)
                return (held, turnedAway)
            }
            #expect(held == [200, 200, 200, 200])
            #expect(turnedAway.status == 503 && turnedAway.problem == "unavailable")
            #expect(turnedAway.headers["retry-after"] == "1")
            #expect(
                try await eventually {
                    let answer = try? await service.client.send("GET", "/health/live")
                    return answer?.status == 200
                })
        }
    }

    @Test(
        "Invalid HTTP is answered with a problem document, logged and counted",
        arguments: [
            "GET /api/index HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
            "GET /api/index HTTP/1.1\r\n\r\n",
            "POST /api/search HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n"
                + "transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /api/search HTTP/1.1\r\nhost: a\r\ncontent-length: +2\r\n\r\n{}",
            "GET /api/index HTTP/1.1\r\nhost: a\r\n folded: line\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}",
        ])
    func garbage(_ sent: String) async throws {
        let log = LogUnderTest()
        try await TinyService.run(images: 2, logger: log.logger) { service in
            let (answer, isClosed) = try await service.client.converse { connection in
                connection.send(sent)
                return (try connection.answer(), connection.isAtEnd())
            }
            #expect(answer.status == 400 && answer.problem == "invalid-request")
            #expect(isClosed)
            let entry = try #require(log.entries.first { $0["message"] as? String == "refused" })
            #expect(entry["status"] as? Int == 400)
            #expect(entry["request"] as? String == answer.json["instance"] as? String)
            let metrics = try await service.client.send("GET", "/metrics").text
            #expect(metrics.contains(#"{method="other",route="none",status="400"} 1"#))
        }
    }

    @Test("A body that becomes invalid HTTP is answered, and the connection closes")
    func chunks() async throws {
        try await TinyService.run(images: 2) { service in
            let (answer, isClosed) = try await service.client.converse { connection in
                connection.send(
                    Self.search + "transfer-encoding: chunked\r\n\r\n2\r\n{}\r\nnot a size\r\n")
                return (try connection.answer(), connection.isAtEnd())
            }
            #expect(answer.status == 400 && answer.problem == "invalid-request")
            #expect(isClosed)
        }
    }

    @Test("An HTTP/1.0 request needs no Host, and its connection ends with the answer")
    func old() async throws {
        try await TinyService.run(
            images: 2,
            {
                $0.host = "0.0.0.0"
                $0.limits.requestsPerSecond = 0
            }
        ) { service in
            let (answer, isClosed) = try await service.client.converse { connection in
                connection.send("GET /health/live HTTP/1.0\r\n\r\n")
                return (try connection.answer(), connection.isAtEnd())
            }
            #expect(answer.status == 200 && isClosed)
        }
    }
}
