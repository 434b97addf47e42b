import ALBEF
import Downloads
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(30))) struct ResumedDownloadTests {
    let content = DownloadFolder.bytes(3_000_000)
    let folder: DownloadFolder

    init() throws {
        folder = try DownloadFolder()
    }

    @Test func aBrokenDownloadIsResumed() async throws {
        let content = content
        let server = try FileServer { attempt in
            FileServer.Behaviour(content: content, cut: attempt < 4 ? 700_000 : nil)
        }
        defer { server.stop() }
        _ = try await Downloader.impatient.download(server.address, to: folder.file)
        #expect(try folder.data() == content)
        // There were more attempts than may fail in a row, but each made progress.
        #expect(server.requests.count == 5)
        #expect(server.requests.first?["range"] == nil)
        #expect(
            server.requests.map { $0["range"] }.last == "bytes=2800000-")
        #expect(server.requests.last?["if-range"] == "\"v1\"")
        #expect(try folder.names == ["hashes.json", "model.pth"])
    }

    @Test func aServerThatIgnoresRangesStartsOver() async throws {
        let content = content
        let server = try FileServer { attempt in
            FileServer.Behaviour(
                content: content, honoursRange: false, cut: attempt == 0 ? 700_000 : nil)
        }
        defer { server.stop() }
        _ = try await Downloader.impatient.download(server.address, to: folder.file)
        #expect(server.requests.last?["range"] == "bytes=700000-")
        #expect(try folder.data() == content)
    }

    @Test func aNewVersionStartsOver() async throws {
        let (content, other) = (content, DownloadFolder.bytes(2_000_000, seed: 2))
        let server = try FileServer { attempt in
            attempt == 0
                ? FileServer.Behaviour(content: content, cut: 700_000)
                : FileServer.Behaviour(content: other, entityTag: "\"v2\"")
        }
        defer { server.stop() }
        _ = try await Downloader.impatient.download(server.address, to: folder.file)
        #expect(try folder.data() == other)
    }

    @Test func aWeakTagIsIgnoredButADateIsUsed() async throws {
        let content = content
        let date = "Wed, 01 Jan 2025 00:00:00 GMT"
        let server = try FileServer { attempt in
            FileServer.Behaviour(
                content: content, entityTag: "W/\"v1\"", lastModified: date,
                cut: attempt == 0 ? 700_000 : nil)
        }
        defer { server.stop() }
        _ = try await Downloader.impatient.download(server.address, to: folder.file)
        #expect(server.requests.last?["if-range"] == date)
        #expect(try folder.data() == content)
    }

    @Test func withoutAVersionNothingIsResumed() async throws {
        let content = content
        let server = try FileServer { attempt in
            FileServer.Behaviour(
                content: content, entityTag: nil, cut: attempt == 0 ? 700_000 : nil)
        }
        defer { server.stop() }
        _ = try await Downloader.impatient.download(server.address, to: folder.file)
        #expect(server.requests.last?["range"] == nil)
        #expect(try folder.data() == content)
    }

    @Test func anotherAddressIsNotResumed() async throws {
        let (content, other) = (content, DownloadFolder.bytes(3_000_000, seed: 2))
        let first = try FileServer { _ in FileServer.Behaviour(content: content, cut: 0) }
        defer { first.stop() }
        await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(first.address, to: folder.file)
        }
        let second = try FileServer { _ in FileServer.Behaviour(content: other) }
        defer { second.stop() }
        _ = try await Downloader.impatient.download(second.address, to: folder.file)
        #expect(second.requests.first?["range"] == nil)
        #expect(try folder.data() == other)
    }

    @Test func cancellingKeepsTheReceivedBytes() async throws {
        let content = content
        let gate = Gate()
        defer { gate.open() }
        let server = try FileServer { attempt in
            FileServer.Behaviour(
                content: content, hold: attempt == 0 ? (count: 2_500_000, until: gate) : nil)
        }
        defer { server.stop() }
        let (progress, report) = AsyncStream<DownloadProgress>.makeStream()
        let file = folder.file
        let task = Task {
            try await Downloader.impatient.download(server.address, to: file) { report.yield($0) }
        }
        for await step in progress where step.received > 1 << 20 { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try folder.names == ["model.pth.partial", "model.pth.partial.json"])
        let kept = try folder.data("model.pth.partial")
        #expect(kept.count > 1 << 20 && kept == content.prefix(kept.count))

        _ = try await Downloader.impatient.download(server.address, to: folder.file)
        #expect(server.requests.last?["range"] == "bytes=\(kept.count)-")
        #expect(try folder.data() == content)
    }

    @Test func aReceiverSlowerThanTheServerCanBeCancelled() async throws {
        let content = DownloadFolder.bytes(20_000_000)
        // The server holds back the end, so that the download cannot finish before it is cancelled.
        let gate = Gate()
        defer { gate.open() }
        let server = try FileServer { attempt in
            FileServer.Behaviour(
                content: content, hold: attempt == 0 ? (count: 19_000_000, until: gate) : nil)
        }
        defer { server.stop() }
        let (progress, report) = AsyncStream<DownloadProgress>.makeStream()
        let file = folder.file
        let task = Task {
            try await Downloader.impatient.download(server.address, to: file) {
                report.yield($0)
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
        for await step in progress where step.received > 2 << 20 { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        _ = try await Downloader.impatient.download(server.address, to: folder.file)
        #expect(try folder.data() == content)
    }

    @Test func aPartialFileThatIsCompleteNeedsNoMoreBytes() async throws {
        let content = content
        let gate = Gate()
        defer { gate.open() }
        let server = try FileServer { attempt in
            FileServer.Behaviour(
                content: content, hold: attempt == 0 ? (count: 100_000, until: gate) : nil)
        }
        defer { server.stop() }
        let file = folder.file
        let task = Task { try await Downloader.impatient.download(server.address, to: file) }
        while server.requests.isEmpty || (try? folder.data("model.pth.partial.json")) == nil {
            try await Task.sleep(for: .milliseconds(5))
        }
        task.cancel()
        _ = await task.result
        try folder.write(content, as: "model.pth.partial")
        _ = try await Downloader.impatient.download(server.address, to: folder.file)
        #expect(server.requests.last?["range"] == "bytes=3000000-")
        #expect(try folder.data() == content)
    }
}
