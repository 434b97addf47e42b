import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("The linear probe from the command line", .serialized)
struct ProbeCommandTests {
    /// Writes images of two classes, which differ in their brightness, in the layout of ImageFolder.
    ///
    /// - Parameter start: The number of the first image of each class.
    private static func write(_ count: Int, from start: Int, to folder: FilePath) throws {
        for (label, base) in [("dark", 0), ("light", 170)] {
            let place = folder.appending(label)
            try FileManager.default.createDirectory(
                atPath: place.string, withIntermediateDirectories: true)
            for number in start..<start + count {
                var image = TinyImages.bitmap(0)
                for position in 54..<image.count {
                    image[position] = UInt8(base + (position * 7 + number * 13) % 80)
                }
                try Data(image).write(
                    to: URL(filePath: place.appending("\(number).bmp").string))
            }
        }
    }

    private func withImages(_ body: (FilePath) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            try Self.write(10, from: 0, to: folder.appending("train"))
            try Self.write(4, from: 10, to: folder.appending("test"))
            try await body(folder)
        }
    }

    @Test("Tells classes apart that differ, and saves the classifier")
    func folders() async throws {
        try await withImages { folder in
            try Data("no image".utf8).write(
                to: URL(filePath: folder.appending("train/dark/damaged.bmp").string))
            try TinyImages.write(2, to: folder.appending("test"))
            let result = try await Command.run(
                [
                    "probe", "train", "test", "--model", "model", "--output", "probe.safetensors",
                    "--json",
                ], folder: folder)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.errors.contains("damaged.bmp"))
            #expect(result.errors.contains("left out 2 images outside the subfolders of test"))
            let json = try result.json()
            #expect(json["accuracy"] as? Double == 1 && json["majority_accuracy"] as? Double == 0.5)
            #expect(json["confusion"] as? [[Int]] == [[4, 0], [0, 4]])
            #expect(json["training_images"] as? Int == 20 && json["test_images"] as? Int == 8)
            #expect(json["width"] as? Int == 24 && json["top_5_accuracy"] == nil)
            #expect((json["trials"] as? [Any])?.isEmpty == false)
            let probe = try LinearProbe(reading: folder.appending("probe.safetensors"))
            #expect(probe.labels == ["dark", "light"] && probe.weights.shape == [2, 24])
            let strict = try await Command.run(
                ["probe", "train", "test", "--model", "model", "--strict"], folder: folder)
            #expect(strict.status == 1 && strict.errors.contains("damaged.bmp"))
        }
    }

    @Test("Reads annotation files, and keeps the classes of --labels")
    func files() async throws {
        try await withImages { folder in
            func write(_ name: String, _ text: String) throws {
                try text.write(
                    toFile: folder.appending(name).string, atomically: true, encoding: .utf8)
            }
            let rows = (0..<10).flatMap { number in
                ["dark", "light"].map { "train/\($0)/\(number).bmp,\($0)\n" }
            }
            try write("train.csv", "image,label\n" + rows.joined() + "train/dark/0.bmp,other\n")
            try write(
                "test.jsonl",
                """
                {"image": "test/dark/10.bmp", "label": "dark"}
                {"image": "test/light/11.bmp", "label": "light"}
                {"image": "test/light/12.bmp", "label": "unseen"}
                """)
            let arguments = ["probe", "train.csv", "test.jsonl", "--model", "model"]
            let unknown = try await Command.run(arguments, folder: folder)
            #expect(unknown.status == 1)
            #expect(unknown.errors.contains("test.jsonl: the class 'unseen' has no training image"))
            let result = try await Command.run(
                arguments + ["--labels", "light,dark", "--kind", "aligned", "--l2", "0.01"],
                folder: folder)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains("2 classes, 20 training and 2 test images, 16 numbers"))
            #expect(result.output.contains("  right                100.0 % ± 0.0"))
            #expect(result.output.contains("1.00e-02 (C = 5)"))
            let missing = try await Command.run(
                arguments + ["--labels", "light,cat"], folder: folder)
            #expect(missing.errors.contains("train.csv has no image of the class 'cat'"))
        }
    }

    @Test(
        "Reports usage errors before it loads a model",
        arguments: [
            (["--kind", "tokens"], "'tokens' is invalid for '--kind"), (["--l2", "0"], "--l2"),
            (["--batch-size", "0"], "--batch-size"),
        ])
    func mistakes(_ arguments: [String], _ reason: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let answer = try await Command.run(["probe", "a", "b"] + arguments, folder: folder)
            #expect(answer.status == 64 && answer.errors.contains(reason), "\(answer.errors)")
        }
    }
}
