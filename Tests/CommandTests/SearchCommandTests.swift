import Foundation
import Retrieval
import SystemPackage
import TestSupport
import Testing

@Suite("Command line", .serialized)
struct SearchCommandTests {
    /// A folder with a model, ten pictures and their index.
    private func withIndex(_ body: (FilePath) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel.write(to: folder.appending("model"))
            try TinyModel.writePictures(10, to: folder.appending("photos"))
            let made = try await Command.run(
                ["index", "photos", "--model", "model", "--index", "index", "--json"],
                folder: folder)
            #expect(made.status == 0, "\(made.errors)")
            let report = try made.json()
            #expect(report["encoded"] as? Int == 10)
            #expect(report["interrupted"] as? Bool == false)
            try await body(folder)
        }
    }

    @Test func searchesAsJSON() async throws {
        try await withIndex { folder in
            let query = "a red bus near the tree"
            let answer = try await Command.run(
                ["search", query, "--model", "model", "--index", "index", "--top", "3", "--json"],
                folder: folder)
            #expect(answer.status == 0, "\(answer.errors)")
            #expect(answer.errors.contains("untrained"))
            let json = try answer.json()
            #expect(json["query"] as? String == query)
            #expect(Set(json.keys) == ["query", "reranked", "results"])
            let results = try #require(json["results"] as? [[String: Any]])
            #expect(results.map { $0["rank"] as? Int } == [1, 2, 3])
            for result in results {
                #expect(
                    Set(result.keys) == [
                        "path", "rank", "recall_rank", "similarity", "match_logit",
                        "match_probability",
                    ])
                let probability = try #require(result["match_probability"] as? Double)
                #expect((0...1).contains(probability))
                let path = try #require(result["path"] as? String)
                #expect(path.hasPrefix("/") && path.contains("/photos/"))
            }
            let recalled = try await Command.run(
                [
                    "search", query, "--model", "model", "--index", "index", "--no-rerank",
                    "--json",
                ], folder: folder)
            let first = try #require((try recalled.json()["results"] as? [[String: Any]])?.first)
            #expect(first["match_logit"] is NSNull && first["recall_rank"] as? Int == 1)
        }
    }

    @Test func searchesAndScoresAsText() async throws {
        try await withIndex { folder in
            let answer = try await Command.run(
                ["search", "train", "--model", "model", "--index", "index", "-k", "2"],
                folder: folder)
            let lines = answer.output.split(separator: "\n")
            #expect(lines.first == "rank  recall   match   cosine  path")
            #expect(lines.count == 3 && lines[1].hasSuffix(".bmp") && lines[1].contains("photos/"))
            let scores = try await Command.run(
                ["score", "photos/001.bmp", "train", "two dogs", "--model", "model", "--json"],
                folder: folder)
            let list = try #require(try scores.json()["scores"] as? [[String: Any]])
            #expect(list.map { $0["text"] as? String } == ["train", "two dogs"])
        }
    }

    private static let badInput: [(arguments: [String], named: String)] = [
        (["search", "train", "--model", "nowhere", "--index", "index"], "nowhere"),
        (["search", "train", "--model", "model", "--index", "nowhere"], "nowhere"),
        (["search", "", "--model", "model", "--index", "index"], "the query is empty"),
        (["search", "...", "--model", "model", "--index", "index"], "nothing is left"),
        (
            ["search", "train", "--model", "model", "--index", "index", "--image-size", "64"],
            "48 pixels"
        ),
        (["search", "train", "--model", "model", "--index", "index", "--image-size", "50"], "50"),
        (["search", "train", "--model", "model", "--index", "index", "--device", "tpu"], "'tpu'"),
        (["search", "train", "--model", "model", "--index", "index", "--top", "0"], "--top"),
        (["score", "missing.jpg", "train", "--model", "model"], "missing.jpg"),
        (["score", "model/config.json", "train", "--model", "model"], "config.json"),
        (["index", "nowhere", "--model", "model", "--index", "new"], "nowhere"),
        (["index", "model", "--model", "model", "--index", "new"], "no pictures"),
        (["index", "photos", "--model", "model", "--index", "photos"], "holds files but no index"),
    ]

    @Test func badInputIsNamed() async throws {
        try await withIndex { folder in
            for (arguments, named) in Self.badInput {
                let result = try await Command.run(arguments, folder: folder)
                #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
                #expect(result.errors.contains(named), "\(arguments): \(result.errors)")
                #expect(!result.errors.contains("Fatal error"), "\(arguments)")
            }
        }
    }

    @Test func longQueriesAreCutAndSaidSo() async throws {
        try await withIndex { folder in
            let long = String(repeating: "two dogs playing ", count: 600)
            #expect(long.count > 10_000)
            let result = try await Command.run(
                ["search", long, "--model", "model", "--index", "index", "--json"],
                folder: folder)
            #expect(result.status == 0)
            #expect(result.errors.contains("only its beginning is read"))
            let foreign = try await Command.run(
                ["search", "黑色上衣", "--model", "model", "--index", "index"], folder: folder)
            #expect(foreign.status == 0)
            #expect(foreign.errors.contains("vocabulary has no word"))
        }
    }

    @Test func unreadableFoldersAreReported() async throws {
        try await withIndex { folder in
            let locked = folder.appending("photos").appending("locked").string
            try FileManager.default.createDirectory(
                atPath: locked, withIntermediateDirectories: true)
            try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: locked)
            let result = try await Command.run(
                ["index", "photos", "--model", "model", "--index", "index"], folder: folder)
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: locked)
            #expect(result.status == 0)
            // The superuser can read it all the same.
            if geteuid() != 0 { #expect(result.errors.contains("locked")) }
        }
    }

    @Test func interruptingKeepsWhatWasEncoded() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel.write(to: folder.appending("model"))
            try TinyModel.writePictures(2000, to: folder.appending("photos"))
            let (process, _) = try Command.start(
                ["index", "photos", "--model", "model", "--index", "index", "--batch-size", "1"],
                folder: folder)
            // The lock appears when the work begins, after the signals are caught.
            let lock = folder.appending("index").appending("lock").string
            for _ in 0..<500 where !FileManager.default.fileExists(atPath: lock) {
                try await Task.sleep(for: .milliseconds(20))
            }
            try await Task.sleep(for: .milliseconds(100))
            kill(process.processIdentifier, SIGINT)
            await process.exited()
            #expect(process.terminationStatus == 130 || process.terminationStatus == 0)
            let index = try ForwardIndex(folder.appending("index"))
            #expect(index.count > 0)
        }
    }
}
