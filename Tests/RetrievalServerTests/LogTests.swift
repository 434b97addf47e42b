import Foundation
import Logging
import Retrieval
import RetrievalServer
import RetrievalTesting
import Synchronization
import SystemPackage
import Testing

/// A log that tests can read.
final class LogUnderTest: Sendable {
    private let lines = Mutex<[[UInt8]]>([])

    /// Returns a logger that writes here through the service's handler.
    var logger: Logger {
        Logger(label: "test") { label in
            JSONLogHandler(
                label: label, level: .debug,
                now: { Date(timeIntervalSince1970: 1_700_000_000.25) },
                write: { line in self.lines.withLock { $0.append(line) } })
        }
    }

    /// The parsed entries.
    var entries: [[String: Any]] {
        lines.withLock { $0 }.map { line in
            (try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]) ?? [:]
        }
    }

    /// Whether every entry is one line.
    var isInLines: Bool {
        lines.withLock { $0 }.allSatisfy { $0.filter { $0 == 0x0A }.count == 1 && $0.last == 0x0A }
    }
}

@Suite("The JSON log")
struct LogTests {
    @Test("An entry is one line of JSON with a full date, and numbers keep their type")
    func entries() throws {
        let log = LogUnderTest()
        var logger = log.logger
        logger[metadataKey: "always"] = "here"
        logger.warning(
            "two\nlines",
            metadata: [
                "status": .stringConvertible(200), "milliseconds": .stringConvertible(0.648),
                "large": .stringConvertible(UInt64.max), "none": .stringConvertible(Double.nan),
                "is_writable": .stringConvertible(true), "path": "/a\u{1B}\"b",
                "list": ["a", .stringConvertible(1)],
            ])
        #expect(log.isInLines)
        let entry = try #require(log.entries.first)
        #expect(entry["time"] as? String == "2023-11-14T22:13:20.250Z")
        #expect(entry["level"] as? String == "warning")
        #expect(entry["message"] as? String == "two\nlines")
        #expect(entry["status"] as? Int == 200)
        #expect(entry["milliseconds"] as? Double == 0.648)
        #expect(entry["large"] as? String == "18446744073709551615")
        #expect(entry["none"] as? String == "nan")
        #expect(entry["is_writable"] as? Bool == true)
        #expect(entry["path"] as? String == "/a\u{1B}\"b")
        #expect((entry["list"] as? [Any])?.last as? Int == 1)
        #expect(entry["always"] as? String == "here")
    }

    @Test("The service logs its start and every answer")
    func service() async throws {
        let log = LogUnderTest()
        try await TinyService.run(
            images: 2, logger: log.logger, { $0.version = "1.2.3" }
        ) { service in
            _ = try await service.client.send("GET", "/api/nothing")
            let start = try #require(log.entries.first { $0["message"] as? String == "started" })
            #expect(start["version"] as? String == "1.2.3")
            #expect(start["model"] as? String == service.model.fingerprint)
            #expect(start["index"] as? String == service.index.string)
            #expect(start["images"] as? Int == 2)
            let answer = try #require(log.entries.first { $0["message"] as? String == "answered" })
            #expect(answer["status"] as? Int == 404)
            #expect(answer["milliseconds"] is Double)
            #expect(answer["client"] as? String == "127.0.0.1")
            #expect(log.isInLines)
            let metrics = try await service.client.send("GET", "/metrics").text
            #expect(metrics.contains(#"albef_build_info{version="1.2.3"} 1"#))
            #expect(metrics.contains("\nprocess_start_time_seconds "))
            #expect(metrics.contains("\nprocess_open_fds "))
            #expect(metrics.contains(#"route="other",status="404"} 1"#))
        }
    }
}
