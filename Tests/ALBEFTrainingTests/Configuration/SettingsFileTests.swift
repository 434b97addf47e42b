import ALBEF
import ALBEFTraining
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Settings")
struct SettingsFileTests {
    private func applied(_ text: String) async throws -> SettingsFile {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("settings.yaml")
            try text.write(toFile: path.string, atomically: true, encoding: .utf8)
            var file = try SettingsFile(preset: "albef")
            try file.apply(file: path)
            return file
        }
    }

    @Test("A file changes what it names and nothing else")
    func changes() async throws {
        let file = try await applied(
            """
            # ours
            data: {train: [/a.json, b/c.json], images: /pictures}
            model:
              vocabulary: vocab.txt
            objectives:
              teacher:
                momentum: 0.9

            """)
        let found = try file.configuration()
        #expect(found.objectives.teacher.momentum == 0.9 && found.objectives.teacher.alpha == 0.4)
        #expect(found.training.batchSize == 64)
        #expect(found.data.images == "/pictures" && found.model.start == nil)
        // Relative paths start from the file's own folder.
        #expect(found.data.train[0] == "/a.json")
        let folder = try #require(found.model.vocabulary).dropLast("/vocab.txt".count)
        #expect(folder.hasPrefix("/") && found.data.train[1] == "\(folder)/b/c.json")
    }

    @Test(
        "A key that is none is refused by file, line and full name",
        arguments: [
            ("optimizer:\n  clip_norm: 1\n  learning_rat: 1\n", 3, "optimizer.learning_rat"),
            ("\n\noptimiser: {}\n", 3, "optimiser"),
            ("objectives:\n  teacher: {momentun: 1}\n", 2, "objectives.teacher.momentun"),
        ])
    func unknownKeys(text: String, line: Int, key: String) async throws {
        let error = await #expect(throws: TrainingError.self) { try await applied(text) }
        let description = try #require(error?.description)
        #expect(description.contains("/settings.yaml:\(line): unknown key '\(key)'; there are "))
    }

    @Test(
        "What has the wrong form is refused by its place",
        arguments: [
            ("optimizer: 3\n", "/settings.yaml:1: 'optimizer' takes keys of its own"),
            ("optimizer:\n", "'optimizer' takes keys of its own"),
            ("- optimizer\n", "/settings.yaml:1: is no list of settings"),
            ("optimizer: [\n", "/settings.yaml: is not YAML"),
        ])
    func wrongForm(text: String, message: String) async throws {
        let error = await #expect(throws: TrainingError.self) { try await applied(text) }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }

    @Test("A file that is not there is named")
    func missing() throws {
        var file = try SettingsFile(preset: "albef")
        let error = #expect(throws: TrainingError.self) {
            try file.apply(file: "/nowhere/settings.yaml")
        }
        #expect(error?.description.hasPrefix("/nowhere/settings.yaml: cannot be read") == true)
    }

    @Test(
        "A value of the wrong type is refused by its key",
        arguments: [
            ("training.epochs", "many"), ("training.epochs", "1.5"), ("training.seed", "-1"),
            ("training.precision", "float8"), ("objectives.teacher.enabled", "2"),
            ("data.train", "a.json"), ("optimizer.learning_rate", "[1]"),
            ("optimizer.schedule", "linear"), ("model.image_size", ""),
        ])
    func wrongTypes(key: String, value: String) throws {
        var file = try SettingsFile(preset: "albef")
        try file.apply(assignment: "\(key)=\(value)")
        let error = #expect(throws: TrainingError.self) { try file.configuration() }
        #expect(
            error?.description.hasPrefix("configuration: the value of '\(key)' is wrong: ") == true,
            "\(String(describing: error))")
    }

    @Test("--set changes a key at any depth, the last one wins, and values are YAML")
    func assignments() throws {
        var file = try SettingsFile(preset: "albef")
        for assignment in [
            "model.vocabulary=v.txt", "data.train=[a.json, 'b c.json']", "training.epochs=3",
            "objectives.contrastive.positives=image", "objectives.teacher.alpha=1e-1",
            "objectives.faithful=true", "training.epochs=4", "model.start=x", "model.start=",
        ] { try file.apply(assignment: assignment) }
        let found = try file.configuration()
        #expect(found.data.train == ["a.json", "b c.json"] && found.training.epochs == 4)
        #expect(found.objectives.contrastive.positives == .image)
        #expect(found.objectives.teacher.alpha == 0.1 && found.objectives.isFaithful)
        #expect(found.model.start == nil && found.model.vocabulary == "v.txt")
    }

    @Test(
        "--set names itself where it is wrong",
        arguments: [
            ("training.epoch=3", "unknown key 'training.epoch'; there are epochs, "),
            ("training.epochs", "is not of the form key=value"),
            ("=3", "is not of the form key=value"),
            ("training=3", "'training' takes keys of its own"),
            ("training.epochs.x=3", "'training.epochs' is a value and has no keys"),
            ("training..epochs=3", "unknown key 'training.'"),
        ])
    func wrongAssignments(assignment: String, message: String) throws {
        var file = try SettingsFile(preset: "albef")
        let error = #expect(throws: TrainingError.self) {
            try file.apply(assignment: assignment)
            _ = try file.configuration()
        }
        let description = try #require(error?.description)
        #expect(description.hasPrefix("--set \(assignment): "), "\(description)")
        #expect(description.contains(message), "\(description)")
    }
}
