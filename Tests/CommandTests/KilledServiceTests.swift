import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("albef serve, stopped from outside", .serialized, .timeLimit(.minutes(30)))
struct KilledServiceTests {
    /// How often the service is killed; set `ALBEF_SERVICE_KILLS` for more.
    private static let kills =
        ProcessInfo.processInfo.environment["ALBEF_SERVICE_KILLS"].flatMap { Int($0) } ?? 5
    private static let key = "a key that only tests know"

    private static let arguments = [
        "serve", "--index", "index", "--model", "model", "--port", "0", "--key-file", "key",
        "--threads", "1", "--log-level", "warning",
    ]

    /// Starts the service and waits until it listens.
    ///
    /// - Parameter kilobytes: the largest size of a file; nil for any size.
    private func start(
        _ folder: FilePath, limit kilobytes: Int? = nil, _ more: [String] = []
    ) async throws -> (Process, port: String) {
        try Data(Self.key.utf8).write(to: URL(filePath: folder.appending("key").string))
        let (process, log) =
            if let kilobytes {
                try Command.start(
                    [
                        "-c",
                        "trap '' XFSZ; ulimit -f \(kilobytes); exec \"$0\" \"$@\"",
                        Command.executable.path,
                    ] + Self.arguments + more, folder: folder, program: "/bin/bash")
            } else {
                try Command.start(Self.arguments + more, folder: folder)
            }
        var port: Substring?
        _ = try await eventually {
            let text = try String(contentsOfFile: "\(log.string).out", encoding: .utf8)
            if let line = text.split(separator: "\n").first, text.hasSuffix("\n") {
                port = line.split(separator: ":").last
            }
            return port != nil || !process.isRunning
        }
        if port == nil {
            let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
            Issue.record("the service does not listen: \(errors)")
        }
        return (process, String(port ?? ""))
    }

    /// Runs a service for a test, and ends it afterwards if the test did not.
    private func withService(
        _ folder: FilePath, limit kilobytes: Int? = nil, _ more: [String] = [],
        _ body: (_ process: Process, _ port: String) async throws -> Void
    ) async throws {
        let (process, port) = try await start(folder, limit: kilobytes, more)
        defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        try await body(process, port)
    }

    /// Returns a number from the service's metrics.
    private func metric(_ name: String, _ port: String, folder: FilePath) async throws -> Int {
        let text = try await curl(port, "/metrics", [], folder: folder)?.body ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }
        return line.flatMap { Int($0.dropFirst(name.count + 1)) } ?? 0
    }

    /// Runs curl, and returns the status and the body of the response; nil without a response.
    private func curl(
        _ port: String, _ path: String, _ arguments: [String], folder: FilePath
    ) async throws -> (status: Int, body: String)? {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["curl", "-s", "-m", "120", "-w", "\n%{http_code}", "http://127.0.0.1:\(port)\(path)"]
            + arguments
        process.currentDirectoryURL = URL(filePath: folder.string)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        await process.exited()
        let text = String(
            decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        let parts = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard process.terminationStatus == 0, let status = parts.last.flatMap({ Int($0) }) else {
            return nil
        }
        return (status, parts.dropLast().joined(separator: "\n"))
    }

    private func id(_ json: String) -> String? {
        let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        return object?["id"] as? String
    }

    @Test("Killed while clients write, the service keeps everything that it acknowledged")
    func kills() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            let authorization = ["-H", "Authorization: Bearer \(Self.key)"]
            var (kept, deleted): ([String: Int], Set<String>) = ([:], [])
            var next = 0
            for _ in 0..<Self.kills {
                let (process, port) = try await start(folder)
                defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
                // The service has everything that it acknowledged before, unchanged.
                for (id, seed) in kept {
                    let answer = try await curl(
                        port, "/api/images/\(id)/original", ["-o", "got.bmp"], folder: folder)
                    #expect(answer?.status == 200, "\(id)")
                    let bytes = FileManager.default.contents(
                        atPath: folder.appending("got.bmp").string)
                    #expect(bytes.map { [UInt8]($0) } == TinyImages.bitmap(seed), "\(id)")
                }
                for id in deleted {
                    let answer = try await curl(port, "/api/images/\(id)", [], folder: folder)
                    #expect(answer?.status == 404, "\(id)")
                }
                // After some answers, in the middle of another request.
                let answers = Int.random(in: 4...12)
                var (count, unknown): (Int, Set<String>) = (0, [])
                var killer: Task<Void, Never>?
                while process.isRunning {
                    if count == answers, killer == nil {
                        killer = Task {
                            try? await Task.sleep(for: .milliseconds(Int.random(in: 0...60)))
                            kill(process.processIdentifier, SIGKILL)
                        }
                    }
                    next += 1
                    let file = "\(next).bmp"
                    try Data(TinyImages.bitmap(next)).write(
                        to: URL(filePath: folder.appending(file).string))
                    let form = authorization + ["-F", "image=@\(file)"]
                    let (method, path, victim): (String, String, String?) =
                        switch next % 4 {
                        case 2: ("PUT", "/api/images/", kept.keys.randomElement())
                        case 3: ("DELETE", "/api/images/", kept.keys.randomElement())
                        default: ("POST", "/api/images", nil)
                        }
                    if method != "POST", victim == nil { continue }
                    let answer = try await curl(
                        port, path + (victim ?? ""),
                        ["-X", method] + (method == "DELETE" ? authorization : form),
                        folder: folder)
                    count += 1
                    switch (answer?.status, method) {
                    case (201?, "POST"):
                        kept[try #require(id(answer?.body ?? ""))] = next
                    case (200?, "PUT"): victim.map { kept[$0] = next }
                    case (204?, "DELETE"):
                        if let victim {
                            kept[victim] = nil
                            deleted.insert(victim)
                        }
                    case (nil, _):
                        // Not acknowledged, so either is right.
                        if let victim { unknown.insert(victim) }
                    default: Issue.record("\(method): \(answer?.status ?? 0) \(answer?.body ?? "")")
                    }
                }
                await killer?.value
                await process.exited()
                for id in unknown { kept[id] = nil }
                #expect(try ForwardIndex.verify(folder.appending("index")).isEmpty)
            }
            #expect(kept.count > 0 && deleted.count > 0)
        }
    }

    @Test("Reports a full disk, and continues to serve what it has")
    func fullDisk() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            try await withService(folder, limit: 16) { process, port in
                func add(_ side: Int) async throws -> (status: Int, body: String)? {
                    try Data(TinyImages.bitmap(side, side: side)).write(
                        to: URL(filePath: folder.appending("\(side).bmp").string))
                    return try await curl(
                        port, "/api/images",
                        ["-H", "Authorization: Bearer \(Self.key)", "-F", "image=@\(side).bmp"],
                        folder: folder)
                }
                #expect(try await add(8)?.status == 201)
                let refused = try await add(100)
                #expect(refused?.status == 507, "\(refused?.body ?? "")")
                #expect(refused?.body.contains("urn:albef:problem:disk-full") == true)
                #expect(try await add(12)?.status == 201)
                let page = try await curl(port, "/api/images", [], folder: folder)
                #expect(page?.body.contains("\"total\":2") == true, "\(page?.body ?? "")")
                kill(process.processIdentifier, SIGTERM)
                await process.exited()
                let uploads = try FileManager.default.contentsOfDirectory(
                    atPath: folder.appending("index.uploads").string
                ).filter { !$0.hasPrefix(".") }
                #expect(uploads.count == 2, "\(uploads)")
                #expect(try ForwardIndex.verify(folder.appending("index")).isEmpty)
            }
        }
    }

    @Test("On SIGTERM, finishes the requests in flight and exits with status 0")
    func ends() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            try TinyImages.write(200, to: folder.appending("photos"))
            let made = try await Command.run(
                ["index", "add", "photos", "--index", "index", "--model", "model"], folder: folder)
            #expect(made.status == 0, "\(made.errors)")
            try await withService(folder) { process, port in
                try await withThrowingTaskGroup(of: Int?.self) { group in
                    for number in 0..<12 {
                        group.addTask {
                            let json = #"{"text": "dogs \#(number)", "candidates": 128}"#
                            return try await self.curl(
                                port, "/api/search",
                                ["-H", "content-type: application/json", "-d", json],
                                folder: folder
                            )?.status
                        }
                    }
                    // The first request is being computed, or is done; others arrive.
                    #expect(
                        try await eventually {
                            try await metric("albef_batch_queries_count", port, folder: folder) > 0
                        })
                    kill(process.processIdentifier, SIGTERM)
                    for try await status in group {
                        // Every request is answered in full, or never accepted.
                        #expect(status == 200 || status == nil)
                    }
                }
                await process.exited()
                #expect(process.terminationStatus == 0)
                #expect(process.terminationReason == .exit)
            }
        }
    }

    @Test("On SIGTERM, does not wait for the rest of a body")
    func endsWithoutBody() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            // Only the end of the service ends this request.
            try Data("limits: {body_seconds: 3000, request_seconds: 3000}".utf8).write(
                to: URL(filePath: folder.appending("slow.yaml").string))
            try await withService(folder, ["--settings", "slow.yaml"]) { process, port in
                let request =
                    #"POST /api/search HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n"#
                    + #"content-type: application/json\r\n\r\n{"#
                let script = "exec 3<>/dev/tcp/127.0.0.1/\(port); printf '\(request)' >&3; cat <&3"
                let (client, log) = try Command.start(
                    ["-c", script], folder: folder, program: "/bin/bash")
                defer { if client.isRunning { kill(client.processIdentifier, SIGKILL) } }
                #expect(
                    try await eventually {
                        // The request for the metrics also counts.
                        try await metric("http_server_active_requests", port, folder: folder) == 2
                    })
                kill(process.processIdentifier, SIGTERM)
                await process.exited()
                #expect(process.terminationStatus == 0 && process.terminationReason == .exit)
                await client.exited()
                let answer = try String(contentsOfFile: "\(log.string).out", encoding: .utf8)
                #expect(answer.hasPrefix("HTTP/1.1 503 "), "\(answer)")
            }
        }
    }

    @Test("Serves a folder without other options, and keeps its index in the user's data folder")
    func folderAlone() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let folder = folder.absolute
            try TinyModel().write(to: folder.appending("model"))
            try TinyImages.write(3, to: folder.appending("photos"))
            let data = folder.appending("data")
            let (process, log) = try Command.start(
                [
                    "XDG_DATA_HOME=\(data)", Command.executable.path, "serve", "--photos", "photos",
                    "--model", "model", "--port", "0",
                ], folder: folder, program: "/usr/bin/env")
            defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
            var output = ""
            let isThere = try await eventually {
                output = try String(contentsOfFile: "\(log.string).out", encoding: .utf8)
                return output.contains("\nindex: ") || !process.isRunning
            }
            #expect(isThere && process.isRunning, "\(output)")
            let line = try #require(output.split(separator: "\n").last { $0.hasPrefix("index: ") })
            let index = folder.pushing(FilePath(String(line.dropFirst("index: ".count))))
            #expect(index.removingLastComponent() == data.appending("albef").appending("indexes"))
            #expect(index.lastComponent?.string.hasPrefix("photos-") == true)
            #expect(try await eventually { (try? ForwardIndex(index).count) == 3 })
            #expect(
                !FileManager.default.fileExists(atPath: folder.appending("photos.index").string))
            kill(process.processIdentifier, SIGTERM)
            await process.exited()
            #expect(process.terminationStatus == 0)

            let nothing = try await Command.run(["serve", "--model", "model"], folder: folder)
            #expect(
                nothing.status == 64 && nothing.errors.contains("--photos"), "\(nothing.errors)")
        }
    }

    @Test("Reports errors before it listens")
    func refusals() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            let missing = try await Command.run(
                ["serve", "--index", "nowhere", "--model", "model"], folder: folder)
            #expect(missing.status == 1)
            #expect(missing.errors.contains("nowhere: contains no index"), "\(missing.errors)")
            try Data("short".utf8).write(to: URL(filePath: folder.appending("key").string))
            let key = try await Command.run(
                ["serve", "--index", "nowhere", "--model", "model", "--key-file", "key"],
                folder: folder)
            #expect(key.status == 64 && key.errors.contains("16 characters"), "\(key.errors)")
            try Data("prot: 1".utf8).write(to: URL(filePath: folder.appending("s.yaml").string))
            let settings = try await Command.run(
                ["serve", "--index", "nowhere", "--model", "model", "--settings", "s.yaml"],
                folder: folder)
            #expect(settings.status == 1)
            #expect(settings.errors.contains("s.yaml:1: 'prot'"), "\(settings.errors)")
        }
    }
}
