import ALBEF
import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Models by name", .timeLimit(.minutes(30)))
struct ModelCacheTests {
    /// A folder with an image, its own cache and a mirror.
    private struct Place {
        let folder: FilePath
        let mirror: String
        var environment: [String: String] = [:]

        private func arguments(_ arguments: [String]) -> [String] {
            var variables = environment
            variables["ALBEF_CACHE"] = folder.appending("cache").string
            variables["ALBEF_MIRROR"] = mirror
            return variables.map { "\($0)=\($1)" } + [Command.executable.path] + arguments
        }

        func start(_ words: [String]) throws -> (Process, FilePath) {
            try Command.start(arguments(words), folder: folder, program: "/usr/bin/env")
        }

        func run(_ words: String...) async throws -> Command.Result {
            let (process, log) = try start(words)
            await process.exited()
            func text(_ suffix: String) throws -> String {
                try String(contentsOfFile: "\(log.string).\(suffix)", encoding: .utf8)
            }
            return Command.Result(
                status: process.terminationStatus, output: try text("out"),
                errors: try text("err"))
        }

        func score(_ model: String) async throws -> Command.Result {
            try await run("score", "a.bmp", "a red top", "--model", model)
        }
    }

    private func withPlace(
        _ server: ModelServer, _ body: (Place) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try Data(TinyImages.bitmap(1)).write(
                to: URL(filePath: folder.appending("a.bmp").string))
            try await body(
                Place(folder: folder, mirror: server.server.address.absoluteString))
        }
    }

    @Test("Fetches on first use, sends no request on the second, and never sends a token")
    func twice() async throws {
        let server = try ModelServer(await ModelServer.albef())
        try await withPlace(server) { place in
            var place = place
            place.environment = ["HF_TOKEN": "secret", "HUGGING_FACE_HUB_TOKEN": "secret"]
            let first = try await place.score("albef-coco")
            #expect(first.status == 0, "\(first.errors)")
            #expect(first.errors.contains("fetching albef-coco, about 838 MB"))
            #expect(first.errors.contains("licence: BSD-3-Clause"))
            #expect(first.errors.contains("importing albef-coco"))
            #expect(server.paths.count == 2)
            let sent = server.server.requests.flatMap(\.values)
            #expect(!sent.contains { $0.contains("secret") })
            server.server.stop()
            let second = try await place.score("albef-coco")
            #expect(second.status == 0 && second.output == first.output)
            #expect(!second.errors.contains("fetching") && !second.errors.contains("importing"))
            #expect(
                second.errors.contains(
                    "albef-coco: fine-tuned on COCO; also the zero-shot Flickr30K model, English"))
        }
    }

    @Test("Two processes fetch and import a model once")
    func together() async throws {
        let gate = Gate()
        defer { gate.open() }
        let server = try ModelServer(await ModelServer.albef()) { _, path, behaviour in
            if path == "mscoco.pth" { behaviour.hold = (count: 1000, until: gate) }
        }
        try await withPlace(server) { place in
            let words = ["score", "a.bmp", "a red top", "--model", "albef-coco"]
            let processes = try (0..<2).map { _ in try place.start(words) }
            func errors() -> String {
                processes.compactMap {
                    try? String(contentsOfFile: "\($0.1.string).err", encoding: .utf8)
                }.joined()
            }
            while !errors().contains("another process is fetching"),
                processes.allSatisfy(\.0.isRunning)
            {
                try await Task.sleep(for: .milliseconds(5))
            }
            gate.open()
            for (process, _) in processes {
                await process.exited()
                #expect(process.terminationStatus == 0, "\(errors())")
            }
            // On a busy machine, a process that receives nothing for a minute asks for the rest.
            let whole = server.server.requests.filter {
                $0[":path"] == "mscoco.pth" && $0["range"] == nil
            }
            #expect(whole.count == 1)
            #expect(errors().components(separatedBy: "importing albef-coco").count == 2)
        }
    }

    @Test("Resumes an interrupted download", arguments: [SIGINT, SIGKILL])
    func stopped(_ number: Int32) async throws {
        let files = try await ModelServer.albef()
        let gate = Gate()
        defer { gate.open() }
        let server = try ModelServer(files) { _, path, behaviour in
            if path == "mscoco.pth", !gate.isOpen { behaviour.hold = (count: 3000, until: gate) }
        }
        try await withPlace(server) { place in
            let (process, log) = try place.start([
                "score", "a.bmp", "a red top", "--model", "albef-coco",
            ])
            let partial = place.folder.pushing(
                "cache/models/albef-coco/download/mscoco.pth.partial")
            func size() -> Int {
                let attributes = try? FileManager.default.attributesOfItem(atPath: partial.string)
                return (attributes?[.size] as? Int) ?? 0
            }
            while process.isRunning, size() < 3000 {
                try await Task.sleep(for: .milliseconds(5))
            }
            kill(process.processIdentifier, number)
            await process.exited()
            if number == SIGINT {
                let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
                #expect(process.terminationStatus == 130, "\(errors)")
                #expect(errors.contains("the next download resumes here"))
            }
            let list = try await place.run("models", "list")
            let line = list.output.split(separator: "\n").first { $0.hasPrefix("albef-coco ") }
            #expect(line?.contains(" part ") == true)
            gate.open()
            let again = try await place.score("albef-coco")
            #expect(again.status == 0, "\(again.errors)")
            let last = server.server.requests.last { $0[":path"] == "mscoco.pth" }
            #expect(last?["range"] == "bytes=3000-")
        }
    }

    @Test("Lists a model, fetches it beforehand, uses it and removes it")
    func life() async throws {
        let server = try ModelServer(await ModelServer.albef())
        try await withPlace(server) { place in
            func listing(_ name: String) async throws -> [String: Any] {
                let result = try await place.run("models", "list", "--json")
                let all =
                    try JSONSerialization.jsonObject(with: Data(result.output.utf8))
                    as? [[String: Any]]
                return try #require(all?.first { $0["name"] as? String == name })
            }
            let before = try await listing("albef-coco")
            #expect(before["state"] as? String == "absent" && before["path"] == nil)
            #expect(before["abilities"] as? [String] == ["search", "re-rank", "classify", "start"])
            #expect(before["memory_bytes"] as? Int == 838_243_340)

            let pull = try await place.run("models", "pull", "albef-coco")
            let path = place.folder.pushing("cache/models/albef-coco/model").string
            #expect(pull.status == 0 && pull.output == path + "\n", "\(pull.errors)")
            let after = try await listing("albef-coco")
            #expect(after["state"] as? String == "ready" && after["path"] as? String == path)
            // Its path works like its name.
            let (named, direct) = (
                try await place.score("albef-coco"), try await place.score(path)
            )
            #expect(named.status == 0 && named.output == direct.output)

            let removal = try await place.run("models", "remove", "albef-coco")
            #expect(removal.status == 0 && removal.output.hasPrefix("removed albef-coco: "))
            #expect(removal.output.hasSuffix(" MB\n"))
            let gone = try await place.run("models", "remove", "albef-coco", "--json")
            #expect(try gone.json()["bytes"] as? Int == 0)
            #expect(try await listing("albef-coco")["state"] as? String == "absent")
            #expect(try await listing("bert-base-uncased")["state"] as? String == "ready")
        }
    }

    @Test("Puts the published files into a folder, laid out as on a mirror")
    func output() async throws {
        let server = try ModelServer(
            await ModelServer.albef().merging(ModelServer.chineseCLIP()) { first, _ in first })
        try await withPlace(server) { place in
            for (name, path) in [
                ("albef-coco", "mirror/mscoco.pth"),
                (ModelServer.chinese, "mirror/\(ModelServer.chinese)"),
            ] {
                let result = try await place.run("models", "pull", name, "--output", "mirror")
                #expect(result.status == 0 && result.output == path + "\n", "\(result.errors)")
            }
            let words = try await place.run(
                "models", "pull", "bert-base-uncased", "--output", "mirror", "--json")
            let json = try words.json()
            #expect(json["path"] as? String == "mirror/bert-base-uncased-vocab.txt")
            #expect((json["files"] as? [[String: String]])?.first?["sha256"]?.count == 64)
            let mirror = place.folder.appending("mirror")
            let files = try FileManager.default.subpathsOfDirectory(atPath: mirror.string)
            for file in ["mscoco.pth", "\(ModelServer.chinese)/config.json"] {
                #expect(files.contains(file))
            }
            #expect(
                !FileManager.default.fileExists(atPath: place.folder.appending("cache").string))
        }
    }

    @Test("Fetches towers by name, and prefers a directory to a name")
    func paths() async throws {
        let server = try ModelServer([:])
        try await withPlace(server) { place in
            try TinyModel().write(to: place.folder.appending("albef-coco"))
            let own = try await place.score("albef-coco")
            #expect(own.status == 0, "\(own.errors)")
            #expect(server.paths.isEmpty)
            let tower = try await place.run(
                "models", "create", "--image", "facebook/deit-base-patch16-224", "--text",
                "google-bert/bert-base-uncased", "--output", "new")
            #expect(tower.status != 0 && tower.errors.contains("404"))
            #expect(server.paths == ["facebook/deit-base-patch16-224/config.json"])
        }
    }

    @Test(
        "Rejects an unsuitable name before it fetches anything",
        arguments: [
            ("albef-vqa", "cannot search, since it is for question answering"),
            ("bert-base-uncased", "cannot search, since it is for vocabulary"),
            ("facebook/deit-base-patch16-224", "cannot search, since it is for image tower"),
            ("clip-vit-base-patch16", "did you mean 'openai/clip-vit-base-patch16'"),
            ("hf:someone/model", "'hf:someone/model' is not downloaded"),
            ("someone/model", "there is no directory 'someone/model'"),
            ("./albef-coco", "no such directory"),
        ])
    func refused(_ name: String, _ reason: String) async throws {
        let server = try ModelServer([:])
        try await withPlace(server) { place in
            let result = try await place.score(name)
            #expect(result.status != 0 && result.errors.contains(reason), "\(result.errors)")
            #expect(server.paths.isEmpty)
        }
    }
}
