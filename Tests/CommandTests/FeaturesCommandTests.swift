import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import WeightFiles

@Suite("Exporting features from the command line", .serialized)
struct FeaturesCommandTests {
    private func withModel(_ body: (FilePath) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            try TinyImages.write(4, to: folder.appending("photos"))
            try Data("no image".utf8).write(
                to: URL(filePath: folder.appending("photos/damaged.jpg").string))
            try "a dog\na red bus\n".write(
                toFile: folder.appending("texts.txt").string, atomically: true, encoding: .utf8)
            try """
            {"image": "photos/000.bmp", "caption": ["a dog", "a tree"]}
            {"image": "photos/002.bmp", "caption": "snow"}
            """.write(
                toFile: folder.appending("captions.jsonl").string, atomically: true,
                encoding: .utf8)
            try await body(folder)
        }
    }

    @Test("Exports a folder and texts, and names what it leaves out")
    func folderAndTexts() async throws {
        try await withModel { folder in
            let result = try await Command.run(
                [
                    "features", "photos", "--texts", "texts.txt", "--model", "model", "--output",
                    "out.npz", "--json",
                ], folder: folder)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.errors.contains("skipped") && result.errors.contains("damaged.jpg"))
            let json = try result.json()
            let arrays = try #require(json["arrays"] as? [[String: Any]])
            #expect(arrays.map { $0["name"] as? String } == ["image_features", "text_features"])
            #expect(arrays.map { $0["shape"] as? [Int] } == [[4, 16], [2, 16]])
            let skipped = try #require(json["skipped"] as? [[String: Any]])
            #expect((skipped.first?["path"] as? String)?.hasSuffix("damaged.jpg") == true)
            if Python.hasNumPy {
                let script = """
                    import sys, numpy
                    file = numpy.load(sys.argv[1], allow_pickle=False)
                    assert file["image_features"].shape == (4, 16)
                    assert numpy.allclose(numpy.linalg.norm(file["image_features"], axis=1), 1, atol=1e-5)
                    assert [open(p, "rb").read(2) for p in file["image_paths"]] == [b"BM"] * 4
                    assert file["texts"].tolist() == ["a dog", "a red bus"]
                    """
                #expect(try Python.run(script, [folder.appending("out.npz").string]) == "")
            }
            let strict = try await Command.run(
                ["features", "photos", "--model", "model", "--output", "strict.npz", "--strict"],
                folder: folder)
            #expect(strict.status == 1 && strict.errors.contains("damaged.jpg"))
            #expect(!FileManager.default.fileExists(atPath: folder.appending("strict.npz").string))
        }
    }

    @Test("Exports an index without its model, and pairs of an annotation file")
    func indexAndPairs() async throws {
        try await withModel { folder in
            let made = try await Command.run(
                ["index", "photos", "--model", "model", "--index", "index"], folder: folder)
            #expect(made.status == 0, "\(made.errors)")
            try FileManager.default.moveItem(
                atPath: folder.appending("model").string, toPath: folder.appending("moved").string)
            let stored = try await Command.run(
                ["features", "index", "--output", "index.npy", "--dtype", "float16"],
                folder: folder)
            #expect(stored.status == 0, "\(stored.errors)")
            #expect(stored.output.hasPrefix("image_features [4, 16] float16\nwrote index.npy and "))
            let pairs = try await Command.run(
                [
                    "features", "captions.jsonl", "--kind", "fused", "--model", "moved", "--output",
                    "pairs.safetensors",
                ], folder: folder)
            #expect(pairs.status == 0, "\(pairs.errors)")
            let file = try SafetensorsFile(folder.appending("pairs.safetensors"))
            #expect(try file.tensor("fused_states").shape == [3, 32])
            let images = try await Command.run(
                [
                    "features", "captions.jsonl", "photos/001.bmp", "--texts", "captions.jsonl",
                    "--model", "moved", "--output", "test.safetensors",
                ], folder: folder)
            #expect(images.status == 0, "\(images.errors)")
            let test = try SafetensorsFile(folder.appending("test.safetensors"))
            #expect(try test.tensor("image_features").shape == [3, 16])
            #expect(try test.tensor("text_features").shape == [3, 16])
        }
    }

    @Test(
        "Reports usage errors before it loads a model",
        arguments: [
            (["--output", "a.npz"], "Name images"),
            (["x", "--output", "a.csv"], "must end in"),
            (["x", "--texts", "y", "--output", "a.npy"], "holds one array"),
            (["x", "--texts", "y", "--kind", "image", "--output", "a.npz"], "aligned alone"),
            (["x", "--output", "a.npz", "--batch-size", "0"], "--batch-size"),
        ])
    func mistakes(_ arguments: [String], _ reason: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let answer = try await Command.run(["features"] + arguments, folder: folder)
            #expect(answer.status == 64 && answer.errors.contains(reason), "\(answer.errors)")
        }
    }

    @Test("An interruption leaves no file", .timeLimit(.minutes(30)))
    func interrupted() async throws {
        try await withModel { folder in
            let out = folder.appending("out")
            try FileManager.default.createDirectory(
                atPath: out.string, withIntermediateDirectories: false)
            // Far more texts than can be encoded before the signal.
            try String(repeating: "a dog in the snow\n", count: 400_000).write(
                toFile: folder.appending("many.txt").string, atomically: true, encoding: .utf8)
            let (process, log) = try Command.start(
                ["features", "--texts", "many.txt", "--model", "model", "--output", "out/a.npy"],
                folder: folder)
            // The file has another name until it is complete, and the labels come first.
            while process.isRunning,
                try FileManager.default.contentsOfDirectory(atPath: out.string).isEmpty
            {
                try await Task.sleep(for: .milliseconds(2))
            }
            process.interrupt()
            await process.exited()
            let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
            #expect(process.terminationStatus == 130, "\(errors)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: out.string).isEmpty)
        }
    }
}
