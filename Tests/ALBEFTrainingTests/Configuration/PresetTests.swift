import ALBEF
import ALBEFTraining
import Foundation
import Testing

@Suite("Presets")
struct PresetTests {
    private func configuration(_ preset: String) throws -> TrainingConfiguration {
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
        configuration.data.genomeImages = "genome"
        configuration.data.answers = "answers.json"
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
                == "preset 'blip': is unknown; choose one of albef, clip, wenlan, single-tower, wardrobe,"
                + " retrieval-flickr, retrieval-coco, grounding, vqa, nlvr, entailment,"
                + " text-assignment")
    }

    /// The numbers of the original's settings for a task.
    struct Numbers: Sendable, CustomTestStringConvertible {
        let preset: String
        let task: ALBEFConfiguration.Task
        let side, epochs, rowsPerStep, warmupSteps: Int
        let peak, minimum, warmupStart, rampEpochs: Double

        var testDescription: String { preset }
    }

    @Test(
        "Presets of tasks have the paper's numbers",
        arguments: [
            Numbers(
                preset: "retrieval-flickr", task: .retrieval, side: 384, epochs: 10,
                rowsPerStep: 256, warmupSteps: 100, peak: 1e-5, minimum: 1e-6, warmupStart: 1e-5,
                rampEpochs: 1),
            Numbers(
                preset: "retrieval-coco", task: .retrieval, side: 384, epochs: 5, rowsPerStep: 256,
                warmupSteps: 100, peak: 1e-5, minimum: 1e-6, warmupStart: 1e-5, rampEpochs: 1),
            Numbers(
                preset: "grounding", task: .grounding, side: 384, epochs: 5, rowsPerStep: 256,
                warmupSteps: 100, peak: 1e-5, minimum: 1e-6, warmupStart: 1e-5, rampEpochs: 1),
            Numbers(
                preset: "vqa", task: .vqa, side: 384, epochs: 8, rowsPerStep: 256, warmupSteps: 400,
                peak: 2e-5, minimum: 1e-6, warmupStart: 1e-5, rampEpochs: 1),
            Numbers(
                preset: "nlvr", task: .nlvr, side: 384, epochs: 10, rowsPerStep: 128,
                warmupSteps: 100, peak: 2e-5, minimum: 1e-6, warmupStart: 1e-5, rampEpochs: 1),
            Numbers(
                preset: "entailment", task: .entailment, side: 384, epochs: 5, rowsPerStep: 256,
                warmupSteps: 100, peak: 2e-5, minimum: 1e-6, warmupStart: 1e-5, rampEpochs: 0),
            Numbers(
                preset: "text-assignment", task: .textAssignment, side: 256, epochs: 1,
                rowsPerStep: 512, warmupSteps: 100, peak: 2e-5, minimum: 1e-5, warmupStart: 1e-5,
                rampEpochs: 1),
        ])
    func tasks(_ numbers: Numbers) throws {
        var file = try SettingsFile(preset: numbers.preset)
        try file.apply(assignment: "model.start=model")
        try file.apply(assignment: "data.train=[train.json]")
        let found = try file.configuration()
        #expect(found.model.task == numbers.task && found.model.imageSize == numbers.side)
        #expect(found.training.epochs == numbers.epochs)
        #expect(found.training.batchSize * found.training.accumulation == numbers.rowsPerStep)
        #expect(found.optimizer.warmupSteps == numbers.warmupSteps)
        #expect(found.optimizer.learningRate == numbers.peak)
        #expect(found.optimizer.minimumLearningRate == numbers.minimum)
        #expect(found.optimizer.warmupLearningRate == numbers.warmupStart)
        #expect(found.optimizer.weightDecay == 0.02 && found.objectives.teacher.momentum == 0.995)
        #expect(found.objectives.teacher.rampEpochs == numbers.rampEpochs)
    }
}
