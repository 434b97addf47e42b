import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Classifying and scoring with two towers", .serialized)
struct ClassifyCommandTests {
    private func withModel(_ body: (FilePath) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel.towers().write(to: folder.appending("model"))
            try TinyImages.write(2, to: folder.appending("photos"))
            try await body(folder)
        }
    }

    @Test("Prints the best labels of every image, as text and as JSON")
    func labels() async throws {
        try await withModel { folder in
            try "dog\nred bus\n\ntree\n".write(
                toFile: folder.appending("labels.txt").string, atomically: true, encoding: .utf8)
            let images = ["photos/000.bmp", "photos/001.bmp"]
            let json = try await Command.run(
                ["classify"] + images
                    + ["--labels-file", "labels.txt", "--top", "2", "--model", "model", "--json"],
                folder: folder)
            #expect(json.status == 0, "\(json.errors)")
            let answers = try #require(
                JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
            #expect(answers.map { $0["image"] as? String } == images)
            for answer in answers {
                let labels = try #require(answer["labels"] as? [[String: Any]])
                #expect(labels.count == 2)
                #expect(labels.allSatisfy { Set($0.keys) == ["label", "logit", "probability"] })
            }
            let text = try await Command.run(
                ["classify", images[0], "--labels", "dog, tree", "--model", "model"],
                folder: folder)
            #expect(text.status == 0 && text.output.hasPrefix("photos/000.bmp\n"), "\(text.errors)")
            #expect(text.output.contains(" %  dog") && text.output.contains(" %  tree"))
        }
    }

    @Test(
        "Reports usage errors before it loads a model",
        arguments: [
            (["--labels", "a", "--labels-file", "b"], "not both"), ([], "not both"),
            (["--labels", "a", "--template", "none"], "has no {}"),
            (["--labels", "a", "--top", "0"], "--top"),
        ])
    func mistakes(_ arguments: [String], _ reason: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let answer = try await Command.run(
                ["classify", "x.jpg"] + arguments, folder: folder)
            #expect(answer.status == 64 && answer.errors.contains(reason), "\(answer.errors)")
        }
    }

    @Test("A model without a fusion encoder scores texts by their shares")
    func score() async throws {
        try await withModel { folder in
            let answer = try await Command.run(
                ["score", "photos/000.bmp", "a dog", "a tree", "--model", "model", "--json"],
                folder: folder)
            #expect(answer.status == 0, "\(answer.errors)")
            let scores = try #require(try answer.json()["scores"] as? [[String: Any]])
            #expect(scores.map { $0["text"] as? String } == ["a dog", "a tree"])
            let sum = scores.reduce(0) { $0 + ($1["share"] as? Double ?? .nan) }
            #expect(abs(sum - 1) < 1e-5)
        }
    }
}
