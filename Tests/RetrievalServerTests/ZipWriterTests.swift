import Foundation
import RetrievalServer
import SystemPackage
import TestSupport
import Testing

/// Other programs that read archives.
private enum ArchiveReader: String, CaseIterable {
    case unzip, python3

    /// Whether the program is installed here.
    var isThere: Bool { (try? run(["--help"])) != nil }

    /// Runs the program, and returns its output.
    func run(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [rawValue] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let text = String(decoding: bytes, as: UTF8.self)
        guard process.terminationStatus != 127 else { throw CocoaError(.fileNoSuchFile) }
        #expect(process.terminationStatus == 0 || arguments == ["--help"], "\(text)")
        return text
    }

    /// Checks every byte of an archive, and returns the names, sizes and times of its entries.
    func list(_ archive: FilePath) throws -> [String] {
        switch self {
        case .unzip:
            _ = try run(["-tq", archive.string])
            return try run(["-Z1", archive.string]).split(separator: "\n").map(String.init)
        case .python3:
            let script = """
                import sys, zipfile
                archive = zipfile.ZipFile(sys.argv[1])
                assert archive.testzip() is None
                for entry in archive.infolist(): print(entry.filename)
                """
            return try run(["-c", script, archive.string]).split(separator: "\n").map(String.init)
        }
    }
}

@Suite("The zip writer")
struct ZipWriterTests {
    /// The time of change of the entries: 14 June 2020, 12:24:56 UTC.
    private static let time = Date(timeIntervalSince1970: 1_592_137_496)

    private func archive(
        _ files: [(name: String, bytes: [UInt8], modified: Date)], _ writer: ZipWriter = ZipWriter()
    ) -> [UInt8] {
        var writer = writer
        var archive: [UInt8] = []
        for file in files {
            archive += writer.begin(file.name, modified: file.modified)
            // The pieces have odd lengths.
            for start in stride(from: 0, to: file.bytes.count, by: 1013) {
                let piece = Array(file.bytes[start..<min(start + 1013, file.bytes.count)])
                piece.withUnsafeBytes { writer.append($0) }
                archive += piece
            }
            archive += writer.end()
        }
        return archive + writer.finish()
    }

    @Test("Other programs read every entry with its bytes, name and time")
    func isRead() async throws {
        let files = [
            ("dog.jpg", Array("woof".utf8), Self.time), ("empty.jpg", [], Self.time),
            ("狗 in Köln.png", (0..<100_000).map { UInt8(truncatingIfNeeded: $0 * 7) }, Self.time),
            ("old.jpg", [1], Date(timeIntervalSince1970: -1e9)),
            ("late.jpg", [2], Date(timeIntervalSince1970: 9e9)),
        ]
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("a.zip")
            try Data(archive(files)).write(to: URL(filePath: path.string))
            var readers = 0
            for reader in ArchiveReader.allCases where reader.isThere {
                #expect(try reader.list(path) == files.map(\.0), "\(reader)")
                readers += 1
            }
            try #require(readers > 0)
            if ArchiveReader.unzip.isThere {
                let out = folder.appending("out")
                _ = try ArchiveReader.unzip.run(["-q", path.string, "-d", out.string])
                for (name, bytes, modified) in files {
                    let file = out.appending(name)
                    #expect(FileManager.default.contents(atPath: file.string) == Data(bytes))
                    guard modified == Self.time else { continue }
                    let attributes = try FileManager.default.attributesOfItem(atPath: file.string)
                    #expect(attributes[.modificationDate] as? Date == modified)
                }
            }
            if ArchiveReader.python3.isThere {
                let script =
                    "import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).infolist()[0].date_time)"
                let zone = try #require(TimeZone(identifier: "Asia/Tokyo"))
                try Data(archive(files, ZipWriter(timeZone: zone))).write(
                    to: URL(filePath: path.string))
                let time = try ArchiveReader.python3.run(["-c", script, path.string])
                #expect(time == "(2020, 6, 14, 21, 24, 56)\n")
            }
        }
    }

    @Test("An archive beyond 4 GiB has 64-bit offsets")
    func large() async throws {
        let start: UInt64 = 5 << 30
        let files = [("far.jpg", Array("far away".utf8), Self.time), ("b.jpg", [7], Self.time)]
        let bytes = archive(files, ZipWriter(offset: start))
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("a.zip")
            #expect(FileManager.default.createFile(atPath: path.string, contents: nil))
            let file = try FileHandle(forWritingTo: URL(filePath: path.string))
            // A hole of 5 GiB, which takes no disk space.
            try file.seek(toOffset: start)
            try file.write(contentsOf: Data(bytes))
            try file.close()
            // unzip warns of bytes before the archive; Python reads it correctly.
            if ArchiveReader.python3.isThere {
                #expect(try ArchiveReader.python3.list(path) == files.map(\.0))
            }
        }
    }

    @Test("An archive can have more entries than 16 bits count")
    func many() async throws {
        let files = (0..<65_540).map { ("\($0)", [UInt8](), Self.time) }
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("a.zip")
            try Data(archive(files)).write(to: URL(filePath: path.string))
            for reader in ArchiveReader.allCases where reader.isThere {
                #expect(try reader.list(path).count == files.count)
            }
        }
    }

    @Test(
        "Names are distinct in one folder, on any system",
        arguments: [
            (["a.jpg", "a.jpg", "A.JPG"], ["a.jpg", "a (2).jpg", "A (3).JPG"]),
            (["a (2).jpg", "a.jpg", "a.jpg"], ["a (2).jpg", "a.jpg", "a (3).jpg"]),
            (
                ["/etc/passwd", "..", "../..", "", "."],
                [
                    "passwd.jpg", "image.jpg", "image (2).jpg", "image (3).jpg", "image (4).jpg",
                ]
            ),
            (["a\u{0}\n\u{1B}b.jpg", "x\\y.png"], ["ab.jpg", "y.png"]),
            (["狗", "what?.jpg", "a\u{202E}gpj.exe"], ["狗.jpg", "what_.jpg", "agpj.exe"]),
            (
                [".hidden", "left-out.txt", "a.jpg. "],
                [".hidden.jpg", "left-out (2).txt", "a.jpg"]
            ),
            (["e\u{301}.jpg", "\u{E9}.jpg"], ["e\u{301}.jpg", "\u{E9} (2).jpg"]),
        ])
    func names(_ wanted: [String], _ expected: [String]) {
        var names = FolderNames(taken: ["left-out.txt"])
        #expect(wanted.map { names.name($0, extension: "jpg") } == expected)
    }

    @Test("Long names are shortened, and keep their extensions")
    func longNames() {
        var names = FolderNames()
        for _ in 0..<3 {
            let name = names.name(String(repeating: "狗", count: 150) + ".jpeg", extension: "jpg")
            #expect(name.utf8.count <= 210 && name.hasSuffix(".jpeg"))
        }
    }
}
