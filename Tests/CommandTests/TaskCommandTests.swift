import ALBEFTraining
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("albef finetune, evaluate and predict", .timeLimit(.minutes(30)))
struct TaskCommandTests {
    /// The changes that make a preset of a task fit a tiny model.
    private static let small =
        [
            "model.image_size=32", "training.batch_size=2", "training.accumulation=1",
            "training.epochs=2", "training.device=cpu", "training.log_steps=1",
        ].flatMap { ["--set", $0] }

    /// Pretrains a tiny model, and calls `body` with what runs the program in its folder.
    private func withModel(
        _ body: (FilePath, (_ arguments: [String]) async throws -> Command.Result) async throws
            -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 1)
            func albef(_ arguments: [String]) async throws -> Command.Result {
                try await Command.run(arguments, folder: path)
            }
            let trained = try await albef([
                "pretrain", "--config", "settings.yaml", "--run", "start",
            ])
            #expect(trained.status == 0, "\(trained.errors)")
            _ = folder
            try await body(path, albef)
        }
    }

    private func write(_ rows: [[String: Any]], to path: FilePath) throws {
        try JSONSerialization.data(withJSONObject: rows)
            .write(to: URL(filePath: path.string))
    }

    private func images(_ folder: FilePath) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.appending("images").string)
            .sorted().map { "images/\($0)" }
    }

    @Test("Visual entailment: train, resume, report, evaluate, predict")
    func entailment() async throws {
        try await withModel { path, albef in
            let images = try images(path)
            let labels = ["entailment", "neutral", "contradiction"]
            try write(
                (0..<6).map { (index: Int) -> [String: Any] in
                    ["image": images[index], "sentence": "a red cat", "label": labels[index % 3]]
                }, to: path.appending("ve.json"))
            let trained = try await albef(
                [
                    "finetune", "entailment", "--model", "start/last", "--train", "ve.json",
                    "--validation", "ve.json", "--run", "run",
                ] + Self.small)
            #expect(trained.status == 0, "\(trained.errors)")
            #expect(trained.errors.contains("items of validation"))
            #expect(
                trained.output
                    == """
                    finished after 6 of 6 steps
                    the model of the last step is run/last
                    the model with the best accuracy is run/best

                    """)
            let resumed = try await albef([
                "finetune", "entailment", "--run", "run", "--resume", "--json",
            ])
            #expect(try resumed.json()["finished"] as? Bool == true)
            let other = try await albef(["finetune", "vqa", "--run", "run", "--resume"])
            #expect(other.status == 64)
            #expect(other.errors.contains("is a run of entailment, not of vqa"))
            let report = try await albef(["report", "run", "--json"]).json()
            let best = try #require(report["best_task"] as? [String: Any])
            #expect(best["metric"] as? String == "accuracy" && best["items"] as? Int == 6)

            let evaluated = try await albef([
                "evaluate", "entailment", "ve.json", "--model", "run/best", "--json", "--output",
                "details.jsonl",
            ])
            #expect(evaluated.status == 0, "\(evaluated.errors)")
            let result = try evaluated.json()
            #expect(result["sentences"] as? Int == 6 && result["left_out"] as? Int == 0)
            #expect(result["accuracy"] as? Double == best["value"] as? Double)
            let lines = try String(
                contentsOfFile: path.appending("details.jsonl").string, encoding: .utf8)
            #expect(lines.split(separator: "\n").count == 6)
            let predicted = try await albef([
                "predict", "entailment", images[0], "a red cat", "--model", "run/best", "--json",
            ]).json()
            let probabilities = try #require(predicted["probabilities"] as? [String: Double])
            #expect(Set(probabilities.keys) == Set(labels))
            #expect(abs(probabilities.values.reduce(0, +) - 1) < 1e-4)

            let wrong = try await albef([
                "predict", "vqa", images[0], "what?", "--model", "run/best",
            ])
            #expect(wrong.status == 64)
            #expect(wrong.errors.contains("is a model for entailment, not for"))
        }
    }

    @Test("VQA: train, evaluate with a list and freely, write what the server takes, predict")
    func questions() async throws {
        try await withModel { path, albef in
            let images = try images(path)
            try write(
                (0..<6).map { (index: Int) -> [String: Any] in
                    [
                        "image": images[index], "question": "what is it?", "question_id": index,
                        "answer": ["red", "red", "cat"],
                    ]
                }, to: path.appending("vqa.json"))
            try write(
                (0..<2).map { (index: Int) -> [String: Any] in
                    ["image": images[index], "question": "what is it?", "question_id": index]
                }, to: path.appending("test.json"))
            try #"["red", "cat", "tree"]"#.write(
                toFile: path.appending("answers.json").string, atomically: true, encoding: .utf8)
            let trained = try await albef(
                [
                    "finetune", "vqa", "--model", "start/last", "--train", "vqa.json",
                    "--validation", "vqa.json", "--answers", "answers.json", "--run", "run",
                ] + Self.small)
            #expect(trained.status == 0, "\(trained.errors)")
            for arguments in [["--answers", "answers.json", "--faithful"], []] {
                let evaluated = try await albef(
                    ["evaluate", "vqa", "vqa.json", "--model", "run/best", "--json"] + arguments)
                #expect(evaluated.status == 0, "\(evaluated.errors)")
                let result = try evaluated.json()
                #expect(result["questions"] as? Int == 6 && result["accuracy"] is Double)
            }
            let tested = try await albef([
                "evaluate", "vqa", "test.json", "--test", "--answers", "answers.json", "--model",
                "run/last", "--output", "results.json",
            ])
            #expect(tested.output == "answered 2 questions\n", "\(tested.errors)")
            let results = try #require(
                JSONSerialization.jsonObject(
                    with: Data(contentsOf: URL(filePath: path.appending("results.json").string)))
                    as? [[String: Any]])
            #expect(results.map { $0["question_id"] as? Int } == [0, 1])
            let answers = ["red", "cat", "tree"]
            #expect(results.allSatisfy { answers.contains($0["answer"] as? String ?? "") })
            let predicted = try await albef([
                "predict", "vqa", images[0], "what is it?", "--model", "run/best", "--json",
                "--answers", "answers.json",
            ]).json()
            #expect((predicted["answers"] as? [[String: Any]])?.count == 3)
        }
    }

    @Test("NLVR2 starts from text assignment; each prints its preset")
    func twoImages() async throws {
        try await withModel { path, albef in
            let images = try images(path)
            try write(
                (0..<4).map { (index: Int) -> [String: Any] in
                    let pair = [images[index], images[index + 1]]
                    let label = index % 2 == 0 ? "True" : "False"
                    return ["images": pair, "sentence": "two dogs", "label": label]
                }, to: path.appending("nlvr.json"))
            let prepared = try await albef(
                [
                    "finetune", "text-assignment", "--model", "start/last", "--train",
                    "train.json", "--run", "ta",
                ] + Self.small + ["--set", "training.batch_size=4"])
            #expect(prepared.status == 0, "\(prepared.errors)")
            let trained = try await albef(
                [
                    "finetune", "nlvr", "--model", "ta/last", "--train", "nlvr.json",
                    "--validation", "nlvr.json", "--run", "run",
                ] + Self.small)
            #expect(trained.status == 0, "\(trained.errors)")
            let evaluated = try await albef([
                "evaluate", "nlvr", "nlvr.json", "--model", "run/best",
            ])
            #expect(evaluated.output.contains("the most frequent class is 50.0 %"))
            let predicted = try await albef([
                "predict", "nlvr", images[0], images[1], "two dogs", "--model", "run/best",
            ])
            #expect(predicted.output.contains("true") && predicted.output.contains("false"))
            for (task, preset) in [("nlvr", "nlvr"), ("retrieval", "retrieval-flickr")] {
                let printed = try await albef(["finetune", task, "--print"])
                #expect(try printed.output == Presets.text(preset))
            }
            let refused = try await albef([
                "finetune", "vqa", "--preset", "nlvr", "--run", "x",
            ])
            #expect(refused.status == 64 && refused.errors.contains("--preset nlvr is not for vqa"))
        }
    }
}
