import ALBEFTraining
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("albef pretrain", .timeLimit(.minutes(30)))
struct PretrainCommandTests {
    @Test("--print prints a preset unchanged")
    func prints() async throws {
        let preset = "single-tower"
        try await Fixtures.withTemporaryFolder { folder in
            let result = try await Command.run(
                ["pretrain", "--preset", preset, "--print"], folder: folder)
            #expect(result.status == 0 && result.errors.isEmpty)
            #expect(try result.output == Presets.text(preset))
            // The output is a file of settings that changes nothing.
            try result.output.write(
                toFile: folder.appending("settings.yaml").string, atomically: true,
                encoding: .utf8)
            var file = try SettingsFile(preset: preset)
            try file.apply(file: folder.appending("settings.yaml"))
        }
    }

    @Test("From captions to search: vocabulary, training, report, index, search")
    func endToEnd() async throws {
        try await Fixtures.withTemporaryFolder { path in
            _ = try TrainingFolder(path, epochs: 1)
            func albef(_ arguments: String...) async throws -> Command.Result {
                let result = try await Command.run(arguments, folder: path)
                #expect(result.status == 0, "\(arguments): \(result.errors)")
                return result
            }
            _ = try await albef(
                "vocabulary", "train", "train.json", "--size", "60", "--output", "words.txt")
            let sizes = [
                "data.train=[train.json]", "data.validation=[validation.json]",
                "model.vocabulary=words.txt", "model.image_size=32", "model.image_width=16",
                "model.image_depth=1", "model.image_heads=2", "model.text_width=16",
                "model.text_depth=1", "model.fusion_depth=1", "model.text_heads=2",
                "model.positions=16", "model.maximum_tokens=12", "model.embedding_width=8",
                "objectives.contrastive.queue=10", "training.batch_size=4", "training.epochs=2",
                "training.device=cpu", "training.log_steps=1", "evaluation.depth=4",
            ].flatMap { ["--set", $0] }
            let trained = try await Command.run(
                ["pretrain", "--run", "run", "--threads", "1"] + sizes, folder: path)
            #expect(trained.status == 0, "\(trained.errors)")
            #expect(
                trained.output.hasPrefix(
                    """
                    finished after 6 of 6 steps
                    the model of the last step is run/last
                    the model with the best recall is run/best

                    """))
            #expect(trained.errors.contains("recall in percent, 6 images and 6 texts"))
            #expect(trained.errors.contains("top 4"))

            let summary = try await albef("report", "run", "--json").json()
            #expect(summary["state"] as? String == "finished")
            #expect(summary["step"] as? Int == 6)
            #expect(try await albef("report", "run").output == "run/report.html\n")
            let page = try String(
                contentsOfFile: path.appending("run/report.html").string, encoding: .utf8)
            #expect(page.contains("<svg") && page.contains("data:image/jpeg;base64,"))

            for model in ["run/last", "run/best"] {
                let index = "index-of-\(model.suffix(4))"
                _ = try await albef("index", "images", "--model", model, "--index", index)
                let found = try await albef(
                    "search", "two dogs near", "--model", model, "--index", index, "--top", "3",
                    "--json")
                let results = try #require(try found.json()["results"] as? [[String: Any]])
                #expect(results.count == 3 && results.allSatisfy { $0["match_logit"] is Double })
                #expect(!found.errors.contains("untrained"))
            }

            let again = try await Command.run(["pretrain", "--run", "run"] + sizes, folder: path)
            #expect(again.status == 1)
            #expect(
                again.errors == "Error: run: contains a run already; resume it with --resume, or"
                    + " choose another directory\n")
        }
    }

    @Test("Resumes a run with its own settings, from any folder, and rejects others")
    func otherSettings() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 1)
            let first = try await Command.run(folder.arguments("run"), folder: path)
            #expect(first.status == 0, "\(first.errors)")
            let other = try await Command.run(
                folder.arguments("run") + [
                    "--set", "training.epochs=9", "--set", "training.seed=1",
                ],
                folder: path)
            #expect(other.status == 1)
            #expect(
                other.errors == "Error: run: this run was begun with other settings"
                    + " (training.epochs, training.seed); a run resumes with its own settings, so"
                    + " give --resume alone\n")
            let elsewhere = try await Command.run(
                ["pretrain", "--run", "../run", "--resume"],
                folder: path.appending("images"))
            #expect(elsewhere.status == 0, "\(elsewhere.errors)")
        }
    }

    @Test(
        "Reports mistakes in one line",
        arguments: [
            (["--threads", "1"], "--run is missing"),
            (["--run", "r"], "configuration: data.train names no annotation file; give"),
            (["--run", "r", "--resume"], "configuration: data.train names no annotation file"),
            (
                ["--run", "r", "--threads", "9223372036854775807"],
                "--threads must be from 1 to 1024"
            ),
            (
                ["--run", "r", "--set", "training.epochs=4.0"],
                "--set training.epochs=4.0: 'training.epochs' must be a whole number, not '4.0'"
            ),
            (
                [
                    "--run", "r", "--config", "settings.yaml", "--set",
                    "training.epochs=9223372036854775807",
                ],
                "configuration: training.epochs must be at most 1000000, not 9223372036854775807"
            ),
            (["--run", "r", "--preset", "blip"], "preset 'blip': is unknown; choose one of albef"),
            (["--run", "r", "--set", "training.epoch=3"], "unknown key 'training.epoch'"),
            (["--run", "r", "--config", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
            (
                ["--run", "r", "--config", "settings.yaml", "--set", "data.train=[x.json]"],
                "x.json"
            ),
        ])
    func mistakes(arguments: [String], named: String) async throws {
        try await Fixtures.withTemporaryFolder { path in
            _ = try TrainingFolder(path, epochs: 1)
            let result = try await Command.run(["pretrain"] + arguments, folder: path)
            #expect(result.status != 0 && result.output.isEmpty)
            #expect(result.errors.contains(named), "\(result.errors)")
            #expect(!result.errors.contains("Fatal error"))
            #expect(!FileManager.default.fileExists(atPath: path.appending("r").string))
        }
    }
}
