import ALBEF
import ALBEFTraining
import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("Steps in every precision")
struct PrecisionTests {
    /// Multiplies some weights of a checkpoint or a model.
    private func scale(_ weights: [String: Double], in model: FilePath) throws {
        let path = model.appending("model.safetensors")
        let file = try SafetensorsFile(path)
        let entries = try file.tensors.map { name, tensor in
            let value = try Tensor(tensor).clone()
            return (weights[name].map { value * $0 } ?? value).entry(named: name)
        }
        try SafetensorsWriter.write(entries, metadata: file.metadata, to: path)
    }

    /// The image encoder's last norm and the projection after it, whose product stays as it is.
    private func stretched(by factor: Double) -> [String: Double] {
        [
            "visual_encoder.norm.weight": 1 / factor, "visual_encoder.norm.bias": 0,
            "vision_proj.weight": factor, "visual_encoder_m.norm.weight": 1 / factor,
            "visual_encoder_m.norm.bias": 0, "vision_proj_m.weight": factor,
        ]
    }

    /// Writes a model whose features are as they were, and whose gradients are `factor` as long.
    private func model(stretchedBy factor: Double, in folder: FilePath) throws -> FilePath {
        let path = folder.appending("stretched")
        try TinyModel().write(to: path)
        try scale(stretched(by: factor), in: path)
        return path
    }

    private func weights(_ checkpoint: FilePath) throws -> [String: [Float]] {
        let file = try SafetensorsFile(checkpoint.appending("model.safetensors"))
        return try Dictionary(
            uniqueKeysWithValues: file.tensors.filter { $0.tensor.dtype == .float32 }
                .map { ($0.name, try Tensor($0.tensor).values()) })
    }

    private func progress(_ run: FilePath) throws -> [String: Any] {
        let bytes = try Data(contentsOf: URL(filePath: run.appending("last/progress.json").string))
        return try JSONSerialization.jsonObject(with: bytes) as? [String: Any] ?? [:]
    }

    @Test(
        "Short types train too: losses stay finite, and weights move",
        arguments: [
            "bfloat16", "float16",
        ])
    func shortTypes(precision: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let log = EventLog()
            try await tiny.train("exact", try tiny.settings())
            try await tiny.train(
                "short", try tiny.settings(["training.precision=\(precision)"]), log: log)
            #expect(log.steps.count == 12 && log.steps.allSatisfy { $0.loss.isFinite })
            let (exact, short) = (
                try weights(folder.appending("exact/last")),
                try weights(folder.appending("short/last"))
            )
            #expect(short.values.allSatisfy { $0.allSatisfy(\.isFinite) })
            #expect(short["vision_proj.weight"] != exact["vision_proj.weight"])
        }
    }

    @Test(
        "A step whose half-precision gradients overflow is left out; the scale falls until one fits"
    )
    func overflow() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings([
                "model.start='\(model(stretchedBy: 1024, in: folder))'",
                "training.precision=float16", "training.log_steps=1",
            ])
            try await tiny.train("run", settings, until: 1)
            let run = folder.appending("run")
            #expect(try progress(run)["lossScale"] as? Double == 32_768)
            let (before, after) = (
                try weights(folder.appending("stretched")), try weights(run.appending("last"))
            )
            for name in ["vision_proj.weight", "visual_encoder.norm.weight", "itm_head.weight"] {
                #expect(before[name] == after[name], "\(name)")
            }
            #expect(try await tiny.train("run", nil) == .finished)
            #expect(try progress(run)["lossScale"] as? Double ?? 0 < 32_768)
            let end = try weights(run.appending("last"))
            #expect(end["itm_head.weight"] != before["itm_head.weight"])
            #expect(end.values.allSatisfy { $0.allSatisfy(\.isFinite) })
        }
    }

    @Test(
        "A gradient that is not finite stops the run before the weights move, and names its parameters",
        arguments: ["float32", "bfloat16"], [0.0, 1.0])
    func notFinite(precision: String, clipNorm: Double) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings([
                "model.start='\(model(stretchedBy: 0x1p100, in: folder))'",
                "training.precision=\(precision)", "optimizer.clip_norm=\(clipNorm)",
                "training.checkpoint_steps=1",
            ])
            let error = await #expect(throws: TrainingError.self) {
                try await tiny.train("run", settings)
            }
            let path = folder.appending("run/non-finite-step-1.json")
            #expect(
                error?.description
                    == "step 1: the gradients of 'visual_encoder.norm.bias',"
                    + " 'visual_encoder.norm.weight' overflow or are not numbers, so the step was not"
                    + " taken; the images and captions of its batch are listed in \(path)")
            let report = try #require(
                JSONSerialization.jsonObject(
                    with: Data(contentsOf: URL(filePath: path.string))) as? [String: Any])
            #expect(
                report["gradients"] as? [String]
                    == ["visual_encoder.norm.bias", "visual_encoder.norm.weight"])
            #expect((report["pairs"] as? [Any])?.count == 4)
            #expect(!FileManager.default.fileExists(atPath: folder.appending("run/last").string))
        }
    }

    @Test("What a run saved before a gradient was not finite stays as it was")
    func survivors() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder, validation: 6)
            let run = folder.appending("run")
            let settings = try tiny.settings([tiny.validation, "training.checkpoint_steps=1"])
            try await tiny.train("run", settings, until: 4)
            try scale(stretched(by: 0x1p100), in: run.appending("last"))
            let names = ["last", "best"].flatMap { link in
                ["model.safetensors", "training.safetensors", "progress.json"].map {
                    "\(link)/\($0)"
                }
            }
            func saved() throws -> [Data] {
                try names.map { try Data(contentsOf: URL(filePath: "\(run)/\($0)")) }
            }
            let before = try saved()
            let error = await #expect(throws: TrainingError.self) {
                try await tiny.train("run", nil)
            }
            #expect(error?.description.hasPrefix("step 5: the gradients of ") == true)
            #expect(try saved() == before)
            let kept = try FileManager.default.contentsOfDirectory(
                atPath: run.appending("checkpoints").string)
            #expect(kept.sorted() == ["step-00000003", "step-00000004"])
            let status = try String(
                contentsOfFile: run.appending("status.json").string, encoding: .utf8)
            #expect(status.contains("\"failed\""))
        }
    }
}
