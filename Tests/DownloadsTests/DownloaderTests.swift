import ALBEF
import Downloads
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(30))) struct DownloaderTests {
    let content = DownloadFolder.bytes(3_000_000)
    let folder: DownloadFolder

    init() throws {
        folder = try DownloadFolder()
    }

    @Test func aFileArrivesCompletelyAndItsHashIsRecorded() async throws {
        let content = content
        let server = try FileServer { _ in FileServer.Behaviour(content: content) }
        defer { server.stop() }
        let reports = Reports()
        let result = try await Downloader.impatient.download(server.address, to: folder.file) {
            reports.append($0)
        }
        #expect(result.isNew && result.path == folder.file)
        #expect(try folder.data() == content)
        #expect(try folder.names == ["hashes.json", "model.pth"])
        let hashes = try JSONDecoder().decode(
            [String: String].self, from: folder.data("hashes.json"))
        #expect(hashes == ["model.pth": result.sha256])
        let all = reports.all
        #expect(all.map(\.received) == all.map(\.received).sorted())
        #expect(all.count >= 3 && all.last?.received == 3_000_000)
        #expect(all.allSatisfy { $0.total == 3_000_000 })
    }

    @Test func aFinishedFileIsCheckedAndNotDownloadedAgain() async throws {
        let content = content
        let server = try FileServer { _ in FileServer.Behaviour(content: content) }
        defer { server.stop() }
        let first = try await Downloader.impatient.download(server.address, to: folder.file)
        let second = try await Downloader.impatient.download(server.address, to: folder.file)
        #expect(!second.isNew && second.sha256 == first.sha256)
        #expect(server.requests.count == 1)

        try folder.write(content.dropLast())
        let error = await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(server.address, to: folder.file)
        }
        #expect(error?.description.contains(first.sha256) == true)
        #expect(try folder.data().count == 2_999_999, "a file that differs is left alone")
    }

    @Test func aServerNeedNotSendALength() async throws {
        let content = content
        let server = try FileServer { _ in
            FileServer.Behaviour(content: content, hidesLength: true)
        }
        defer { server.stop() }
        _ = try await Downloader.impatient.download(server.address, to: folder.file)
        #expect(try folder.data() == content)
    }

    @Test func anEmptyFileIsAccepted() async throws {
        let server = try FileServer { _ in FileServer.Behaviour() }
        defer { server.stop() }
        let result = try await Downloader.impatient.download(server.address, to: folder.file)
        #expect(try folder.data().isEmpty)
        #expect(result.sha256.hasPrefix("e3b0c44298fc1c14"))
    }

    @Test func aPublishedHashIsCompared() async throws {
        let content = Data("hello\n".utf8)
        let hash = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
        let server = try FileServer { _ in FileServer.Behaviour(content: content) }
        defer { server.stop() }
        let wrong = String(repeating: "0", count: 64)
        let error = await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(
                server.address, to: folder.file, sha256: wrong)
        }
        let description = try #require(error?.description)
        #expect(description.contains(wrong) && description.contains(hash))
        #expect(try folder.names.isEmpty, "wrong bytes must not be continued")
        _ = try await Downloader.impatient.download(
            server.address, to: folder.file, sha256: hash.uppercased())
        #expect(try folder.names == ["model.pth"])
    }

    @Test func aFileThatChangesOnTheServerIsDetected() async throws {
        let (content, other) = (content, DownloadFolder.bytes(3_000_000, seed: 2))
        let server = try FileServer { attempt in
            FileServer.Behaviour(content: attempt == 0 ? content : other)
        }
        defer { server.stop() }
        let first = try await Downloader.impatient.download(server.address, to: folder.file)
        try FileManager.default.removeItem(atPath: folder.file.string)
        let error = await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(server.address, to: folder.file)
        }
        #expect(error?.description.contains("\(first.sha256) when first downloaded") == true)
    }

    /// A small checkpoint in PyTorch's format.
    private var checkpoint: Data {
        get throws {
            try Data(
                contentsOf: URL(
                    filePath: Fixtures.path("checkpoints/small.pth").string))
        }
    }

    @Test func anEntryOfAMirrorKeepsItsName() async throws {
        let content = try checkpoint
        let server = try FileServer { _ in FileServer.Behaviour(content: content) }
        defer { server.stop() }
        let mirror = ModelCatalog.published.mirrored(
            at: server.address.deletingLastPathComponent())
        let entry = try #require(mirror["lavis-coco"])
        let result = try await Downloader.impatient.download(
            entry, into: folder.path("a/b"))
        #expect(result.map(\.path) == [folder.path("a/b/albef_coco_retrieval_lavis.pt")])
        #expect(try folder.data("a/b/albef_coco_retrieval_lavis.pt") == content)
    }

    @Test(
        "A file other than a checkpoint is neither kept nor recorded; the right one can follow",
        arguments: [
            Data("<!DOCTYPE html><html>Log in to the network</html>".utf8), Data(),
            Data("{\"error\": \"not found\"}".utf8), DownloadFolder.bytes(5000),
        ])
    func somethingElse(_ wrong: Data) async throws {
        let content = try checkpoint
        let server = try FileServer { attempt in
            FileServer.Behaviour(content: attempt == 0 ? wrong : content, entityTag: nil)
        }
        defer { server.stop() }
        let mirror = ModelCatalog.published.mirrored(
            at: server.address.deletingLastPathComponent())
        let entry = try #require(mirror["albef-4m"])
        let error = await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(entry, into: folder.path("x"))
        }
        #expect(error?.description.contains("did not send a checkpoint") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("x").string) == [])
        let result = try await Downloader.impatient.download(entry, into: folder.path("x"))
        #expect(result.map(\.isNew) == [true])
    }

    @Test func halfACheckpointIsRefused() async throws {
        let content = try checkpoint
        let server = try FileServer { _ in
            FileServer.Behaviour(content: content.prefix(content.count / 2), hidesLength: true)
        }
        defer { server.stop() }
        let error = await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(
                server.address, to: folder.file, expecting: .checkpoint)
        }
        #expect(error?.description.contains("nothing was kept") == true)
        #expect(try folder.names.isEmpty)
    }

    @Test("The advice of each error works")
    func advice() async throws {
        let content = try checkpoint
        let server = try FileServer { _ in FileServer.Behaviour(content: content) }
        defer { server.stop() }
        func failure() async -> String {
            do {
                _ = try await Downloader.impatient.download(
                    server.address, to: folder.file, expecting: .checkpoint)
                return ""
            } catch {
                return "\(error)"
            }
        }
        // A web page that an earlier version accepted as a checkpoint.
        try folder.write(Data("<html>".utf8))
        #expect(await failure().contains("delete the file to download it again"))
        try FileManager.default.removeItem(atPath: folder.file.string)
        #expect(await failure() == "")

        // A record of the web page, which that version wrote.
        let other = #"{"model.pth": "\#(String(repeating: "0", count: 64))"}"#
        try folder.write(Data(other.utf8), as: "hashes.json")
        #expect(await failure().contains("removing its line from \(folder.path("hashes.json"))"))
        try FileManager.default.removeItem(atPath: folder.file.string)
        #expect(await failure().contains("remove the line of \"model.pth\" from"))
        #expect(try folder.names == ["hashes.json"])
        try folder.write(Data("{}".utf8), as: "hashes.json")
        #expect(await failure() == "")
        #expect(await failure() == "", "the new record must be accepted")

        try folder.write(Data("[]".utf8), as: "hashes.json")
        #expect(await failure().contains("delete it to record them again"))
        try FileManager.default.removeItem(atPath: folder.path("hashes.json").string)
        #expect(await failure() == "")
    }

    @Test func twoDownloadsOfOneFileDoNotMix() async throws {
        let (content, gate) = (content, Gate())
        defer { gate.open() }
        let server = try FileServer { _ in
            FileServer.Behaviour(content: content, hold: (count: 2_000_000, until: gate))
        }
        defer { server.stop() }
        let (progress, report) = AsyncStream<DownloadProgress>.makeStream()
        let file = folder.file
        let first = Task {
            try await Downloader.impatient.download(server.address, to: file) { report.yield($0) }
        }
        for await step in progress where step.received > 1 << 20 { break }
        let error = await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(server.address, to: file)
        }
        #expect(error?.description.contains("another process") == true)
        gate.open()
        _ = try await first.value
        #expect(try folder.data() == content)
    }
}

/// The progress that was reported, on any thread.
final class Reports: Sendable {
    private let reports = Mutex<[DownloadProgress]>([])
    var all: [DownloadProgress] { reports.withLock { $0 } }
    func append(_ report: DownloadProgress) { reports.withLock { $0.append(report) } }
}
