import ALBEF
import ALBEFTraining
import Foundation
import OrderedCollections
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("Training with a convolutional trunk")
struct TrunkTrainingTests {
    private static let prefix = "visual_encoder.trunk."

    private func bytes(_ file: FilePath) throws -> [String: [UInt8]] {
        let file = try SafetensorsFile(file)
        return try Dictionary(
            uniqueKeysWithValues: file.tensors.map { name, tensor in
                (name, try Tensor(tensor).withUnsafeBytes { Array($0) })
            })
    }

    /// Writes a model to start from, and gives the setting that names it.
    private func start(_ folder: FilePath) throws -> String {
        let path = folder.appending("towers")
        try TinyModel(vision: .init(trunk: TinyModel.trunk, imageSize: 32, width: 16, heads: 2))
            .write(to: path)
        return "model.start='\(path)'"
    }

    @Test(
        "A frozen trunk stays bit for bit, its twin too; of a frozen stage the others move",
        arguments: [
            (["image.trunk"], [0, 1, 2, 3], []), (["image.trunk.0-1"], [0, 1], []),
            (
                ["image.trunk.2", "image.trunk.head"], [2, 3],
                ["training.gradient_checkpointing=true"]
            ), ([], [], ["optimizer.weight_decay=0.1"]),
        ] as [([String], Set<Int>, [String])])
    func frozen(_ patterns: [String], _ still: Set<Int>, _ changes: [String]) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let start = try start(folder)
            let run = try TrainingRun(
                folder.appending("run"),
                settings: try tiny.settings(
                    [
                        start, "optimizer.frozen=[\(patterns.joined(separator: ", "))]",
                        "training.epochs=2",
                    ] + changes))
            #expect(try await run.run() == .finished)
            let before = try bytes(folder.pushing("towers/model.safetensors"))
            let after = try bytes(folder.pushing("run/last/model.safetensors"))
            let names = run.model.parameters.keys.filter { $0.hasPrefix(Self.prefix) }
            #expect(names.count > 20)
            for name in names {
                let words = name.dropFirst(Self.prefix.count).split(separator: ".")
                let stage =
                    words[0] == "blocks" ? Int(words[1]) : words[0] == "conv_stem" ? 0 : 3
                let isStill = still.contains(try #require(stage))
                #expect((after[name] == before[name]) == isStill, "\(name)")
                let twin = try #require(ParameterLayout.twin(of: name))
                if isStill { #expect(after[twin] == before[name], "\(twin)") }
            }
            let projection = "visual_encoder.patch_embed.proj.weight"
            #expect(after[projection] != before[projection])
        }
    }

    @Test("Names of stages that are not there are refused with those that are")
    func names() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let start = try start(folder)
            func refusal(_ pattern: String) throws -> String {
                let settings = try tiny.settings([start, "optimizer.frozen=[\(pattern)]"])
                let error = #expect(throws: TrainingError.self) {
                    _ = try TrainingRun(folder.appending("run"), settings: settings)
                }
                return error?.description ?? ""
            }
            #expect(
                try refusal("image.trunk.0-3").contains(
                    "the last stage of this model's trunk is image.trunk.2"))
            #expect(
                try refusal("image.trunks").contains(
                    "image (image.embeddings, image.norm, image.trunk.head, image.0,"
                        + " image.trunk.0 to image.trunk.2)"))
            #expect(try refusal("text.trunk.0").contains("does not have"))
        }
    }

    @Test("The rate of a trunk is that of what lies below the blocks")
    func rates() throws {
        let model = try ALBEFModel(
            ALBEFConfiguration(
                vision: .init(
                    trunk: TinyModel.trunk, imageSize: 32, width: 16, depth: 2, heads: 2),
                text: .init(
                    vocabularySize: 20, width: 16, depth: 2, fusionLayer: 1, heads: 2,
                    mlpWidth: 32, positions: 12, maximumTokens: 10), embeddingWidth: 8),
            parameters: RandomParameters(generator: Generator(seed: 1)))
        let plan = try ParameterPlan(
            model, PlanSettings.configuration(["optimizer.layer_decay=0.5"]), newParts: [])
        for entry in plan.entries where entry.name.hasPrefix("visual_encoder.") {
            let isBelow = ["trunk.", "patch_embed.", "pos_embed"].contains {
                entry.name.hasPrefix("visual_encoder.\($0)")
            }
            #expect(!isBelow || entry.rateFactor == 0.125, "\(entry.name)")
        }
    }
}
