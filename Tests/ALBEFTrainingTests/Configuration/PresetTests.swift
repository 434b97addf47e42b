import ALBEF
import ALBEFTraining
import Foundation
import Testing

@Suite("Presets")
struct PresetTests {
    private func configuration(_ preset: String) throws -> PretrainingConfiguration {
        var file = try SettingsFile(preset: preset)
        for assignment in ["data.train=[train.json]", "model.vocabulary=vocab.txt"] {
            try file.apply(assignment: assignment)
        }
        return try file.configuration()
    }

    /// The keys of a preset's text by their full names, and the line of each.
    private func keys(_ preset: String) throws -> [(key: String, line: Substring)] {
        var sections: [String] = []
        return try Presets.text(preset).split(separator: "\n").compactMap { line in
            guard !line.hasPrefix("#"), let colon = line.firstIndex(of: ":") else { return nil }
            let depth = line.prefix { $0 == " " }.count / 2
            sections = sections.prefix(depth) + [String(line[..<colon].drop { $0 == " " })]
            return (sections.joined(separator: "."), line)
        }
    }

    /// The keys of what a configuration is encoded as.
    private func encodedKeys(of value: Any, path: String = "") -> Set<String> {
        guard let object = value as? [String: Any] else { return [] }
        return object.reduce(into: []) { keys, entry in
            let full = path.isEmpty ? entry.key : "\(path).\(entry.key)"
            keys.formUnion(encodedKeys(of: entry.value, path: full))
            keys.insert(full)
        }
    }

    @Test("Name every key there is, and no other", arguments: Presets.names)
    func everyKey(preset: String) throws {
        var configuration = try configuration(preset)
        // What is nil is not encoded.
        configuration.model.start = "model"
        configuration.data.images = "images"
        configuration.data.trunkMaps = "maps"
        let object = try JSONSerialization.jsonObject(
            with: JSONEncoder().encode(configuration))
        let named = try keys(preset).map(\.key)
        #expect(Set(named) == encodedKeys(of: object))
        #expect(named.count == Set(named).count)
    }

    @Test("Give a reason for every key", arguments: Presets.names)
    func reasons(preset: String) throws {
        let text = try Presets.text(preset)
        #expect(text.hasPrefix("# "))
        for (key, line) in try keys(preset) where key.contains(".") {
            let comment = try #require(line.firstRange(of: /# ./), "\(preset): \(key)")
            #expect(line[comment.lowerBound...].count > 4, "\(preset): \(key)")
        }
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 140 && !$0.hasSuffix(" ") })
    }

    @Test("The paper's model and objectives are the default")
    func paper() throws {
        let albef = try configuration("albef")
        #expect(albef.objectives == ObjectiveConfiguration())
        let sizes = albef.model.configuration(vocabularySize: 30_522)
        #expect(sizes.vision.width == 768 && sizes.vision.depth == 12)
        #expect(sizes.text.depth == 12 && sizes.text.fusionLayer == 6)
        #expect(sizes.vision.mlpWidth == 3072 && sizes.text.mlpWidth == 3072)
        #expect(sizes.embeddingWidth == 256 && sizes.vision.imageSize == 256)
        #expect(albef.optimizer.learningRate == 1e-4 && albef.optimizer.weightDecay == 0.02)
    }

    @Test("Differ from the paper's in the objectives alone, re-ranking aside")
    func differences() throws {
        let albef = try configuration("albef")
        // 'wardrobe' is another model for other data.
        for name in Presets.names.dropFirst() where name != "wardrobe" {
            var other = try configuration(name)
            #expect(other.objectives != albef.objectives)
            other.objectives = albef.objectives
            other.evaluation.depth = albef.evaluation.depth
            #expect(other == albef, "\(name)")
        }
    }

    @Test("A name that no preset has is refused with those that there are")
    func unknown() {
        let error = #expect(throws: TrainingError.self) { try SettingsFile(preset: "blip") }
        #expect(
            error?.description
                == "preset 'blip': is unknown; choose one of albef, clip, wenlan, single-tower, wardrobe"
        )
    }
}
