import ALBEF
import Downloads
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("The cache of models", .timeLimit(.minutes(30)))
struct ModelCacheTests {
    private let folder: DownloadFolder
    private let cache: ModelCache

    init() throws {
        folder = try DownloadFolder()
        cache = ModelCache(folder.path("cache"), downloader: .impatient)
    }

    private func names(_ path: FilePath) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path.string).sorted()) ?? []
    }

    private func place(_ name: String) -> FilePath {
        folder.path("cache/models").pushing(FilePath(name))
    }

    @Test("The first use downloads, checks and imports; the second needs no network")
    func twice() async throws {
        let server = try ModelServer(ModelServer.chineseCLIP())
        let entry = try server.entry(ModelServer.chinese)
        #expect(cache.model(entry) == nil && cache.size(of: entry) == 0)
        let reports = CacheReports()
        let path = try await cache.prepare(entry, from: server.catalog) { reports.append($0) }
        let directory = try ModelDirectory.open(path)
        try directory.verify()
        let direct = try TowerModel(importing: Fixtures.path("towers/hf-chinese-clip"))
        #expect(directory.configuration == direct.configuration)
        #expect(cache.model(entry) == path)

        let steps = reports.downloads.map(\.received)
        #expect(steps == steps.sorted() && !steps.isEmpty)
        #expect(reports.downloads.last.map { $0.received == $0.total } == true)
        #expect(reports.all.last == .importing)
        // The files are removed after the import.
        #expect(names(place(ModelServer.chinese)) == ["download", "model"])
        #expect(names(place(ModelServer.chinese).appending("download")) == ["hashes.json"])
        #expect(cache.size(of: entry) > 10_000)

        let count = server.paths.count
        server.server.stop()
        #expect(try await cache.prepare(entry, from: server.catalog) == path)
        #expect(server.paths.count == count)
    }

    @Test("Weights under another name are found, and an optional file may be missing")
    func alternatives() async throws {
        let server = try ModelServer(ModelServer.chineseCLIP(weights: "pytorch_model.bin"))
        let path = try await cache.prepare(
            server.entry(ModelServer.chinese), from: server.catalog)
        _ = try ModelDirectory.open(path)
        #expect(server.count("model.safetensors") == 1 && server.count("pytorch_model.bin") == 1)
        #expect(server.count("tokenizer_config.json") == 1)
    }

    @Test("A missing required file is an error that names its address")
    func absent() async throws {
        var files = try ModelServer.chineseCLIP()
        files["\(ModelServer.chinese)/vocab.txt"] = nil
        let server = try ModelServer(files)
        let error = await #expect(throws: DownloadError.self) {
            try await cache.prepare(server.entry(ModelServer.chinese), from: server.catalog)
        }
        #expect(error?.status == 404 && error?.description.contains("vocab.txt") == true)
        #expect(server.count("model.safetensors") == 0, "the weights come last")
        let left = names(place(ModelServer.chinese).appending("download"))
        #expect(left == ["config.json", "hashes.json", "preprocessor_config.json"])
    }

    @Test("A checkpoint of ALBEF is imported with the vocabulary of another entry")
    func vocabulary() async throws {
        let server = try ModelServer(await ModelServer.albef())
        let entry = try server.entry("albef-coco")
        let path = try await cache.prepare(entry, from: server.catalog)
        let directory = try ModelDirectory.open(path)
        #expect(directory.configuration.task == .retrieval && directory.matches)
        #expect(server.paths == ["bert-base-uncased-vocab.txt", "mscoco.pth"])
        // The vocabulary stays for the next model and can be used by itself.
        let words = try await cache.fetch(server.entry("bert-base-uncased"))
        #expect(names(words) == ["bert-base-uncased-vocab.txt"])
        #expect(server.paths.count == 2)
    }

    @Test(
        "A web page in place of a file is refused and not recorded",
        arguments: ["model.safetensors", "config.json", "vocab.txt"])
    func page(_ file: String) async throws {
        let files = try ModelServer.chineseCLIP()
        let isOpen = Gate()
        let server = try ModelServer(files) { attempt, path, behaviour in
            guard path.hasSuffix(file), !isOpen.isOpen else { return }
            behaviour = .init(
                content: Data("\n <!DOCTYPE html><html>Log in</html>".utf8), entityTag: nil)
        }
        let entry = try server.entry(ModelServer.chinese)
        let error = await #expect(throws: DownloadError.self) {
            try await cache.prepare(entry, from: server.catalog)
        }
        #expect(error?.description.contains("did not send a") == true)
        #expect(error?.description.contains("nothing was kept") == true)
        let download = place(ModelServer.chinese).appending("download")
        #expect(!names(download).contains(file))
        let record = try? String(
            contentsOfFile: download.appending("hashes.json").string, encoding: .utf8)
        #expect(record?.contains("\"\(file)\"") != true)
        #expect(cache.model(entry) == nil)

        isOpen.open()
        _ = try await cache.prepare(entry, from: server.catalog)
    }

    @Test("A broken download is resumed, in the same call and in the next")
    func broken() async throws {
        let files = try ModelServer.chineseCLIP()
        let weights = "\(ModelServer.chinese)/model.safetensors"
        let gate = Gate()
        defer { gate.open() }
        let server = try ModelServer(files) { attempt, path, behaviour in
            guard path == weights, !gate.isOpen else { return }
            // The first connection breaks, and the second stops sending.
            if attempt == 3 { behaviour.cut = 1000 }
            if attempt > 3 { behaviour.hold = (count: 1500, until: gate) }
        }
        var entry = try server.entry(ModelServer.chinese)
        entry = Self.without("tokenizer_config.json", entry)
        let (progress, report) = AsyncStream<ModelProgress>.makeStream()
        let task = Task { [cache] in
            try await cache.prepare(entry, from: server.catalog) { report.yield($0) }
        }
        while server.count("model.safetensors") < 2 {
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(server.server.requests.last?["range"] == "bytes=1000-")
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        report.finish()
        for await step in progress { #expect(step != .importing) }
        let partial = place(ModelServer.chinese).appending("download/model.safetensors.partial")
        let kept = try Data(contentsOf: URL(filePath: partial.string)).count
        #expect(kept >= 1000)

        gate.open()
        _ = try await cache.prepare(entry, from: server.catalog)
        #expect(server.count("config.json") == 1, "what is whole is not fetched again")
        let last = server.server.requests.last { $0[":path"] == weights }
        #expect(last?["range"] == "bytes=\(kept)-")
    }

    /// Returns an entry without one of its files, so that requests can be counted.
    private static func without(
        _ name: String, _ entry: ModelCatalog.Entry
    ) -> ModelCatalog.Entry {
        ModelCatalog.Entry(
            name: entry.name, summary: entry.summary, purpose: entry.purpose,
            abilities: entry.abilities, languages: entry.languages, licence: entry.licence,
            dialect: entry.dialect,
            parts: entry.parts.filter { $0.alternatives.first?.name != name },
            isFolder: entry.isFolder, parameters: entry.parameters)
    }

    @Test(
        "Every kind of folder becomes a model",
        arguments: [
            ("google/siglip2-base-patch16-224", "hf-siglip", ["preprocessor_config.json"]),
            ("Salesforce/blip-itm-base-coco", "hf-blip", ["preprocessor_config.json"]),
            ("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "open-clip", ["open_clip_config.json"]),
        ])
    func kinds(_ name: String, _ fixture: String, _ documents: [String]) async throws {
        let folder = Fixtures.path("towers/\(fixture)")
        let source = try TowerModel(importing: folder)
        var files: [String: Data] = [:]
        for file in documents + ["config.json", "model.safetensors", "open_clip_model.safetensors"]
        {
            files["\(name)/\(file)"] = try? Data(
                contentsOf: URL(filePath: folder.appending(file).string))
        }
        let isWordPiece = fixture == "hf-blip"
        files["\(name)/\(isWordPiece ? "vocab.txt" : "tokenizer.json")"] =
            isWordPiece
            ? ModelServer.vocabulary(source.configuration.text.vocabularySize) : Data("{}".utf8)
        let server = try ModelServer(files)
        let path = try await cache.prepare(server.entry(name), from: server.catalog)
        let directory = try ModelDirectory.open(path)
        #expect(directory.configuration == source.configuration)
        #expect(directory.matches == isWordPiece)
        #expect(names(path).contains(isWordPiece ? "vocab.txt" : "tokenizer.json"))
    }

    @Test("The two missing tokens of BLIP's published vocabulary are added")
    func blipTokens() async throws {
        let name = "Salesforce/blip-itm-base-coco"
        let folder = Fixtures.path("towers/hf-blip")
        let rows = try TowerModel(importing: folder).configuration.text.vocabularySize
        var files: [String: Data] = ["\(name)/vocab.txt": ModelServer.vocabulary(rows - 2)]
        for file in ["config.json", "preprocessor_config.json", "model.safetensors"] {
            files["\(name)/\(file)"] = try Data(
                contentsOf: URL(filePath: folder.appending(file).string))
        }
        let server = try ModelServer(files)
        let path = try await cache.prepare(server.entry(name), from: server.catalog)
        let text = try String(
            contentsOfFile: path.appending("vocab.txt").string, encoding: .utf8)
        let lines = text.split(separator: "\n")
        #expect(lines.count == rows && lines.suffix(3) == ["w\(rows - 8)", "[DEC]", "[ENC]"])
        #expect(names(place(name).appending("download")) == ["hashes.json"])
    }

    @Test("A file is refused if its digest differs from the published one")
    func digest() async throws {
        let server = try ModelServer([
            "bert-base-chinese-vocab.txt": ModelServer.vocabulary(21_128)
        ])
        let entry = try server.entry("bert-base-chinese")
        let error = await #expect(throws: DownloadError.self) { try await cache.fetch(entry) }
        #expect(error?.description.contains("is published; nothing was kept") == true)
        #expect(cache.files(entry) == nil && cache.size(of: entry) == 0)
    }

    @Test("A file that changes on the server after the first download is refused")
    func changed() async throws {
        let files = try ModelServer.chineseCLIP()
        let isOpen = Gate()
        let server = try ModelServer(files) { _, path, behaviour in
            guard path.hasSuffix("model.safetensors"), isOpen.isOpen else { return }
            // The last byte belongs to a weight.
            behaviour.content[behaviour.content.count - 1] ^= 1
            behaviour.entityTag = "\"other\""
        }
        let entry = try server.entry(ModelServer.chinese)
        let path = try await cache.prepare(entry, from: server.catalog)
        try FileManager.default.removeItem(atPath: path.string)
        isOpen.open()
        let error = await #expect(throws: DownloadError.self) {
            try await cache.prepare(entry, from: server.catalog)
        }
        #expect(error?.description.contains("when first downloaded") == true)
        // Removing the entry also removes its digests.
        try cache.remove(entry)
        _ = try await cache.prepare(entry, from: server.catalog)
    }

    @Test("Concurrent calls share one download and one import")
    func together() async throws {
        let files = try ModelServer.chineseCLIP()
        let gate = Gate()
        defer { gate.open() }
        let server = try ModelServer(files) { _, path, behaviour in
            if path.hasSuffix("model.safetensors") { behaviour.hold = (count: 100, until: gate) }
        }
        let entry = try server.entry(ModelServer.chinese)
        let reports = CacheReports()
        try await withThrowingTaskGroup(of: FilePath.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    try await cache.prepare(entry, from: server.catalog) { reports.append($0) }
                }
            }
            while reports.all.filter({ $0 == .waiting }).count < 5 {
                try await Task.sleep(for: .milliseconds(2))
            }
            let error = #expect(throws: ModelCacheError.self) { try cache.remove(entry) }
            #expect(error?.description.contains("another process") == true)
            gate.open()
            for try await path in group { _ = try ModelDirectory.open(path) }
        }
        #expect(reports.all.filter { $0 == .importing }.count == 1)
        #expect(server.count("model.safetensors") == 1 && server.count("config.json") == 1)
    }

    @Test("A waiting call can be cancelled")
    func cancelled() async throws {
        let gate = Gate()
        defer { gate.open() }
        let server = try ModelServer(ModelServer.chineseCLIP()) { _, path, behaviour in
            if path.hasSuffix("config.json") { behaviour.hold = (count: 0, until: gate) }
        }
        let entry = try server.entry(ModelServer.chinese)
        let first = Task { try await cache.prepare(entry, from: server.catalog) }
        while server.paths.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
        let (progress, report) = AsyncStream<ModelProgress>.makeStream()
        let second = Task {
            try await cache.prepare(entry, from: server.catalog) { report.yield($0) }
        }
        for await step in progress where step == .waiting { break }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        gate.open()
        _ = try await first.value
    }

    @Test("A failed import is an error that names the file, and downloads nothing again")
    func unusable() async throws {
        var files = try ModelServer.chineseCLIP()
        files["\(ModelServer.chinese)/vocab.txt"] = ModelServer.vocabulary(7)
        let server = try ModelServer(files)
        let entry = try server.entry(ModelServer.chinese)
        for _ in 0..<2 {
            let error = await #expect(throws: ModelFileError.self) {
                try await cache.prepare(entry, from: server.catalog)
            }
            #expect(error?.description.contains("has 7 lines") == true)
        }
        #expect(server.count("model.safetensors") == 1)
        #expect(cache.model(entry) == nil)
        #expect(names(place(ModelServer.chinese)) == ["download"], "no half of a model")
    }

    @Test("The files of a tower are kept unchanged and downloaded once")
    func tower() async throws {
        let folder = Fixtures.path("towers/hf-vit")
        let name = "facebook/deit-base-patch16-224"
        var files: [String: Data] = [:]
        for file in ["config.json", "model.safetensors"] {
            files["\(name)/\(file)"] = try Data(
                contentsOf: URL(filePath: folder.appending(file).string))
        }
        let server = try ModelServer(files)
        let entry = try server.entry(name)
        let path = try await cache.fetch(entry)
        #expect(names(path) == ["config.json", "hashes.json", "model.safetensors"])
        server.server.stop()
        #expect(try await cache.fetch(entry) == path)
        let error = await #expect(throws: ModelCacheError.self) { try await cache.prepare(entry) }
        #expect(error?.description.contains("models create") == true)
    }

    @Test("A model can be imported from files that are kept for another use, and they stay")
    func both() async throws {
        let server = try ModelServer(ModelServer.chineseCLIP())
        let entry = try server.entry(ModelServer.chinese)
        let files = try await cache.fetch(entry)
        let count = server.paths.count
        _ = try ModelDirectory.open(try await cache.prepare(entry, from: server.catalog))
        #expect(server.paths.count == count)
        #expect(names(files).contains("model.safetensors"))
        #expect(names(place(ModelServer.chinese)) == ["files", "model"])
    }

    @Test("Removing an entry returns its size, removes all of it and keeps the other entries")
    func removal() async throws {
        let server = try ModelServer(
            ModelServer.chineseCLIP().merging(await ModelServer.albef()) { first, _ in first })
        let entry = try server.entry(ModelServer.chinese)
        let other = try server.entry("albef-coco")
        _ = try await cache.prepare(entry, from: server.catalog)
        _ = try await cache.prepare(other, from: server.catalog)
        let size = cache.size(of: entry)
        #expect(size > 0)
        #expect(try cache.remove(entry) == size)
        #expect(cache.model(entry) == nil && cache.size(of: entry) == 0)
        #expect(names(folder.path("cache/models/OFA-Sys")) == [])
        #expect(cache.model(other) != nil)
        #expect(try cache.remove(entry) == 0)
    }

    @Test("No token is sent to any server")
    func secrets() async throws {
        let server = try ModelServer(ModelServer.chineseCLIP())
        _ = try await cache.prepare(server.entry(ModelServer.chinese), from: server.catalog)
        for request in server.server.requests {
            #expect(request["authorization"] == nil && request["cookie"] == nil)
        }
    }

    @Test("The environment determines the folder of the cache")
    func environment() {
        func folder(_ environment: [String: String]) -> String {
            ModelCache(environment: environment).folder.string
        }
        #expect(
            folder(["ALBEF_CACHE": "/data/a", "XDG_CACHE_HOME": "/x", "HOME": "/h"]) == "/data/a")
        #expect(folder(["ALBEF_CACHE": "", "XDG_CACHE_HOME": "/x", "HOME": "/h"]) == "/x/albef")
        #if os(macOS)
            let standard = "/h/Library/Caches/albef"
        #else
            let standard = "/h/.cache/albef"
        #endif
        #expect(folder(["XDG_CACHE_HOME": "relative", "HOME": "/h"]) == standard)
        #expect(folder(["HOME": "/h"]) == standard)
    }
}

/// The progress that a cache reported, on any thread.
final class CacheReports: Sendable {
    private let reports = Mutex<[ModelProgress]>([])
    var all: [ModelProgress] { reports.withLock { $0 } }
    func append(_ report: ModelProgress) { reports.withLock { $0.append(report) } }

    /// The bytes in the order of the reports.
    var downloads: [DownloadProgress] {
        all.compactMap { if case .downloading(let step) = $0 { step } else { nil } }
    }
}
