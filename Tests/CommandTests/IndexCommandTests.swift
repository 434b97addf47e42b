import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("albef index and its subcommands", .serialized)
struct IndexCommandTests {
    /// A folder with a model, twelve images and their metadata.
    private func withFolder(_ body: (FilePath) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            let paths = try TinyImages.write(12, to: folder.appending("photos"))
            let lines = paths.enumerated().map { number, path in
                "{\"image\": \"photos/\(path.lastComponent?.string ?? "")\", \"number\": \(number)}"
            }
            try Data(lines.joined(separator: "\n").utf8).write(
                to: URL(filePath: folder.appending("notes.jsonl").string))
            try await body(folder)
        }
    }

    private func run(_ arguments: [String], in folder: FilePath) async throws -> Command.Result {
        let result = try await Command.run(arguments, folder: folder)
        #expect(result.status == 0, "\(arguments): \(result.errors)")
        return result
    }

    @Test func makesChecksShrinksAndDescribes() async throws {
        try await withFolder { folder in
            let made = try await run(
                [
                    "index", "add", "photos", "--model", "model", "--index", "index", "--tokens",
                    "6", "--precision", "int8", "--metadata", "notes.jsonl",
                ], in: folder)
            #expect(made.output.contains("12 encoded"))
            let whole = try await run(["index", "verify", "index"], in: folder)
            #expect(whole.output == "undamaged: 12 images\n")
            let removed = try await run(
                ["index", "remove", "photos/000.bmp", "--index", "index", "--json"], in: folder)
            #expect(try removed.json()["removed"] as? Int == 1)
            let others = try await run(
                ["index", "remove", "--index", "index", "--where", "number>=10"], in: folder)
            #expect(others.output == "removed 2\n")

            var stats = try await run(["index", "stats", "index", "--json"], in: folder).json()
            #expect(stats["photos"] as? Int == 9 && stats["removed"] as? Int == 3)
            let tokens = try #require(stats["tokens"] as? [String: Any])
            #expect(tokens["kept"] as? Int == 6 && tokens["available"] as? Int == 10)
            #expect(tokens["precision"] as? String == "int8")
            let bytes = try #require(stats["bytes"] as? Int)
            _ = try await run(["index", "compact", "index"], in: folder)
            _ = try await run(["index", "graph", "index", "--threads", "1"], in: folder)
            stats = try await run(["index", "stats", "index", "--json"], in: folder).json()
            #expect(stats["removed"] as? Int == 0 && stats["graph_photos"] as? Int == 9)
            #expect((stats["bytes"] as? Int ?? .max) < bytes)
            let text = try await run(["index", "stats", "index"], in: folder).output
            #expect(text.contains("6 of 10, int8") && text.contains("of 9 images"))

            let found = try await run(
                [
                    "search", "two dogs", "--model", "model", "--index", "index", "--where",
                    "number<3", "--json",
                ], in: folder
            ).json()
            let results = try #require(found["results"] as? [[String: Any]])
            #expect(results.count == 2)
            #expect(
                Set(results.compactMap { ($0["metadata"] as? [String: Int])?["number"] }) == [1, 2])
        }
    }

    @Test func damageEndsWithStatus1AndNamesTheFile() async throws {
        try await withFolder { folder in
            _ = try await run(
                ["index", "photos", "--model", "model", "--index", "index"], in: folder)
            let segments = folder.appending("index").appending("segments")
            let name = try #require(
                try FileManager.default.contentsOfDirectory(atPath: segments.string).first)
            let url = URL(filePath: segments.appending(name).string)
            var bytes = try Data(contentsOf: url)
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: url)
            let found = try await Command.run(["index", "verify", "index"], folder: folder)
            #expect(found.status == 1 && found.output.contains(name))
        }
    }

    @Test func watchingFollowsTheFolder() async throws {
        try await withFolder { folder in
            let (process, log) = try Command.start(
                [
                    "index", "add", "photos", "--model", "model", "--index", "index", "--watch",
                    "--interval", "0.1", "--json",
                ], folder: folder)
            defer { process.terminate() }
            let index = folder.appending("index")
            func wait(for count: Int) async throws {
                for _ in 0..<9600 where process.isRunning {
                    if let index = try? ForwardIndex(index), index.count == count { return }
                    try await Task.sleep(for: .milliseconds(25))
                }
                Issue.record("the index never held \(count)")
            }
            try await wait(for: 12)
            try Data(TinyImages.bitmap(40)).write(
                to: URL(filePath: folder.appending("photos/new.bmp").string))
            try await wait(for: 13)
            for number in 0..<3 {
                try FileManager.default.removeItem(
                    atPath: folder.appending("photos/00\(number).bmp").string)
            }
            try await wait(for: 10)
            process.interrupt()
            await process.exited()
            #expect(process.terminationStatus == 130)
            let output = try String(contentsOfFile: "\(log.string).out", encoding: .utf8)
            // One object per line, for each update that changed something.
            for line in output.split(separator: "\n") {
                #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
            }
            #expect(output.split(separator: "\n").count >= 3)
        }
    }

    @Test func calibratesAndSaysWhenNothingMatches() async throws {
        try await withFolder { folder in
            let captions = (0..<12).map { number in
                ["image": String(format: "photos/%03d.bmp", number), "caption": "a bus \(number)"]
            }
            try JSONSerialization.data(withJSONObject: captions).write(
                to: URL(filePath: folder.appending("captions.json").string))
            let result = try await Command.run(
                [
                    "calibrate", "captions.json", "--model", "model", "--candidates", "12",
                    "--json",
                ], folder: folder)
            // Random weights may distinguish nothing; then nothing is written.
            let file = folder.appending("model/calibration.json").string
            #expect(FileManager.default.fileExists(atPath: file) == (result.status == 0))
            if result.status == 0 {
                #expect(try (result.json()["temperature"] as? Double ?? 0) > 0)
            } else {
                #expect(result.errors.contains("does not tell them apart"))
            }
            _ = try await run(
                ["index", "photos", "--model", "model", "--index", "index"], in: folder)
            let nothing = try await run(
                [
                    "search", "two dogs", "--model", "model", "--index", "index",
                    "--min-probability", "1",
                ], in: folder)
            #expect(nothing.output.isEmpty)
            #expect(nothing.errors.contains("nothing matches: none of 12 candidates"))
        }
    }

    @Test func evaluatesSeveralDepthsAndDumpsWhatWasFound() async throws {
        try await withFolder { folder in
            let captions = (0..<12).map { number in
                ["image": String(format: "photos/%03d.bmp", number), "caption": "a bus \(number)"]
            }
            try JSONSerialization.data(withJSONObject: captions).write(
                to: URL(filePath: folder.appending("captions.json").string))
            let json = try await run(
                [
                    "evaluate", "retrieval", "captions.json", "--model", "model", "--rerank",
                    "4,12", "--dump", "found.jsonl", "--json",
                ], in: folder
            ).json()
            let reranked = try #require(json["reranked"] as? [[String: Any]])
            #expect(reranked.map { $0["depth"] as? Int } == [4, 12])
            let dump = try String(
                contentsOfFile: folder.appending("found.jsonl").string, encoding: .utf8)
            let lines = dump.split(separator: "\n")
            #expect(lines.count == 12)
            for line in lines {
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                #expect(object["query"] is String && object["recall_rank"] is Int)
            }
            // The model's own ranking applies here as in searches.
            let packed = try await Command.run(
                [
                    "models", "pack", "./model", "--output", "packed", "--full", "--ranking",
                    "posterior",
                ], folder: folder)
            #expect(packed.status == 0, "\(packed.errors)")
            func scores(_ arguments: String...) async throws -> String {
                let command = ["evaluate", "retrieval", "captions.json", "--dump", "scores.jsonl"]
                _ = try await run(command + arguments, in: folder)
                return try String(
                    contentsOfFile: folder.appending("scores.jsonl").string, encoding: .utf8)
            }
            let own = try await scores("--model", "./packed")
            #expect(try await own == scores("--model", "./model", "--ranking", "posterior"))
            #expect(try await own != scores("--model", "./model"))
            let bad = try await Command.run(
                ["evaluate", "retrieval", "captions.json", "--rerank", "few"], folder: folder)
            #expect(bad.status == 64 && bad.errors.contains("'few'"))
        }
    }
}
