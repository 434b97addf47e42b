import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("albef index, stopped from outside", .serialized, .timeLimit(.minutes(30)))
struct KilledIndexTests {
    /// How often the command is killed; set `ALBEF_INDEX_KILLS` for more.
    private static let kills =
        ProcessInfo.processInfo.environment["ALBEF_INDEX_KILLS"].flatMap { Int($0) } ?? 16

    private enum Operation: CaseIterable {
        case add, remove, compact, graph

        func arguments(_ photos: [String]) -> [String] {
            switch self {
            case .add:
                [
                    "index", "add", "photos", "--model", "model", "--index", "index",
                    "--batch-size", "1", "--threads", "1",
                ] + (TinyModel.hasRecall ? ["--recall", "recall"] : [])
            case .remove: ["index", "remove"] + photos + ["--index", "index"]
            case .compact: ["index", "compact", "index"]
            case .graph: ["index", "graph", "index"]
            }
        }
    }

    private func paths(_ index: FilePath) throws -> Set<FilePath> {
        let forward = try ForwardIndex(index)
        let paths = try forward.ids.map { try forward.entry($0).path }
        #expect(Set(paths).count == paths.count, "an entry is there twice")
        return Set(paths)
    }

    @Test("Killed at any moment of any change, the index opens and loses nothing", .oneModelAndTwo)
    func kills() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let (photos, index) = (folder.appending("photos"), folder.appending("index"))
            _ = try TinyModel.search(in: folder)
            try TinyImages.write(200, to: photos)
            let first = try await Command.run(Operation.add.arguments([]), folder: folder)
            #expect(first.status == 0, "\(first.errors)")
            var next = 200
            var random = SystemRandomNumberGenerator()
            for round in 0..<Self.kills {
                let before = try paths(index)
                let operation = Operation.allCases[round % Operation.allCases.count]
                let removed =
                    operation == .remove
                    ? Set(before.shuffled(using: &random).prefix(12)) : []
                if operation == .add {
                    for _ in 0..<60 {
                        try Data(TinyImages.bitmap(next)).write(
                            to: URL(filePath: photos.appending("\(next).bmp").string))
                        next += 1
                    }
                }
                let (process, _) = try Command.start(
                    operation.arguments(removed.map(\.string)), folder: folder)
                let longest = operation == .add ? 400 : 60
                try await Task.sleep(for: .milliseconds(Int.random(in: 5...longest)))
                kill(process.processIdentifier, SIGKILL)
                await process.exited()

                let after = try paths(index)
                // Adding also removes the entries of deleted files.
                let lost = before.subtracting(after).subtracting(removed).filter {
                    FileManager.default.fileExists(atPath: $0.string)
                }
                #expect(lost.count == 0, "\(operation)")
                // A removal takes effect completely or not at all.
                if operation == .remove {
                    let isWhole = after == before || after == before.subtracting(removed)
                    #expect(isWhole)
                    for path in removed { try? FileManager.default.removeItem(atPath: path.string) }
                }
                if operation == .compact || operation == .graph {
                    #expect(after.count == before.count)
                }
                #expect(try ForwardIndex.verify(index).isEmpty)
            }
            let last = try await Command.run(Operation.add.arguments([]), folder: folder)
            #expect(last.status == 0, "\(last.errors)")
            let files = try FileManager.default.contentsOfDirectory(atPath: photos.string)
            let isComplete = try paths(index) == Set(files.map { photos.appending($0) })
            #expect(isComplete)
        }
    }

    @Test("Reports a full disk, and leaves the index unchanged")
    func fullDisk() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let (photos, index) = (folder.appending("photos"), folder.appending("index"))
            _ = try TinyModel.search(in: folder)
            try TinyImages.write(40, to: photos)
            let made = try await Command.run(Operation.add.arguments([]), folder: folder)
            #expect(made.status == 0, "\(made.errors)")
            let before = try paths(index)
            try TinyImages.write(140, to: photos)
            // No file may grow beyond 16 KB, so every write of a segment fails midway.
            let arguments = Operation.add.arguments([]).map { "'\($0)'" }.joined(separator: " ")
            let process = Process()
            process.executableURL = URL(filePath: "/bin/bash")
            process.currentDirectoryURL = URL(filePath: folder.string)
            process.arguments = [
                "-c",
                "trap '' XFSZ; ulimit -f 16; exec '\(Command.executable.path)' \(arguments)",
            ]
            let errors = Pipe()
            process.standardError = errors
            try process.run()
            let text = String(
                decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            await process.exited()
            #expect(process.terminationStatus == 1, "\(text)")
            #expect(text.contains("cannot write it") && text.contains("segments"), "\(text)")
            #expect(try paths(index).count == before.count)
            #expect(try ForwardIndex.verify(index).isEmpty)
            let rest = try await Command.run(Operation.add.arguments([]), folder: folder)
            #expect(rest.status == 0, "\(rest.errors)")
            #expect(try paths(index).count == 140)
        }
    }

    @Test("Two programs that make one index at the same time lose nothing")
    func firstWriters() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            for number in 0..<2 {
                let photos = folder.appending("photos-\(number)")
                _ = try FileManager.default.createDirectory(
                    atPath: photos.string, withIntermediateDirectories: true)
                for seed in 0..<3 {
                    try Data(TinyImages.bitmap(number * 10 + seed)).write(
                        to: URL(filePath: photos.appending("\(seed).bmp").string))
                }
            }
            for round in 0..<Self.races {
                let index = "index-\(round)"
                let started = try (0..<2).map { number in
                    let arguments = [
                        "index", "photos-\(number)", "--model", "model", "--index", index,
                        "--threads", "1",
                    ]
                    return try Command.start(arguments, folder: folder).0
                }
                var expected: Set<FilePath> = []
                for (number, process) in started.enumerated() {
                    await process.exited()
                    // The second program may have reported that the index is locked.
                    guard process.terminationStatus == 0 else { continue }
                    let photos = folder.appending("photos-\(number)")
                    expected.formUnion((0..<3).map { photos.appending("\($0).bmp") })
                }
                #expect(expected.count > 0)
                #expect(try paths(folder.appending(index)).isSuperset(of: expected))
                #expect(try ForwardIndex.verify(folder.appending(index)).isEmpty)
            }
        }
    }

    /// How often two programs make one index; set `ALBEF_INDEX_RACES` for more.
    private static let races =
        ProcessInfo.processInfo.environment["ALBEF_INDEX_RACES"].flatMap { Int($0) } ?? 3

    @Test("With a full disk, makes no graph, and searches work as before")
    func graphOnAFullDisk() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let (photos, index) = (folder.appending("photos"), folder.appending("index"))
            _ = try TinyModel.search(in: folder)
            try TinyImages.write(60, to: photos)
            let made = try await Command.run(Operation.add.arguments([]), folder: folder)
            #expect(made.status == 0, "\(made.errors)")
            let before = try ForwardIndex(index)
            // A graph of 60 images needs more than 12 KB, a manifest less than 4.
            let (process, log) = try Command.start(
                [
                    "-c",
                    "trap '' XFSZ; ulimit -f 4; exec '\(Command.executable.path)' index graph index",
                ], folder: folder, program: "/bin/bash")
            await process.exited()
            let text = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
            #expect(process.terminationStatus == 1, "\(text)")
            #expect(text.contains(".hnsw") && text.contains("cannot write it"), "\(text)")
            let after = try ForwardIndex(index)
            #expect(after.generation == before.generation && after.statistics.graphRows == nil)
            let files = try FileManager.default.contentsOfDirectory(
                atPath: index.appending("segments").string)
            #expect(!files.contains { $0.contains(".hnsw") })
            let done = try await Command.run(["index", "graph", "index"], folder: folder)
            #expect(done.status == 0, "\(done.errors)")
            #expect(try ForwardIndex(index).statistics.graphRows == 60)
        }
    }
}
