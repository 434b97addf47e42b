import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("The programs of Examples/library")
struct LibraryExampleTests {
    private static let photos = Fixtures.repository.appending("Sources/Demo/Photos")

    /// Runs an example as it was built with these tests, and returns the lines that it printed.
    private func run(
        _ name: String, _ arguments: [String], folder: FilePath
    ) async throws -> [String] {
        let program = Command.executable.deletingLastPathComponent()
            .appending(path: "example-\(name)").path
        let (process, log) = try Command.start(arguments, folder: folder, program: program)
        await process.exited()
        let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
        #expect(process.terminationStatus == 0, "\(name): \(errors)")
        return try String(contentsOfFile: "\(log.string).out", encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    /// Copies photographs of the demonstration.
    private func copy(_ names: [String], to folder: FilePath) throws {
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true)
        for name in names {
            try FileManager.default.copyItem(
                atPath: Self.photos.appending("\(name).jpg").string,
                toPath: folder.appending("\(name).jpg").string)
        }
    }

    @Test("A folder is searched, and encoded only once")
    func searchFolder() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try copy(["castle", "dandelions", "dog", "panda"], to: folder.appending("photos"))
            let arguments = ["photos", "photos.index", "flowers in a field"]
            let first = try await run("search-folder", arguments, folder: folder)
            #expect(first.first == "4 encoded, 0 unchanged, 0 skipped")
            #expect(first.count == 1 + 4)
            #expect(first.dropFirst().first?.hasPrefix("1 0.") == true)
            #expect(first.dropFirst().first?.hasSuffix("/dandelions.jpg") == true)
            let second = try await run("search-folder", arguments, folder: folder)
            #expect(second.first == "0 encoded, 4 unchanged, 0 skipped")
            #expect(second.dropFirst() == first.dropFirst())
        }
    }

    @Test("Candidates of another system get the order of the fusion encoder")
    func rerankCandidates() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let names = ["castle", "dog", "dandelions", "panda"]
            try copy(names, to: folder.appending("shop"))
            let candidates = names.enumerated().map { index, name in
                ["id": "p-\(index)", "image": "shop/\(name).jpg"]
            }
            try JSONSerialization.data(withJSONObject: candidates)
                .write(to: URL(filePath: folder.appending("candidates.json").string))
            let lines = try await run(
                "rerank-candidates", ["flowers in a field", "candidates.json"], folder: folder)
            let rows = lines.map { $0.split(separator: " ").map(String.init) }
            #expect(Set(rows.compactMap(\.last)) == ["p-0", "p-1", "p-2", "p-3"])
            #expect(rows.first?.last == "p-2")
            let probabilities = rows.compactMap { $0.first.flatMap(Double.init) }
            #expect(probabilities.count == 4)
            #expect(probabilities == probabilities.sorted(by: >))
            // What the program itself says of the pair.
            let score = try await Command.run(
                [
                    "score", "shop/dandelions.jpg", "flowers in a field", "--model", "photos",
                    "--compute-type", "float32", "--json",
                ], folder: folder)
            #expect(score.status == 0, "\(score.errors)")
            let probability = try Self.probability(score.json())
            #expect(abs(probability - (probabilities.first ?? 0)) < 0.02)
        }
    }

    /// The match probability of the only text of `albef score --json`.
    private static func probability(_ document: [String: Any]) throws -> Double {
        let scores = try #require(document["scores"] as? [[String: Any]])
        return try #require(scores.first?["match_probability"] as? Double)
    }

    @Test("A model is trained on captions, and a second start finds the run finished")
    func trainCaptions() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 1)
            let arguments = ["train.json", "settings.yaml", "run"]
            let first = try await run("train-captions", arguments, folder: path)
            #expect(first.count == 3 + 1, "three steps and one score")
            #expect(first.prefix(3).allSatisfy { $0.hasPrefix("step ") })
            #expect(folder.lastStep("run") == 3)
            let score = try #require(first.last?.split(separator: " ").first.flatMap { Double($0) })
            #expect((0...1).contains(score))
            let second = try await run("train-captions", arguments, folder: path)
            #expect(second == [first.last])
            // The vocabulary is that of the captions, not the one that the settings name.
            #expect(
                try String(contentsOfFile: "\(path)/run/vocab.txt", encoding: .utf8)
                    == String(contentsOfFile: "\(path)/run.vocabulary.txt", encoding: .utf8))
        }
    }
}
