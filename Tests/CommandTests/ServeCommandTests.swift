import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("albef serve", .timeLimit(.minutes(30)))
struct ServeCommandTests {
    /// A folder with two images, their index, a model that searches, one for VQA, and its answers.
    private func withFolder(_ body: (FilePath) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let folder = folder.absolute
            let images = folder.appending("images")
            try TinyImages.write(2, to: images)
            let model = try TinyModel().makeSearchModel(in: folder)
            _ = try await Indexer(model).update(folder.appending("index"), with: images)
            try TinyModel(task: .vqa, seed: 3).write(to: folder.appending("vqa"))
            try Data(#"["red", "cat"]"#.utf8)
                .write(to: URL(filePath: folder.appending("answers.json").string))
            try await body(folder)
        }
    }

    private static let serve = [
        "serve", "--index", "index", "--model", "model", "--port", "0", "--threads", "1",
        "--log-level", "warning",
    ]

    @Test("Answers over HTTP what 'albef predict vqa' answers")
    func answers() async throws {
        try await withFolder { folder in
            let predicted = try await Command.run(
                [
                    "predict", "vqa", "images/001.bmp", "what is it?", "--model", "vqa",
                    "--answers", "answers.json", "--threads", "1", "--json",
                ], folder: folder)
            #expect(predicted.status == 0, "\(predicted.errors)")
            let expected = try predicted.json()["answers"] as? [[String: Any]] ?? []
            let (process, log) = try Command.start(
                Self.serve + ["--questions", "vqa", "--answers", "answers.json"], folder: folder)
            defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
            var lines: [Substring] = []
            _ = try await eventually {
                let text = try String(contentsOfFile: "\(log.string).out", encoding: .utf8)
                lines = text.split(separator: "\n")
                return text.contains("questions: answered by vqa\n") || !process.isRunning
            }
            let port = try #require(
                lines.first?.split(separator: ":").last.flatMap { UInt16($0) })
            let id = EntryKey(folder.appending("images/001.bmp")).description
            let answer = try await ServiceClient(port: port).post(
                "/api/answer", ["image": id, "question": "what is it?"])
            #expect(answer.status == 200, "\(answer.text)")
            let found = answer.json["answers"] as? [[String: Any]] ?? []
            #expect(found.count == 2)
            #expect(
                found.map { $0["text"] as? String } == expected.map { $0["text"] as? String })
        }
    }

    @Test("A program that was copied without the page's files, or with damaged ones, says so")
    func damagedPage() async throws {
        try await withFolder { folder in
            let files = FileManager.default
            let program = folder.appending("albef").string
            try files.copyItem(atPath: Command.executable.path, toPath: program)
            func expectError(_ text: String) async throws {
                let found = try await Command.run(Self.serve, folder: folder, program: program)
                #expect(found.status == 1)
                #expect(found.errors.contains(text), "\(found.errors)")
            }
            let missing = "the page's files are missing beside the program"
            try await expectError(missing)
            let resources = "swift-albef_RetrievalServer.resources"
            let copies = folder.appending(resources)
            try files.copyItem(
                at: Command.executable.deletingLastPathComponent().appending(path: resources),
                to: URL(filePath: copies.string))
            let document = copies.appending("openapi.json").string
            try Data("{}".utf8).write(to: URL(filePath: document))
            try await expectError("openapi.json: is damaged: 'paths' is missing")
            // A folder cannot be read as a file.
            try files.removeItem(atPath: document)
            try files.createDirectory(atPath: document, withIntermediateDirectories: false)
            try await expectError(missing)
        }
    }

    @Test("A list without a model, and a model for another task, are refused")
    func refusals() async throws {
        try await withFolder { folder in
            let list = try await Command.run(
                Self.serve + ["--answers", "answers.json"], folder: folder)
            #expect(list.status == 64 && list.errors.contains("--answers needs --questions"))
            let other = try await Command.run(
                Self.serve + ["--questions", "model"], folder: folder)
            #expect(other.status == 64, "\(other.errors)")
            #expect(other.errors.contains("is a model for pretraining, not for vqa"))
        }
    }
}
