import ALBEF
import ALBEFTraining
import OrderedCollections
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("Two steps of each preset")
struct PresetStepTests {
    /// The parameters that a preset trains.
    private func isTrained(_ name: String, _ preset: String) -> Bool {
        let towers =
            name.hasPrefix("visual_encoder.")
            || name.hasPrefix("text_encoder.bert.embeddings.")
            || name.hasPrefix("text_encoder.bert.encoder.layer.0.")
        let alignment =
            name == "temp" || name.hasPrefix("vision_proj.") || name.hasPrefix("text_proj.")
        return switch preset {
        case "albef": true
        case "single-tower": !alignment
        default: towers || alignment
        }
    }

    @Test(
        "Have their objectives, and move what those reach",
        arguments: [
            ("albef", true, true, true), ("clip", true, false, false),
            ("wenlan", true, false, false), ("single-tower", false, true, true),
        ])
    func steps(preset: String, itc: Bool, itm: Bool, mlm: Bool) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder, images: 8)
            let settings = try tiny.settings(["training.epochs=1"], preset: preset)
            let log = EventLog()
            let run = try TrainingRun(folder.appending("run"), settings: settings) {
                log.add($0)
            }
            let before = run.model.parameters.mapValues { $0.value.values() as [Float] }
            #expect(run.totalSteps == 2 && run.step == 0)
            #expect(try await run.run() == .finished)
            #expect(run.step == 2)

            #expect(log.steps.map(\.step) == [1, 2])
            for step in log.steps {
                #expect((step.itc != nil) == itc)
                #expect((step.itm != nil && step.itmAccuracy != nil) == itm)
                #expect((step.mlm != nil) == mlm)
                let parts = [step.itc, step.itm, step.mlm].compactMap { $0 }
                #expect(abs(parts.reduce(0, +) - step.loss) < 1e-4)
                #expect(step.loss.isFinite)
            }
            #expect(log.steps.last?.pairsSeen == 8)
            for (name, parameter) in run.model.parameters {
                let isTrained = isTrained(name, preset)
                #expect((parameter.value.grad != nil) == isTrained, "\(name)")
                if !isTrained { #expect(parameter.value.values() == before[name], "\(name)") }
            }
            let moved = run.model.parameters.count { $1.value.values() != before[$0] }
            #expect(moved >= run.model.parameters.keys.count { isTrained($0, preset) } - 2)

            // The checkpoint is a model, with twins and queues where there is a teacher.
            let files = try ModelDirectory.open(folder.appending("run/last"))
            try files.verify()
            let hasTeacher = settings.objectives.teacher.isEnabled
            #expect((files.weights.tensors["vision_proj_m.weight"] != nil) == hasTeacher)
            #expect((files.weights.tensors["image_queue"] != nil) == hasTeacher)
            #expect(files.configuration.isTrained)
        }
    }
}
