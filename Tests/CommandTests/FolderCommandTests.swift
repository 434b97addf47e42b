import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("albef index and its folder", .serialized)
struct FolderCommandTests {
    private func withFolder(
        _ count: Int, _ body: (_ folder: FilePath, _ photos: FilePath) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            try TinyImages.write(count, to: folder.appending("photos"))
            try await body(folder, folder.appending("photos"))
        }
    }

    private let index = ["index", "photos", "--model", "model", "--index", "index"]

    private func write(_ text: String, _ path: FilePath) throws {
        try Data(text.utf8).write(to: URL(filePath: path.string))
    }

    /// Waits for an effect of another process.
    private func wait(
        _ process: Process, for what: String, _ condition: () throws -> Bool
    ) async throws {
        for _ in 0..<9600 where process.isRunning {
            if try condition() { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        Issue.record("\(what) never came")
    }

    @Test func aFolderThatIsEmptiedEmptiesTheIndex() async throws {
        try await withFolder(1) { folder, photos in
            _ = try await Command.run(index, folder: folder)
            try FileManager.default.removeItem(atPath: photos.appending("000.bmp").string)
            let result = try await Command.run(index, folder: folder)
            #expect(result.status == 0 && result.output.contains("1 removed"))
            #expect(try ForwardIndex(folder.appending("index")).count == 0)
        }
    }

    @Test func whatIsLeftOutAndPassedOverIsSaid() async throws {
        try await withFolder(3) { folder, photos in
            try write("text", photos.appending("a.txt"))
            try write("text", photos.appending("noending"))
            try write(
                """
                {"image": "photos/000.bmp", "year": 2020}
                {"image": "photos/typo.bmp", "year": 2021}
                """, folder.appending("notes.jsonl"))
            let result = try await Command.run(
                index + ["--exclude", "002.*", "--metadata", "notes.jsonl"], folder: folder)
            #expect(result.status == 0 && result.output.contains(": 2 encoded\n"))
            #expect(
                result.errors.contains(
                    "passed over 2 files that are not images by name: 1 without an extension, 1 .txt"
                ))
            #expect(
                result.errors.contains(
                    "not in this folder: 1 of 2, such as photos/typo.bmp"
                )
            )
        }
    }

    @Test func watchingWaitsForTheLockForAnEmptyFolderAndForOneThatIsAway() async throws {
        try await withFolder(0) { folder, photos in
            let (process, log) = try Command.start(
                index + ["--watch", "--interval", "0.1"], folder: folder)
            defer { process.terminate() }
            func errors() throws -> String {
                try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
            }
            func count() -> Int? { try? ForwardIndex(folder.appending("index")).count }
            func put(_ seed: Int) throws {
                try Data(TinyImages.bitmap(seed)).write(
                    to: URL(filePath: photos.appending("\(seed).bmp").string))
            }
            try await wait(process, for: "the note on an empty folder") {
                try errors().contains("contains no images")
            }
            try put(1)
            try await wait(process, for: "the first image") { count() == 1 }

            let lock = try FileDescriptor.open(
                folder.appending("index").appending("lock"), .readWrite)
            defer { try? lock.close() }
            try #require(flock(lock.rawValue, LOCK_EX) == 0)
            try put(2)
            try await wait(process, for: "the note on the lock") {
                try errors().contains("waiting for another process that writes to this index")
            }
            flock(lock.rawValue, LOCK_UN)
            try await wait(process, for: "the second image") { count() == 2 }

            let away = folder.appending("away").string
            try FileManager.default.moveItem(atPath: photos.string, toPath: away)
            try await wait(process, for: "the note on a missing folder") {
                try errors().contains("cannot be read")
            }
            #expect(count() == 2)
            try FileManager.default.moveItem(atPath: away, toPath: photos.string)
            try put(3)
            try await wait(process, for: "the third image") { count() == 3 }
            kill(process.processIdentifier, SIGINT)
            await process.exited()
            #expect(process.terminationStatus == 130)
            // One message per condition, however often it was checked.
            let notes = try errors()
            #expect(notes.components(separatedBy: "contains no images").count == 2)
            #expect(notes.components(separatedBy: "cannot be read").count == 2)
        }
    }

    @Test func textsAreKnownByTheirContent() async throws {
        try await withFolder(0) { folder, _ in
            let lines = (1...20).map { "a dog number \($0)" }
            let texts = ["index", "texts", "t.txt", "--model", "model", "--index", "texts"]
            try write(lines.joined(separator: "\n"), folder.appending("t.txt"))
            _ = try await Command.run(texts, folder: folder)
            try write((["a cat"] + lines).joined(separator: "\n"), folder.appending("t.txt"))
            let result = try await Command.run(texts, folder: folder)
            #expect(result.output.contains("1 encoded, 20 copied from equal texts"))
        }
    }
}
