import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("The option --recall", .serialized)
struct TwoModelsCommandTests {
    private static let both = ["--model", "model", "--recall", "recall"]

    /// A folder with two models, six images, and an index of both.
    private func withFolder(_ body: (FilePath) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            try TinyModel.towers().write(to: folder.appending("recall"))
            try TinyImages.write(6, to: folder.appending("photos"))
            let made = try await Command.run(
                ["index", "photos", "--index", "index"] + Self.both, folder: folder)
            #expect(made.status == 0 && made.output.contains("6 encoded"), "\(made.errors)")
            try await body(folder)
        }
    }

    @Test("Records both models in the index, and searches with both")
    func index() async throws {
        try await withFolder { folder in
            let stats = try await Command.run(["index", "stats", "index"], folder: folder).output
            #expect(stats.contains("\nrecall      recall, "), "\(stats)")
            #expect(stats.contains("images of 32 pixels\n"))
            let json = try await Command.run(
                ["index", "stats", "index", "--json"], folder: folder
            ).json()
            let recall = try #require(json["recall"] as? [String: Any])
            #expect(recall["name"] as? String == "recall" && recall["image_size"] as? Int == 32)
            #expect(json["feature_width"] as? Int == 12)

            let found = try await Command.run(
                ["search", "a dog", "--index", "index", "--json"] + Self.both, folder: folder)
            let results = try #require(try found.json()["results"] as? [[String: Any]])
            #expect(found.status == 0 && results.count == 6)
            let photo = try #require(results.first?["path"] as? String)
            let score = try await Command.run(
                ["score", photo, "a dog", "--json"] + Self.both, folder: folder)
            let scores = try #require(try score.json()["scores"] as? [[String: Any]])
            let (a, b) = (results[0]["similarity"] as? Double, scores[0]["similarity"] as? Double)
            #expect(abs((a ?? 0) - (b ?? 1)) < 1e-5)
        }
    }

    @Test(
        "An index of two models reports which model to name",
        arguments: [
            ["search", "a dog", "--index", "index"],
            ["serve", "--index", "index", "--port", "0"],
            ["index", "photos", "--index", "index"],
        ])
    func missing(_ command: [String]) async throws {
        try await withFolder { folder in
            for model in ["model", "recall"] {
                let one = try await Command.run(command + ["--model", model], folder: folder)
                #expect(one.status == 1 && one.output.isEmpty)
                #expect(one.errors.contains("recall needs --recall recall"), "\(one.errors)")
            }
        }
    }

    @Test("An index of one model rejects another for recall")
    func needless() async throws {
        try await withFolder { folder in
            let made = try await Command.run(
                ["index", "photos", "--index", "one", "--model", "model"], folder: folder)
            #expect(made.status == 0)
            let found = try await Command.run(
                ["search", "a dog", "--index", "one"] + Self.both, folder: folder)
            #expect(found.status == 1 && found.errors.contains("search it without --recall"))
        }
    }

    @Test("Names swapped models, and a method of recall in place of a model")
    func swapped() async throws {
        try await withFolder { folder in
            let swapped = try await Command.run(
                ["search", "a dog", "--index", "index", "--model", "recall", "--recall", "model"],
                folder: folder)
            #expect(swapped.status == 1 && swapped.errors.contains("name it with --recall"))
            let method = try await Command.run(
                ["search", "a dog", "--index", "index", "--recall", "exact"], folder: folder)
            #expect(method.status == 64)
            #expect(method.errors.contains("--recall-method exact"), "\(method.errors)")
        }
    }

    @Test("Evaluates and calibrates with one model for recall and another for re-ranking")
    func evaluation() async throws {
        try await withFolder { folder in
            let lines = (0..<6).map {
                #"{"image": "photos/00\#($0).bmp", "caption": "a dog \#($0)"}"#
            }
            try "[\(lines.joined(separator: ","))]".write(
                toFile: folder.appending("x.json").string, atomically: true, encoding: .utf8)
            func dual(_ models: [String]) async throws -> NSDictionary? {
                let result = try await Command.run(
                    ["evaluate", "retrieval", "x.json", "--rerank", "2", "--json"] + models,
                    folder: folder)
                #expect(result.status == 0, "\(result.errors)")
                return try result.json()["dual"] as? NSDictionary
            }
            let found = try #require(try await dual(Self.both))
            #expect(try await dual(["--model", "recall"]) == found)
            let calibrated = try await Command.run(
                ["calibrate", "x.json", "--dry-run"] + Self.both, folder: folder)
            // An untrained model may distinguish nothing, and the command reports that.
            let isSaid =
                calibrated.output.contains("temperature")
                || calibrated.errors.contains("does not tell them apart")
            #expect(isSaid, "\(calibrated.errors)")
        }
    }
}
