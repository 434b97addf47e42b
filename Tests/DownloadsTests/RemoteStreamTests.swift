import Downloads
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(30))) struct RemoteStreamTests {
    /// More than two parts.
    private let content = DownloadFolder.bytes(2_500_000)

    /// Reads a stream to its end on a thread of its own, as its blocking calls require.
    private func read(
        _ stream: RemoteStream, piece: Int = 100_000, limit: Int = .max
    ) async throws -> Data {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                var found = Data()
                var buffer = [UInt8](repeating: 0, count: piece)
                do {
                    while found.count < limit {
                        let count = try buffer.withUnsafeMutableBytes { try stream.read(into: $0) }
                        if count == 0 { break }
                        found += buffer[..<count]
                    }
                    continuation.resume(returning: found)
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    private func stream(_ server: FileServer) -> RemoteStream {
        RemoteStream(server.address, policy: .impatient, partLength: 1_000_000)
    }

    @Test func contentIsReadInParts() async throws {
        let content = content
        let server = try FileServer { _ in FileServer.Behaviour(content: content) }
        defer { server.stop() }
        #expect(try await read(stream(server)) == content)
        #expect(
            server.requests.map { $0["range"] } == [
                "bytes=0-999999", "bytes=1000000-1999999", "bytes=2000000-2999999",
            ])
        #expect(server.requests.map { $0["if-range"] } == [nil, "\"v1\"", "\"v1\""])
    }

    @Test func anEmptyFileEndsAtOnce() async throws {
        let server = try FileServer { _ in FileServer.Behaviour() }
        defer { server.stop() }
        #expect(try await read(stream(server)).isEmpty)
    }

    @Test func aBrokenConnectionIsResumed() async throws {
        let content = content
        let server = try FileServer { attempt in
            FileServer.Behaviour(content: content, cut: attempt < 4 ? 130_000 : nil)
        }
        defer { server.stop() }
        #expect(try await read(stream(server)) == content)
        // Four requests that are cut, then two parts from where those ended.
        #expect(server.requests.count == 6)
        #expect(server.requests[4]["range"] == "bytes=520000-1519999")
        #expect(server.requests[4]["if-range"] == "\"v1\"")
    }

    @Test(arguments: [true, false]) func aServerThatCannotResumeSendsAgain(hasTag: Bool)
        async throws
    {
        let content = content
        let server = try FileServer { attempt in
            FileServer.Behaviour(
                content: content, entityTag: hasTag ? "\"v1\"" : nil, honoursRange: false,
                cut: attempt < 2 ? 500_000 + attempt * 500_000 : nil)
        }
        defer { server.stop() }
        #expect(try await read(stream(server)) == content)
        #expect(server.requests.count == 3)
    }

    @Test func aFileThatChangesIsAnError() async throws {
        let (content, other) = (content, DownloadFolder.bytes(2_500_000, seed: 2))
        let server = try FileServer { attempt in
            attempt == 0
                ? FileServer.Behaviour(content: content, cut: 700_000)
                : FileServer.Behaviour(content: other, entityTag: "\"v2\"")
        }
        defer { server.stop() }
        let error = await #expect(throws: DownloadError.self) { try await read(stream(server)) }
        #expect(
            error?.description
                == "\(server.address): the file on the server changed while it was read")
    }

    @Test func aMissingFileIsAnError() async throws {
        let server = try FileServer { _ in FileServer.Behaviour(status: 404) }
        defer { server.stop() }
        let error = await #expect(throws: DownloadError.self) { try await read(stream(server)) }
        #expect(error?.status == 404)
        #expect(server.requests.count == 1)
    }

    @Test func aServerThatKeepsFailingIsGivenUp() async throws {
        let server = try FileServer { _ in FileServer.Behaviour(status: 503) }
        defer { server.stop() }
        let error = await #expect(throws: DownloadError.self) { try await read(stream(server)) }
        #expect(error?.status == 503)
        #expect(server.requests.count == Downloader.impatient.attempts)
    }

    @Test func cancellingWakesTheReader() async throws {
        let content = content
        let gate = Gate()
        defer { gate.open() }
        let server = try FileServer { _ in
            FileServer.Behaviour(content: content, hold: (count: 10_000, until: gate))
        }
        defer { server.stop() }
        let stream = stream(server)
        #expect(try await read(stream, limit: 10_000) == content.prefix(10_000))
        let rest = Task { try await read(stream) }
        stream.cancel()
        await #expect(throws: DownloadError.self) { try await rest.value }
    }

    @Test(arguments: [true, false])
    func aReaderThatWaitsHoldsUpNoOther(honoursRange: Bool) async throws {
        let content = content
        let server = try FileServer { _ in
            FileServer.Behaviour(content: content, honoursRange: honoursRange)
        }
        defer { server.stop() }
        let waiting = stream(server)
        let start = try await read(waiting, limit: 100_000)
        #expect(try await read(stream(server)) == content)
        #expect(try await read(waiting) == content.dropFirst(start.count))
    }
}
