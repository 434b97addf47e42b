import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("albef plan", .timeLimit(.minutes(30)))
struct PlanCommandTests {
    /// Settings with which activations, and not the program, take most of the memory.
    private static let sizes = [
        "model.image_size=96", "model.patch_size=8", "model.image_width=256",
        "model.image_depth=8", "model.image_heads=4", "model.text_width=256",
        "model.text_depth=2", "model.fusion_depth=2", "model.text_heads=4",
        "training.batch_size=12",
    ]
    /// The settings of a model whose trunk trains too.
    private static let trunk = [
        "model.start='\(Fixtures.repository.appending("Sources/Retrieval/Models/photos"))'",
        "model.vocabulary=null",
        "objectives.masked_language.weight=0", "training.batch_size=8",
    ]

    @Test(
        "The predicted memory is that of real steps",
        arguments: [
            sizes, sizes + ["training.gradient_checkpointing=true"],
            sizes + ["optimizer.frozen=[image]"], trunk, trunk + ["optimizer.frozen=[image.trunk]"],
        ])
    func check(_ settings: [String]) async throws {
        try await Fixtures.withTemporaryFolder { path in
            _ = try TrainingFolder(path, epochs: 1)
            let result = try await Command.run(
                ["plan", "--config", "settings.yaml", "--threads", "1", "--check", "--json"]
                    + settings.flatMap { ["--set", $0] }, folder: path)
            #expect(result.status == 0, "\(result.errors)")
            let plan = try result.json()
            let measured = try #require(plan["measured"] as? [String: Any])
            let found = try #require(measured["peak_bytes"] as? Double)
            let predicted = try #require(plan["peak"] as? Double)
            #expect(abs(predicted / found - 1) < 0.15, "\(predicted) instead of \(found)")
            #expect(try #require(measured["seconds"] as? Double) > 0)
        }
    }

    @Test("JSON for a GPU is as recorded")
    func json() async throws {
        try await Fixtures.withTemporaryFolder { path in
            _ = try TrainingFolder(path, epochs: 2)
            let result = try await Command.run(
                [
                    "plan", "--config", "settings.yaml", "--device", "cuda", "--memory", "0.6",
                    "--json",
                ], folder: path)
            let file = Fixtures.path("snapshots/plan.json").string
            if ProcessInfo.processInfo.environment["ALBEF_RECORD_SNAPSHOTS"] != nil {
                try result.output.write(toFile: file, atomically: true, encoding: .utf8)
            }
            #expect(try String(contentsOfFile: file, encoding: .utf8) == result.output)
            // The context of a GPU alone takes as much.
            #expect(result.status == 1 && result.errors.isEmpty)
        }
    }

    @Test("The text has every part, and names what would fit")
    func text() async throws {
        try await Fixtures.withTemporaryFolder { path in
            _ = try TrainingFolder(path, epochs: 1)
            let arguments = ["plan", "--config", "settings.yaml", "--threads", "1"]
            let result = try await Command.run(arguments, folder: path)
            #expect(result.status == 0, "\(result.errors)")
            for words in [
                "parameters train", "more are the teacher's", "memory", "weights", "optimizer",
                "peak", "fits:", "matrix products", "3 steps, without evaluations",
                "checkpoints of",
            ] { #expect(result.output.contains(words), "\(words): \(result.output)") }
            let small = try await Command.run(arguments + ["--memory", "0.01"], folder: path)
            #expect(small.status == 1)
            #expect(small.output.contains("does not fit:"))
            #expect(small.output.contains("--set training.gradient_checkpointing=true"))
            #expect(small.output.contains("--set training.batch_size=2"))
        }
    }

    @Test(
        "Reports mistakes in one line",
        arguments: [
            ([], "configuration: data.train names no annotation file; give"),
            (["--threads", "0"], "--threads must be from 1 to 1024"),
            (["--memory", "0"], "--memory must be from 0.001 to 1000000"),
            (["--tflops", "nan"], "--tflops must be from 0.001 to 1000000"),
            (["--preset", "blip"], "preset 'blip': is unknown; choose one of albef"),
            (["--config", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
            (["--config", "settings.yaml", "--device", "gpu"], "training.device is 'gpu'"),
            (["--config", "settings.yaml", "--set", "training.epoch=3"], "unknown key"),
            (
                ["--config", "settings.yaml", "--device", "cuda", "--check"],
                "--check needs the device that is planned for"
            ),
        ])
    func mistakes(arguments: [String], named: String) async throws {
        try await Fixtures.withTemporaryFolder { path in
            _ = try TrainingFolder(path, epochs: 1)
            let result = try await Command.run(["plan"] + arguments, folder: path)
            #expect(result.status != 0 && result.output.isEmpty)
            #expect(result.errors.contains(named), "\(result.errors)")
            #expect(!result.errors.contains("Fatal error"))
        }
    }
}
