import ALBEF
import ALBEFTraining
import Foundation
import OrderedCollections
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch
import TrainingReport
import WeightFiles

@Suite("Runs that start from another model: frozen parts and rates of their own")
struct FrozenPartsTests {
    /// Writes a model to start from, and gives the setting that names it.
    private func start(_ folder: FilePath) throws -> String {
        let path = folder.appending("towers")
        try TinyModel().write(to: path)
        return "model.start='\(path)'"
    }

    /// What such a model has at random: cross-attention and heads.
    private func newParts(_ folder: FilePath) throws -> Set<String> {
        let names = try ModelDirectory.open(folder.appending("towers")).weights.tensors.names
        return Set(
            names.filter {
                $0.contains("crossattention") || $0.contains("_proj.") || $0.hasPrefix("itm_head")
            })
    }

    private func bytes(_ file: FilePath) throws -> [String: [UInt8]] {
        let file = try SafetensorsFile(file)
        return try Dictionary(
            uniqueKeysWithValues: file.tensors.map { name, tensor in
                (name, try Tensor(tensor).withUnsafeBytes { Array($0) })
            })
    }

    /// Puts negative zeros in a model's weights, which sums with 0 would not keep.
    private func addNegativeZeros(_ path: FilePath, _ name: String) throws {
        let model = try ALBEFModel(ModelDirectory.open(path), trainableOn: .cpu)
        let parameter = try #require(model.parameters[name])
        parameter.value = .full(parameter.value.shape, -0.0)
        try model.write(to: path, vocabulary: Fixtures.tinyVocabulary)
    }

    @Test(
        "A frozen part does not move by a bit, has no state, and its twin equals it",
        arguments: [
            (["image", "text.0", "embeddings"], ["optimizer.weight_decay=0.5"]),
            (["fusion", "heads.temperature"], ["optimizer.clip_norm=0.1"]),
            (["image.embeddings", "image.0"], ["training.gradient_checkpointing=true"]),
            (["heads", "text"], ["objectives.faithful=true", "optimizer.layer_decay=0.75"]),
        ])
    func still(patterns: [String], changes: [String]) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let start = try start(folder)
            let towers = folder.appending("towers")
            try addNegativeZeros(towers, "visual_encoder.blocks.0.mlp.fc1.bias")
            let run = try TrainingRun(
                folder.appending("run"),
                settings: try tiny.settings(
                    [start, "optimizer.frozen=[\(patterns.joined(separator: ", "))]"] + changes))
            #expect(try await run.run() == .finished)

            let text = run.model.configuration.text
            let names = patterns.map { PartPattern($0) }
            let frozen = Set(
                run.model.parameters.keys.filter { name in
                    let subject = PartPattern.Subject(
                        name: name, place: ParameterPlace(name, text), isNew: false)
                    return names.contains { $0.matches(subject) }
                })
            let before = try bytes(towers.appending("model.safetensors"))
            let after = try bytes(folder.pushing("run/last/model.safetensors"))
            let state = try bytes(folder.pushing("run/last/training.safetensors"))
            for (name, parameter) in run.model.parameters {
                let isFrozen = frozen.contains(name)
                #expect(parameter.value.requiresGrad == !isFrozen, "\(name)")
                #expect((parameter.value.grad == nil) == isFrozen, "\(name)")
                #expect((state["\(name)/exp_avg"] == nil) == isFrozen, "\(name)")
                if isFrozen { #expect(after[name] == before[name], "\(name)") }
            }
            #expect(before.keys.count { before[$0] != after[$0] } > 10)
            for name in frozen {
                guard let twin = ParameterLayout.twin(of: name), after[twin] != nil else {
                    continue
                }
                #expect(after[twin] == before[name], "\(twin)")
            }
            #expect(run.parts.count(.frozen) > 0 && run.parts.count(.trained) > 0)
            #expect(
                run.parts.count(.frozen) + run.parts.count(.trained)
                    == run.model.parameters.values.reduce(0) { $0 + $1.value.count })
        }
    }

    @Test("The twin of a frozen part equals it even where the starting model has another")
    func twins() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            try await tiny.train("first", try tiny.settings(), until: 3)
            let name = "visual_encoder.blocks.0.attn.qkv.weight"
            let twin = try #require(ParameterLayout.twin(of: name))
            let first = try bytes(folder.pushing("first/last/model.safetensors"))
            #expect(first[name] != first[twin])
            try await tiny.train(
                "second",
                try tiny.settings([
                    "model.start='\(folder.pushing("first/last"))'", "optimizer.frozen=[image]",
                ]), until: 2)
            let second = try bytes(folder.pushing("second/last/model.safetensors"))
            #expect(second[name] == first[name] && second[twin] == first[name])
        }
    }

    @Test("A run with parts and rates that was stopped ends as one that was not, bit for bit")
    func resumed() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings([
                start(folder), "optimizer.frozen=[embeddings, image.0]",
                "optimizer.rates={image: 0.1, heads: 3}", "optimizer.new_parts_rate=10",
                "optimizer.layer_decay=0.7", "optimizer.clip_norm=1",
            ])
            let new = try newParts(folder)
            try await tiny.train("whole", settings, newParts: new)
            for stop in [1, 7] {
                let name = "stopped-\(stop)"
                try await tiny.train(name, settings, newParts: new, until: stop)
                // The checkpoint knows what was new, even where the first model is not there.
                let towers = folder.appending("towers").string
                try FileManager.default.moveItem(atPath: towers, toPath: towers + "-away")
                #expect(try await tiny.train(name, nil) == .finished)
                try FileManager.default.moveItem(atPath: towers + "-away", toPath: towers)
                #expect(try tiny.differences("whole", name) == [])
            }
            let parts = try ["whole", "stopped-1"].map {
                try Data(contentsOf: URL(filePath: "\(folder)/\($0)/parts.json"))
            }
            #expect(parts[0] == parts[1])
            // Other parts, and the same with other rates, are another run's settings.
            for (change, key) in [
                ("optimizer.frozen=[image.0, embeddings]", "optimizer.frozen"),
                ("optimizer.rates.text=2", "optimizer.rates.text"),
                ("optimizer.layer_decay=0.8", "optimizer.layer_decay"),
            ] {
                var file = try SettingsFile(preset: "albef")
                try file.apply(file: folder.pushing("whole/configuration.yaml"))
                try file.apply(assignment: change)
                let error = #expect(throws: TrainingError.self) {
                    try RunDirectory(folder.appending("whole")).checkSettings(file.configuration())
                }
                #expect(error?.description.contains("with other settings (\(key));") == true)
            }
        }
    }

    @Test("Equal factors are one factor: a run at half the rates is the run at half the rate")
    func scaled() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let common = ["optimizer.weight_decay=0.1", "optimizer.clip_norm=0.5"]
            try await tiny.train(
                "factors",
                try tiny.settings(
                    common + [
                        "optimizer.learning_rate=2e-3", "optimizer.minimum_learning_rate=2e-5",
                        "optimizer.warmup_learning_rate=2e-5",
                        "optimizer.rates={image: 0.5, text: 0.5, fusion: 0.5, heads: 0.5}",
                    ]))
            try await tiny.train("plain", try tiny.settings(common))
            #expect(try tiny.differences("factors", "plain") == [])
        }
    }

    @Test("A part with a rate of its own moves in that proportion at the first step")
    func proportions() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let start = try start(folder)
            let before = try SafetensorsFile(folder.pushing("towers/model.safetensors"))
            let common = [
                start, "optimizer.weight_decay=0", "objectives.dropout=0",
                "optimizer.warmup_steps=0",
            ]
            for (name, changes) in [
                ("plain", []), ("slow", ["optimizer.rates.image=0.25"]),
            ] {
                try await tiny.train(name, try tiny.settings(common + changes), until: 1)
            }
            let after = try ["plain", "slow"].map {
                try SafetensorsFile(folder.pushing(FilePath("\($0)/last/model.safetensors")))
            }
            for (name, ratio) in [
                ("visual_encoder.blocks.1.mlp.fc1.weight", 0.25), ("itm_head.weight", 1),
                ("text_encoder.bert.encoder.layer.3.output.dense.weight", 1),
            ] {
                let moves = try after.map {
                    try (Tensor($0.tensor(name)) - Tensor(before.tensor(name))).abs().sum().scalar()
                }
                #expect(moves[0] > 0 && abs(moves[1] / moves[0] - ratio) < 1e-3, "\(name)")
            }
        }
    }

    @Test("A run says which parts are new, which are frozen, and the rates of the others")
    func told() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings([
                start(folder), "optimizer.frozen=[text.embeddings, image.0]",
                "optimizer.rates.image=0.1", "optimizer.new_parts_rate=10",
                "optimizer.layer_decay=0.5",
            ])
            let run = try TrainingRun(
                folder.appending("run"), settings: settings, newParts: newParts(folder))
            #expect(
                run.parts.text
                    == """
                    part            parameters  weights  learning rate
                    image encoder       23,640  taken    1.25e-05 to 0.0001
                    image encoder        4,872  taken    frozen
                    text encoder        17,088  taken    6.25e-05 to 0.000125
                    text encoder         7,808  taken    frozen
                    fusion encoder      17,088  taken    0.00025 to 0.0005
                    fusion encoder       7,552  new      0.01
                    heads                1,321  taken    0.001
                    heads                  994  new      0.01
                    67,683 parameters train, 12,680 are frozen
                    """)
            #expect(try await run.run() == .finished)
            let stored = try JSONDecoder().decode(
                TrainedParts.self, from: Data(contentsOf: URL(filePath: "\(folder)/run/parts.json"))
            )
            #expect(stored == run.parts && stored.count(.frozen) == 12_680)
            #expect(stored.rows.filter(\.isNew).map(\.part) == [.fusion, .heads])
            // The report is made of other files, and does not mind.
            let page = try RunReport(RecordedRun(folder.appending("run"))).html()
            #expect(page.contains("frozen:"))
        }
    }

    @Test("A run from random weights says so, and what its objectives leave out")
    func random() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let run = try TrainingRun(
                folder.appending("run"), settings: try tiny.settings(preset: "clip"))
            let rows = run.parts.rows
            #expect(rows.allSatisfy { $0.isNew })
            #expect(rows.map(\.state) == [.trained, .trained, .unused, .trained, .unused])
            #expect(rows.map(\.part) == [.image, .text, .fusion, .heads, .heads])
            #expect(rows.map(\.highestRate) == [1e-3, 1e-3, nil, 1e-3, nil])
            #expect(run.parts.text.hasSuffix(" are not used by these objectives"))
        }
    }

    @Test(
        "What would train nothing, or means nothing, is refused before the directory is made",
        arguments: [
            "optimizer.frozen=[image, text, fusion, heads]", "optimizer.frozen=[taken]",
            "optimizer.frozen=[image.7]", "optimizer.frozen=[tower]", "optimizer.new_parts_rate=10",
        ])
    func refused(change: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings([try start(folder), change])
            let error = #expect(throws: TrainingError.self) {
                try TrainingRun(folder.appending("run"), settings: settings)
            }
            let key = try #require(change.split(separator: "=").first)
            #expect(error?.description.hasPrefix("configuration: \(key) ") == true)
            #expect(!FileManager.default.fileExists(atPath: folder.appending("run").string))
        }
    }
}
