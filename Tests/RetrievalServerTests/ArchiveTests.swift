import Foundation
import Retrieval
import RetrievalServer
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Archives of images")
struct ArchiveTests {
    /// Reads the entries of an archive by its directory, each with its bytes.
    private func entries(_ archive: [UInt8]) throws -> [(name: String, bytes: [UInt8])] {
        func number(_ place: Int, _ count: Int) -> Int {
            (0..<count).reduce(0) { $0 | Int(archive[place + $1]) << (8 * $1) }
        }
        let end = archive.count - 22
        try #require(end >= 0 && number(end, 4) == 0x0605_4B50)
        var place = number(end + 16, 4)
        return try (0..<number(end + 10, 2)).map { _ in
            try #require(number(place, 4) == 0x0201_4B50)
            let (size, length) = (number(place + 24, 4), number(place + 28, 2))
            let (extra, header) = (number(place + 30, 2), number(place + 42, 4))
            let name = String(decoding: archive[(place + 46)...].prefix(length), as: UTF8.self)
            place += 46 + length + extra
            try #require(number(header, 4) == 0x0403_4B50)
            let start = header + 30 + number(header + 26, 2) + number(header + 28, 2)
            return (name, Array(archive[start..<start + size]))
        }
    }

    @Test("An archive holds the selected images under their names")
    func chosen() async throws {
        try await TinyService.run(images: 5) { service in
            let sent = try await service.client.sendForm(
                "POST", "/api/images", image: TinyImages.bitmap(70), fileName: "狗.bmp",
                headers: TinyService.authorization)
            let uploaded = try #require(sent.json["id"] as? String)
            let again = try await service.client.sendForm(
                "POST", "/api/images", image: TinyImages.bitmap(71), fileName: "001.bmp",
                headers: TinyService.authorization)
            let same = try #require(again.json["id"] as? String)
            let ids =
                [1, 4].map { EntryKey(service.images.appending("00\($0).bmp")).description }
                + [uploaded, same]
            let answer = try await service.client.post("/api/archive", ["ids": ids + ids])
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/zip")
            #expect(
                answer.headers["content-disposition"] == "attachment; filename=\"images.zip\"")
            let entries = try entries(answer.body)
            #expect(entries.map(\.name) == ["001.bmp", "004.bmp", "狗.bmp", "001 (2).bmp"])
            #expect(entries.map(\.bytes) == [1, 4, 70, 71].map { TinyImages.bitmap($0) })
        }
    }

    @Test("The last entry names the files that cannot be read")
    func leftOut() async throws {
        try await TinyService.run(images: 5) { service in
            let paths = (0..<5).map { service.images.appending("00\($0).bmp") }
            try FileManager.default.removeItem(atPath: paths[1].string)
            try Data("no image".utf8).write(to: URL(filePath: paths[2].string))
            let gone = EntryKey("/nowhere").description
            let ids = paths.map { EntryKey($0).description } + [gone]
            let answer = try await service.client.post("/api/archive", ["ids": ids])
            let entries = try entries(answer.body)
            #expect(entries.map(\.name) == ["000.bmp", "003.bmp", "004.bmp", "left-out.txt"])
            let lines = String(decoding: entries.last?.bytes ?? [], as: UTF8.self)
                .split(separator: "\n")
            #expect(lines.count == 3)
            for (line, name) in zip(lines, [gone, "001.bmp", "002.bmp"]) {
                #expect(line.hasPrefix("\(name): "), "\(line)")
            }
        }
    }

    @Test(
        "Invalid lists of ids are refused",
        arguments: [
            (#"{"ids": []}"#, 400, "ids: must have from 1 to 1000"),
            ("{}", 400, "ids: must have from 1 to 1000"),
            (#"{"ids": ["x"]}"#, 400, "ids: 'x' is not the id"), (#"{"id": "x"}"#, 400, "'id'"),
            (#"{"ids": ["00000000000000000000000000000000"]}"#, 404, "ids: no image has"),
            (
                "{\"ids\": [" + Array(repeating: "\"x\"", count: 1001).joined(separator: ",")
                    + "]}",
                400, "ids: must have at most 1000"
            ),
        ])
    func refusals(_ body: String, _ status: Int, _ named: String) async throws {
        try await TinyService.run(images: 2) { service in
            let answer = try await service.client.send(
                "POST", "/api/archive", headers: ["content-type": "application/json"],
                body: Array(body.utf8))
            #expect(answer.status == status)
            let detail = answer.json["detail"] as? String ?? ""
            #expect(detail.contains(named), "\(detail)")
        }
    }

    @Test("A file that changes while it is read does not break the archive")
    func changes() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let (pieces, side) = (3, 512)
            let paths = ["long", "short", "same"].map { folder.appending("\($0).bmp") }
            let bytes = TinyImages.bitmap(3, side: side)
            try #require(bytes.count > (pieces - 1) * ImageArchive.pieceBytes)
            for path in paths { try Data(bytes).write(to: URL(filePath: path.string)) }
            let queue = WorkQueue("archive", threads: 1, limit: 4)
            defer { queue.close() }
            let archive = ImageArchive(
                paths.map { .init(path: $0, name: $0.lastComponent?.string ?? "", modified: .now) },
                queue: queue)
            var (written, taken) = ([UInt8](), 0)
            try await archive.write { piece in
                #expect(piece.count <= ImageArchive.pieceBytes)
                written += piece
                guard piece.starts(with: [0x42, 0x4D]) else { return }
                // The archive has read the first piece of a file, and not the next.
                if taken == 0 {
                    let file = try FileHandle(forWritingTo: URL(filePath: paths[0].string))
                    try file.seekToEnd()
                    try file.write(contentsOf: Data(count: 100_000))
                    try file.close()
                } else if taken == 1 {
                    let length = UInt64(ImageArchive.pieceBytes + 10)
                    let file = try FileHandle(forWritingTo: URL(filePath: paths[1].string))
                    try file.truncate(atOffset: length)
                    try file.close()
                }
                taken += 1
            }
            let entries = try entries(written)
            #expect(entries.map(\.name) == ["long.bmp", "short.bmp", "same.bmp"])
            #expect(entries[0].bytes == bytes)
            #expect(entries[1].bytes == Array(bytes.prefix(ImageArchive.pieceBytes + 10)))
            #expect(entries[2].bytes == bytes)
        }
    }

    @Test("An archive ends when its client leaves")
    func abandoned() async throws {
        struct Enough: Error {}
        try await Fixtures.withTemporaryFolder { folder in
            let paths = try TinyImages.write(3, to: folder)
            let queue = WorkQueue("archive", threads: 1, limit: 4)
            defer { queue.close() }
            let archive = ImageArchive(
                paths.map { .init(path: $0, name: "a.bmp", modified: .now) }, queue: queue)
            var count = 0
            await #expect(throws: Enough.self) {
                try await archive.write { _ in
                    count += 1
                    if count == 2 { throw Enough() }
                }
            }
            #expect(count == 2)
        }
    }
}
