import ALBEF
import Downloads
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(30))) struct FailedDownloadTests {
    let content = DownloadFolder.bytes(300_000)
    let folder: DownloadFolder

    init() throws {
        folder = try DownloadFolder()
    }

    @Test func aMissingFileIsNotRetried() async throws {
        let server = try FileServer { _ in FileServer.Behaviour(status: 404) }
        defer { server.stop() }
        let error = await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(server.address, to: folder.file)
        }
        #expect(error?.status == 404 && error?.isTransient == false)
        #expect(error?.description.contains("404") == true)
        #expect(server.requests.count == 1)
    }

    @Test func aBusyServerIsRetried() async throws {
        let content = content
        let server = try FileServer { attempt in
            FileServer.Behaviour(status: attempt < 2 ? 503 : 200, content: content)
        }
        defer { server.stop() }
        _ = try await Downloader.impatient.download(server.address, to: folder.file)
        #expect(server.requests.count == 3)
        #expect(try folder.data() == content)
    }

    @Test func theNumberOfAttemptsIsLimited() async throws {
        let server = try FileServer { _ in FileServer.Behaviour(status: 503) }
        defer { server.stop() }
        let error = await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(server.address, to: folder.file)
        }
        #expect(error?.status == 503 && error?.isTransient == true)
        #expect(server.requests.count == 3)
    }

    @Test func aLengthThatIsNeverReachedIsAnError() async throws {
        let content = content
        let server = try FileServer { _ in
            FileServer.Behaviour(
                content: content, honoursRange: false, announcedLength: content.count + 10)
        }
        defer { server.stop() }
        await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(server.address, to: folder.file)
        }
        #expect(!(try folder.names.contains("model.pth")))
    }

    @Test(arguments: [true, false])
    func aFileThatIsTooLargeIsRefusedAndNotKept(isAnnounced: Bool) async throws {
        let content = content
        let server = try FileServer { _ in
            FileServer.Behaviour(content: content, hidesLength: !isAnnounced)
        }
        defer { server.stop() }
        func downloader(_ maximumBytes: Int) -> Downloader {
            var downloader = Downloader.impatient
            downloader.maximumBytes = Int64(maximumBytes)
            return downloader
        }
        let error = await #expect(throws: DownloadError.self) {
            try await downloader(content.count - 1).download(server.address, to: folder.file)
        }
        #expect(error?.description.contains("more than \(content.count - 1) bytes") == true)
        #expect(server.requests.count == 1)
        #expect(try folder.names.isEmpty)
        _ = try await downloader(content.count).download(server.address, to: folder.file)
        #expect(try folder.data() == content)
    }

    @Test func resumingAtTheWrongPositionIsRefused() async throws {
        let content = content
        let server = try FileServer { attempt in
            FileServer.Behaviour(
                content: content, cut: attempt == 0 ? 100_000 : nil,
                rangeShift: attempt == 0 ? 0 : 5)
        }
        defer { server.stop() }
        let error = await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(server.address, to: folder.file)
        }
        #expect(error?.description.contains("bytes 100005-") == true)
        #expect(try folder.data("model.pth.partial") == content.prefix(100_000))
    }

    @Test func aClosedPortIsNamed() async throws {
        let server = try FileServer { _ in FileServer.Behaviour() }
        server.stop()
        let error = await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(server.address, to: folder.file)
        }
        #expect(error?.isTransient == true)
        #expect(error?.description.contains("\(server.address)") == true)
    }

    @Test func aSilentServerIsAnError() async throws {
        let gate = Gate()
        defer { gate.open() }
        let server = try FileServer { [content] _ in
            FileServer.Behaviour(content: content, hold: (count: 100_000, until: gate))
        }
        defer { server.stop() }
        let downloader = Downloader(
            attempts: 1, firstDelay: .milliseconds(10), idleTimeout: .seconds(1))
        let error = await #expect(throws: DownloadError.self) {
            try await downloader.download(server.address, to: folder.file)
        }
        #expect(error?.isTransient == true)
    }

    @Test func aFolderThatCannotBeCreatedIsNamed() async throws {
        try folder.write(Data(), as: "occupied")
        let server = try FileServer { _ in FileServer.Behaviour() }
        defer { server.stop() }
        let error = await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(
                server.address, to: folder.path("occupied/model.pth"))
        }
        #expect(error?.description.contains("occupied") == true)
        #expect(server.requests.isEmpty)
    }

    @Test func aDamagedRecordIsNotOverwritten() async throws {
        try folder.write(Data("{".utf8), as: "hashes.json")
        let server = try FileServer { [content] _ in FileServer.Behaviour(content: content) }
        defer { server.stop() }
        await #expect(throws: DownloadError.self) {
            try await Downloader.impatient.download(server.address, to: folder.file)
        }
        #expect(try folder.data("hashes.json") == Data("{".utf8))
        #expect(server.requests.isEmpty)
    }
}
