import ALBEF
import ALBEFTraining
import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("The plan of a run")
struct TrainingPlanTests {
    private var options: TrainingPlan.Options {
        var options = TrainingPlan.Options()
        options.measures = false
        options.programBytes = 100_000_000
        return options
    }

    @Test(
        "Parameters and checkpoints have the sizes of a real run",
        arguments: [
            [], ["objectives.teacher.enabled=false", "objectives.contrastive.queue=0"],
            ["optimizer.frozen=[image, text.embeddings]"],
            ["objectives.masked_language.weight=0", "objectives.contrastive.positives=image"],
        ])
    func sizes(_ changes: [String]) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings(changes + ["training.epochs=1"])
            let plan = try TrainingPlan(settings, options: options)
            let run = try TrainingRun(folder.appending("run"), settings: settings)
            #expect(plan.parts == run.parts)
            #expect(plan.steps == run.totalSteps)
            #expect(plan.memory.weights == 4 * plan.parts.rows.reduce(0) { $0 + $1.parameters })
            #expect(plan.memory.optimizer == 8 * plan.parts.count(.trained))
            #expect(try await run.run() == .finished)

            let last = folder.pushing("run/last")
            let bytes = try ["model.safetensors", "training.safetensors"].reduce(0) { sum, name in
                let path = last.appending(name).string
                let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
                return sum + (size ?? 0)
            }
            // The names of tensors and the states of generators take the rest.
            #expect(plan.disk.checkpoint < bytes && bytes < plan.disk.checkpoint + 60_000)
        }
    }

    @Test("The model is planned without its memory")
    func large() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings([
                "model.image_width=8192", "model.image_depth=1000", "model.image_heads=8",
            ])
            let plan = try TrainingPlan(settings, options: options)
            // 12 D^2 weights per block.
            #expect(plan.memory.weights > 4 * 1_000 * 12 * 8_192 * 8_192)
            #expect(plan.memory.peak > 4 * plan.memory.weights)
        }
    }

    @Test("Activations grow with the batch, and checkpointing keeps fewer")
    func activations() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            func memory(_ changes: [String]) throws -> MemoryPlan {
                try TrainingPlan(tiny.settings(changes), options: options).memory
            }
            let sizes = ["model.image_depth=4", "model.image_width=64", "model.patch_size=4"]
            let four = try memory(sizes)
            let eight = try memory(sizes + ["training.batch_size=8"])
            #expect(eight.activations > 19 * four.activations / 10)
            #expect(eight.activations < 21 * four.activations / 10)
            let checkpointed = try memory(sizes + ["training.gradient_checkpointing=true"])
            #expect(checkpointed.activations == four.checkpointedActivations)
            #expect(checkpointed.plainActivations == four.activations)
            #expect(checkpointed.peak < four.peak)
            let frozen = try memory(sizes + ["optimizer.frozen=[image]"])
            #expect(frozen.activations < four.checkpointedActivations)
            let accumulated = try memory(sizes + ["training.accumulation=2"])
            #expect(accumulated.step > four.step)
        }
    }

    @Test("A run that does not fit gets settings that do")
    func advice() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder, images: 16)
            let settings = try tiny.settings([
                "model.image_depth=8", "model.image_width=64", "model.patch_size=2",
                "training.batch_size=16",
            ])
            var limited = options
            let peak = try TrainingPlan(settings, options: options).memory.peak
            limited.limit = MemoryLimit(bytes: peak)
            let fitting = try TrainingPlan(settings, options: limited)
            #expect(fitting.fits && fitting.alternatives.isEmpty)

            limited.limit = MemoryLimit(bytes: peak - 20_000_000)
            let plan = try TrainingPlan(settings, options: limited)
            #expect(!plan.fits)
            let best = try #require(plan.alternatives.first { $0.fits })
            #expect(
                plan.alternatives.contains {
                    $0.settings == ["training.gradient_checkpointing=true"]
                })

            // The predicted peak is that of a plan with these settings.
            let changed = try TrainingPlan(
                tiny.settings(
                    [
                        "model.image_depth=8", "model.image_width=64", "model.patch_size=2",
                        "training.batch_size=16",
                    ] + best.settings), options: limited)
            #expect(changed.memory.peak == best.peak && changed.fits)

            limited.limit = MemoryLimit(bytes: 1_000_000)
            let hopeless = try TrainingPlan(settings, options: limited)
            #expect(!hopeless.alternatives.isEmpty)
            #expect(hopeless.alternatives.allSatisfy { !$0.fits })
        }
    }

    @Test("Mistakes are those of a run")
    func mistakes() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            func error(_ changes: [String]) throws -> String {
                let settings = try tiny.settings(changes)
                do {
                    _ = try TrainingPlan(settings, options: options)
                } catch {
                    return "\(error)"
                }
                return ""
            }
            let many = try error(["training.batch_size=13"])
            #expect(many.contains("13"), "\(many)")
            #expect(
                try error(["training.accumulation=4"]).contains(
                    "data.train has 12 rows, too few for one step of 16 pairs"))
            #expect(try error(["training.device=gpu"]).contains("training.device is 'gpu'"))
            #expect(try error(["optimizer.frozen=[x]"]).contains("optimizer.frozen names 'x'"))
            #expect(try error(["data.trunk_views=2"]).contains("data.trunk_views needs a model"))
            #expect(try error(["data.validation=[no.json]"]).contains("no.json"))
        }
    }

    @Test("Cached maps and a given speed")
    func speed() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            var options = options
            options.teraflops = 10
            let slow = try TrainingPlan(
                tiny.settings(["training.device=cuda"]), options: options)
            let time = try #require(slow.time)
            #expect(slow.target == .gpu(0) && time.total >= time.computing)
            #expect(time.processor == nil && time.data == nil)
            options.teraflops = 20
            let fast = try TrainingPlan(
                tiny.settings(["training.device=cuda"]), options: options)
            #expect(try abs(#require(fast.time).computing - time.computing / 2) < 1e-12)
            #expect(slow.runSeconds == time.total * 12)
        }
    }
}
