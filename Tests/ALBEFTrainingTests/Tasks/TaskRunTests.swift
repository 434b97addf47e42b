import ALBEF
import ALBEFTraining
import Foundation
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("Runs of the downstream tasks")
struct TaskRunTests {
    @Test(
        "Every preset trains a model of its task, whose checkpoint opens as such",
        arguments: [
            ("retrieval-flickr", ALBEFConfiguration.Task.retrieval),
            ("retrieval-coco", .retrieval), ("grounding", .grounding), ("vqa", .vqa),
            ("nlvr", .nlvr), ("entailment", .entailment), ("text-assignment", .textAssignment),
        ])
    func trains(preset: String, task: ALBEFConfiguration.Task) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tasks = try await TinyTasks(folder)
            let log = EventLog()
            let settings = try tasks.settings(preset)
            #expect(try await tasks.tiny.train("run", settings, log: log) == .finished)
            let steps = settings.data.rows == .captions ? 12 : 6
            #expect(log.steps.count == steps && log.steps.allSatisfy { $0.loss.isFinite })
            let model = try ALBEFModel(ModelDirectory.open(folder.appending("run/last")))
            #expect(model.configuration.task == task && model.configuration.isTrained)
            let records = try MetricsLog.records(of: folder.appending("run/metrics.jsonl"))
            let evaluations = records.compactMap { record -> Int? in
                switch record {
                case .evaluation(let metrics): metrics.step
                case .task(let metrics): metrics.step
                case .step: nil
                }
            }
            #expect(evaluations == (task == .textAssignment ? [] : [steps / 2, steps]))
            let hasBest = FileManager.default.fileExists(atPath: "\(folder)/run/best/config.json")
            #expect(hasBest == !evaluations.isEmpty)
        }
    }

    @Test(
        "A run that was stopped ends with the same weights, bit by bit",
        arguments: ["vqa", "nlvr", "entailment", "text-assignment"])
    func resumes(preset: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tasks = try await TinyTasks(folder)
            let settings = try tasks.settings(preset)
            try await tasks.tiny.train("whole", settings)
            #expect(try await tasks.tiny.train("parts", settings, until: 2) == .interrupted)
            #expect(try await tasks.tiny.train("parts", nil) == .finished)
            #expect(try tasks.tiny.differences("whole", "parts") == [])
        }
    }

    @Test("Learns small data by heart, and the evaluation counts it")
    func learns() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tasks = try await TinyTasks(folder)
            let log = EventLog()
            try await tasks.tiny.train(
                "run",
                tasks.settings(
                    "entailment",
                    [
                        "data.validation=['\(folder.appending("entailment-train.json"))']",
                        "training.epochs=60", "evaluation.steps=180", "objectives.dropout=0",
                        "augmentation.minimum_scale=1", "augmentation.flips=false",
                        "augmentation.operations=0", "optimizer.learning_rate=3e-3",
                        "optimizer.schedule=constant", "objectives.teacher.enabled=false",
                    ]), log: log)
            let last = try #require(log.tasks.last)
            #expect(last.metric == "accuracy" && last.items == 12 && last.step == 180)
            #expect(last.value > 90, "\(last.value) %")
            #expect(log.steps.last?.accuracy == 1)
        }
    }

    @Test("Only a faithful run of NLVR2 has a teacher that starts untrained")
    func faithfulTeacher() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tasks = try await TinyTasks(folder)
            func distance(_ name: String, _ change: String) async throws -> Double {
                // At a momentum of 1 the teacher keeps the weights of its start.
                try await tasks.tiny.train(
                    name,
                    tasks.settings(
                        "nlvr",
                        [change, "objectives.teacher.momentum=1", "optimizer.learning_rate=1e-9"]),
                    until: 1)
                let files = try ModelDirectory.open(folder.appending(name).appending("last"))
                let weight = "blocks.0.attn.qkv.weight"
                let own = try Tensor(files.weights.tensor("visual_encoder.\(weight)"))
                let twin = try Tensor(files.weights.tensor("visual_encoder_m.\(weight)"))
                return (own - twin).abs().max().scalar()
            }
            #expect(try await distance("kept", "objectives.faithful=false") < 0.01)
            #expect(try await distance("faithful", "objectives.faithful=true") > 0.01)
        }
    }

    @Test(
        "Settings that do not fit the task are refused by their key",
        arguments: [
            ("vqa", "model.start=null", "model.start is missing: vqa fine-tunes"),
            ("vqa", "model.vocabulary=words.txt", "model.vocabulary must be null"),
            (
                "retrieval-flickr", "objectives.masked_language.weight=1",
                "objectives.masked_language.weight must be 0"
            ),
            ("entailment", "data.train=['train-{0..3}.tar']", "data.train names shards"),
            ("nlvr", "model.task=alignment", "model.task is alignment"),
            ("vqa", "objectives.answers.label_smoothing=2", "answers.label_smoothing"),
        ])
    func refused(preset: String, change: String, message: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tasks = try await TinyTasks(folder)
            #expect {
                _ = try tasks.settings(preset, [change])
            } throws: {
                "\($0)".contains(message)
            }
        }
    }

    @Test("Bad data is refused by file, record and field before the run begins")
    func badData() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tasks = try await TinyTasks(folder)
            let file = folder.appending("bad.json")
            let row = #"[{"image": "images/000.bmp", "question": "what?", "answer": []}]"#
            try Data(row.utf8).write(to: URL(filePath: file.string))
            let settings = try tasks.settings("vqa", ["data.train=['\(file)']"])
            await #expect {
                try await tasks.tiny.train("run", settings)
            } throws: {
                "\($0)".hasSuffix("bad.json: [0].answer: has no answer")
            }
            #expect(!FileManager.default.fileExists(atPath: folder.appending("run").string))
        }
    }
}
