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
            data: {train: [/a.json, b/c.json], images: /images}
            model:
              vocabulary: vocab.txt
            objectives:
              teacher:
                momentum: 0.9

            """)
        let found = try file.configuration()
        #expect(found.objectives.teacher.momentum == 0.9 && found.objectives.teacher.alpha == 0.4)
        #expect(found.training.batchSize == 64)
        #expect(found.data.images == "/images" && found.model.start == nil)
        // Relative paths start from the file's own folder.
        #expect(found.data.train[0] == "/a.json")
        let folder = try #require(found.model.vocabulary).dropLast("/vocab.txt".count)
        #expect(folder.hasPrefix("/") && found.data.train[1] == "\(folder)/b/c.json")
    }

    @Test(
        "An unknown key is refused by file, line and full name",
        arguments: [
            ("optimizer:\n  clip_norm: 1\n  learning_rat: 1\n", 3, "optimizer.learning_rat"),
            ("\n\noptimiser: {}\n", 3, "optimiser"),
            ("objectives:\n  teacher: {momentun: 1}\n", 2, "objectives.teacher.momentun"),
            ("optimizer:\n  rates: {image: 0.1, head: 2}\n", 2, "optimizer.rates.head"),
        ])
    func unknownKeys(text: String, line: Int, key: String) async throws {
        let error = await #expect(throws: TrainingError.self) { try await applied(text) }
        let description = try #require(error?.description)
        #expect(
            description.contains(
                "/settings.yaml:\(line): unknown key '\(key)'; the keys here are "))
    }

    @Test(
        "What has the wrong form is refused by its place",
        arguments: [
            ("optimizer: 3\n", "/settings.yaml:1: 'optimizer' must be a group of keys"),
            ("optimizer:\n", "'optimizer' must be a group of keys"),
            ("- optimizer\n", "/settings.yaml:1: must be a list of settings"),
            (
                "model: {}\noptimizer: [\n",
                "/settings.yaml:3: is not valid YAML from this line on: "
            ),
            ("data: {}\ndata: {}\n", "/settings.yaml:1: repeats a key; give it once: data"),
            ("version: 99\n", "/settings.yaml:1: these settings have version 99, but this program"),
            ("training:\n  version: 1\n", "/settings.yaml:2: unknown key 'training.version'"),
        ])
    func wrongForm(text: String, message: String) async throws {
        let error = await #expect(throws: TrainingError.self) { try await applied(text) }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }

    @Test("Aliases that multiply, and nesting without end, are refused")
    func bombs() async throws {
        // Nine aliases of nine aliases, and so on: 9^11 values.
        let levels = (1...11).map { level in
            let repeated = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ",")
            return "  z\(level): &a\(level) [\(repeated)]\n"
        }
        let aliases = "data:\n  z0: &a0 [x, x]\n" + levels.joined() + "  train: [*a11]\n"
        let nested = "data: " + String(repeating: "[", count: 100_000)
        for (text, message) in [
            (aliases, "/settings.yaml: has more than 100000 values"), (nested, "nesting level"),
        ] {
            let error = await #expect(throws: TrainingError.self) { try await applied(text) }
            #expect(error?.description.contains(message) == true, "\(String(describing: error))")
        }
        let few = try await applied(
            "model: {vocabulary: v.txt}\ndata: {train: &a [/b.json], validation: *a}\n")
        #expect(try few.configuration().data.validation == ["/b.json"])
    }

    @Test("A part can have a rate of its own, and parts can be frozen")
    func parts() async throws {
        let file = try await applied(
            """
            data: {train: [a.json]}
            model: {start: towers}
            optimizer:
              frozen: [image.0-5, embeddings]
              rates: {image: 0.1}
              new_parts_rate: 10
              layer_decay: 0.8

            """)
        let found = try file.configuration().optimizer
        #expect(found.frozen == ["image.0-5", "embeddings"])
        #expect(found.rates.image == 0.1 && found.rates.text == 1 && found.rates.heads == 1)
        #expect(found.newPartsRate == 10 && found.layerDecay == 0.8)
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
        "A value of the wrong type is refused by its key, with what it must be",
        arguments: [
            ("training.epochs", "many", "a whole number, not 'many'"),
            ("training.epochs", "4.0", "a whole number, not '4.0'"),
            ("training.epochs", "[4]", "a whole number, not a list"),
            ("training.epochs", "1e400", "a whole number, not '1e400'"),
            ("training.seed", "-1", "a whole number of 0 or more, not '-1'"),
            ("training.precision", "float8", "one of float32, bfloat16, float16, not 'float8'"),
            ("objectives.teacher.enabled", "2", "true or false, not '2'"),
            ("data.train", "a.json", "a list, such as [one, two], not 'a.json'"),
            ("data.train", "", "a list, such as [one, two]; it is empty"),
            ("data.train", "[a.json, [b]]", "a list of texts, but one of its items is a list"),
            ("data.train", "[a.json, ~]", "a list of texts, but one of its items is empty"),
            ("data.images", "[a]", "text, not a list"),
            ("optimizer.frozen", "image", "a list, such as [one, two], not 'image'"),
            ("optimizer.rates.image", "slow", "a number, not 'slow'"),
            ("optimizer.learning_rate", "[1]", "a number, not a list"),
            ("optimizer.learning_rate", "fast", "a number, not 'fast'"),
            (
                "optimizer.schedule", "linear",
                "one of cosine_per_epoch, cosine_per_step, constant, not 'linear'"
            ),
            ("model.image_size", "", "a whole number; it is empty"),
            ("model.dialect", "bert", "one of albef, lavis, blip, clip, siglip, not 'bert'"),
        ])
    func wrongTypes(key: String, value: String, message: String) async throws {
        var file = try SettingsFile(preset: "albef")
        let option = #expect(throws: TrainingError.self) {
            try file.apply(assignment: "\(key)=\(value)")
        }
        #expect(option?.description == "--set \(key)=\(value): '\(key)' must be \(message)")
        // The same in a file, two lines below its start.
        let sections = key.split(separator: ".")
        let text = sections.dropLast().enumerated().reduce("# ours\n") { text, section in
            text + String(repeating: "  ", count: section.offset) + "\(section.element):\n"
        }
        let indent = String(repeating: "  ", count: sections.count - 1)
        let line = sections.count + 1
        let error = await #expect(throws: TrainingError.self) {
            try await applied(text + indent + "\(sections.last ?? ""): \(value)\n")
        }
        let found = try #require(error?.description)
        // An empty value has no place of its own.
        let place = value.isEmpty ? "" : ":\(line)"
        #expect(found.contains("/settings.yaml\(place)"), "\(found)")
        #expect(found.hasSuffix(": '\(key)' must be \(message)"), "\(found)")
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
            ("training.epoch=3", "unknown key 'training.epoch'; the keys here are epochs, "),
            ("training.epochs", "must have the form key=value"),
            ("=3", "must have the form key=value"),
            ("training=3", "'training' must be a group of keys"),
            ("training.epochs.x=3", "'training.epochs' has a single value and accepts no keys"),
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
