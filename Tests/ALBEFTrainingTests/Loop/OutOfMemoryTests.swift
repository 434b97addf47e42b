import ALBEFTraining
import Foundation
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("A step without enough memory, or on a device that fails")
struct OutOfMemoryTests {
    /// Trains until a step that runs out of memory at an operator.
    private func train(
        _ path: FilePath, _ settings: TrainingConfiguration,
        failingAt place: (step: Int, atOperator: Int), by failure: PlannedFailure = .outOfMemory
    ) async throws {
        let run = try TrainingRun(path, settings: settings)
        run.plannedFailure = (place.step, place.atOperator, failure)
        _ = try await run.run()
    }

    private func tensors(_ file: FilePath) throws -> [String: [Float]] {
        let file = try SafetensorsFile(file)
        return try Dictionary(
            uniqueKeysWithValues: file.tensors.map {
                ($0.name, try Tensor($0.tensor).to(.float32).values())
            })
    }

    @Test(
        "It ends the run with a checkpoint of the state before it, and an error that names the batch",
        arguments: [0, 2, 30, 200, 400, 600, 1000])
    func saved(atOperator index: Int) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings([
                "training.accumulation=2", "training.epochs=8", "objectives.dropout=0.1",
            ])
            #expect(try await tiny.train("before", settings, until: 4) == .interrupted)
            let error = await #expect(throws: TrainingError.self) {
                try await train(folder.appending("run"), settings, failingAt: (5, index))
            }
            let found = try #require(error?.description)
            #expect(found.hasPrefix("step 5: there is not enough memory for a batch of 4 pairs"))
            #expect(found.contains("saved up to the previous step"), "\(found)")
            #expect(found.contains("'albef plan'"), "\(found)")

            // The optimizer, the generators and the progress bit by bit.
            let differences = try tiny.differences("before", "run")
            #expect(differences.allSatisfy { $0.contains("_m.") }, "\(differences)")
            // The teacher up to rounding.
            let (before, after) = try (
                tensors(folder.appending("before/last/model.safetensors")),
                tensors(folder.appending("run/last/model.safetensors"))
            )
            for (name, values) in before {
                let other = try #require(after[name])
                let distance = zip(values, other).map { abs($0 - $1) }.max() ?? 0
                #expect(distance <= 1e-6, "\(name): \(distance)")
            }
            #expect(try await tiny.train("run", nil) == .finished)
        }
    }

    @Test("A device that fails ends the run, with an error that says from where to resume it")
    func device() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings(["training.checkpoint_steps=2"], preset: "clip")
            try await tiny.train("whole", settings)
            for (name, step) in [("first", 1), ("later", 3)] {
                let path = folder.appending(name)
                let error = await #expect(throws: TrainingError.self) {
                    try await train(path, settings, failingAt: (step, 10), by: .device)
                }
                let found = try #require(error?.description)
                #expect(
                    found.hasPrefix(
                        "step \(step): the device failed (training.device): CUDA error: "))
                guard step > 2 else {
                    #expect(found.contains("The run has no checkpoint yet"), "\(found)")
                    continue
                }
                #expect(found.contains("\(path)/last, which holds step 2"), "\(found)")
                #expect(try await tiny.train(name, nil) == .finished)
                #expect(try tiny.differences("whole", name) == [])
            }
        }
    }

    @Test("Without a teacher and queues the resumed run ends as one that had enough, bit for bit")
    func resumed() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings(preset: "clip")
            try await tiny.train("whole", settings)
            for (name, place) in [("first", (1, 10)), ("later", (7, 100))] {
                await #expect(throws: TrainingError.self) {
                    try await train(folder.appending(name), settings, failingAt: place)
                }
                #expect(try await tiny.train(name, nil) == .finished)
                #expect(try tiny.differences("whole", name) == [])
            }
        }
    }
}
