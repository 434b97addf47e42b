import ALBEFTraining
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("The settings of a run, as its directory holds them")
struct StoredSettingsTests {
    /// A run of 12 steps that stopped after 4, written before settings had a version.
    private func oldRun(
        in folder: FilePath, _ change: (String) -> String = { $0 }
    ) throws -> TinyRun {
        let tiny = try TinyRun(folder, validation: 6)
        let run = folder.appending("run")
        try FileManager.default.copyItem(
            atPath: Fixtures.path("runs/unversioned").string, toPath: run.string)
        try edit(run) { change($0.replacing("FOLDER", with: folder.string)) }
        return tiny
    }

    private func edit(_ run: FilePath, _ change: (String) -> String) throws {
        let path = run.appending("configuration.yaml").string
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try change(text).write(toFile: path, atomically: true, encoding: .utf8)
    }

    private func lines(_ text: String, without keys: [String]) -> String {
        text.split(separator: "\n").filter { line in
            !keys.contains { line.drop { $0 == " " }.hasPrefix("\($0):") }
        }.joined(separator: "\n")
    }

    @Test(
        "A run from before settings had versions is resumed; what it lacks is as it was then",
        arguments: [[], ["shift", "easy_epochs", "group"]])
    func unversioned(missing: [String]) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try oldRun(in: folder) { lines($0, without: missing) }
            let log = EventLog()
            #expect(try await tiny.train("run", nil, log: log) == .finished)
            #expect(log.steps.map(\.step) == Array(5...12))
            #expect(log.evaluations.map(\.step) == [6, 9, 12])
            let records = try MetricsLog.records(of: folder.appending("run/metrics.jsonl"))
            #expect(records.map(\.step) == [2, 3, 3, 4, 6, 6, 8, 9, 9, 10, 12, 12])
            #expect(
                FileManager.default.fileExists(
                    atPath: folder.appending("run/last/progress.json").string))
        }
    }

    @Test("What only a newer program knows is refused by file, line and version")
    func newer() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try oldRun(in: folder) { "# ours\nversion: 6\n" + $0 }
            let error = await #expect(throws: TrainingError.self) {
                try await tiny.train("run", nil)
            }
            #expect(
                error?.description
                    == "\(folder)/run/configuration.yaml:2: these settings have version 6, but this"
                    + " program supports versions up to 5 only: use the newer program that wrote"
                    + " them")
        }
    }

    @Test(
        "Settings that were damaged are refused by file and key",
        arguments: [
            ("  epochs: 4", "  epochs: 4.5", ":66: 'training.epochs' must be a whole number"),
            ("  epochs: 4", "  epoch: 4", ":66: unknown key 'training.epoch'"),
            ("  epochs: 4", "", ": 'training.epochs' is missing"),
            ("  epochs: 4", "  epochs: 0", "training.epochs must be at least 1, not 0"),
            ("model:", "version: one\nmodel:", ":1: 'version' must be a whole number"),
            ("model:", "version: 1\nmodels:", ":2: unknown key 'models'"),
        ])
    func damaged(old: String, new: String, message: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try oldRun(in: folder) { $0.replacing(old, with: new) }
            let error = await #expect(throws: TrainingError.self) {
                try await tiny.train("run", nil)
            }
            let found = try #require(error?.description)
            #expect(found.contains(message), "\(found)")
        }
    }

    @Test("A run says its version, and its settings can begin another run")
    func version() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings(["training.epochs=1"])
            try await tiny.train("run", settings)
            let path = folder.appending("run/configuration.yaml")
            let text = try String(contentsOfFile: path.string, encoding: .utf8)
            #expect(text.hasPrefix("version: 5\nmodel:\n"))
            var file = try SettingsFile(preset: "clip")
            try file.apply(file: path)
            #expect(try file.configuration() == settings)
        }
    }

    @Test("A checkpoint whose progress is damaged is refused by its file")
    func progress() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            try await tiny.train("run", try tiny.settings(["training.epochs=1"]), until: 1)
            let path = folder.appending("run/last/progress.json")
            let good = try String(contentsOfFile: path.string, encoding: .utf8)
            let steps = ["-1", "9223372036854775807"].map {
                good.replacing("\"step\" : 1", with: "\"step\" : \($0)")
            }
            for text in ["{}", "{"] + steps {
                try text.write(toFile: path.string, atomically: true, encoding: .utf8)
                let error = await #expect(throws: TrainingError.self) {
                    try await tiny.train("run", nil)
                }
                #expect(error?.description.hasPrefix("\(path): is damaged: ") == true)
            }
        }
    }
}
