import ALBEF
import SystemPackage
import Testing
import Torch

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite struct ModelDirectoryTests {
    /// Calls a closure with a scratch folder that holds a model directory `model` and `vocab`.
    func withModel(_ body: (_ folder: FilePath, _ model: FilePath) throws -> Void) throws {
        try withScratch { folder in
            try writeVocabulary(20, to: folder.appending("vocab"))
            let model = folder.appending("model")
            try SampleCheckpoint(.retrieval, .albef).load()
                .writeModel(to: model, vocabulary: folder.appending("vocab"))
            try body(folder, model)
        }
    }

    @Test func readsWhatItWrote() throws {
        try withModel { folder, path in
            #expect(names(in: folder) == ["model", "vocab"])
            #expect(names(in: path) == ["config.json", "model.safetensors", "vocab.txt"])
            let model = try ModelDirectory.open(path)
            #expect(model.configuration == SampleCheckpoint.configuration(.retrieval, .albef))
            try model.verify()
            let imported = try SampleCheckpoint(.retrieval, .albef).load()
            for (name, tensor) in imported.tensors {
                #expect(try model.weights.tensor(name).isIdentical(to: tensor))
            }
            #expect(try text(of: model.vocabulary).hasPrefix("word0\n"))
            let again = folder.appending("again")
            let copy = try imported.writeModel(
                to: again, vocabulary: folder.appending("vocab"))
            #expect(copy.fingerprint == model.fingerprint && model.fingerprint.count == 64)
            // What was imported can be imported again.
            var options = CheckpointImporter.Options()
            (options.visionHeads, options.textHeads) = (2, 3)
            let twice = try CheckpointImporter(options).load(model.weights.path)
            #expect(twice.configuration == model.configuration)
        }
    }

    @Test func trainingStateMayBeThere() throws {
        try withScratch { folder in
            try writeVocabulary(20, to: folder.appending("vocab"))
            let model = try SampleCheckpoint(.pretraining, .lavis)
                .load { $0.keepsTrainingState = true }
                .writeModel(
                    to: folder.appending("model"), vocabulary: folder.appending("vocab"))
            #expect(model.weights.tensors["image_queue"] != nil)
            #expect(
                model.weights.tensors["text_encoder_m.bert.embeddings.LayerNorm.bias"] != nil)
        }
    }

    @Test func otherWeightsHaveAnotherFingerprint() throws {
        try withModel { folder, path in
            let model = try ModelDirectory.open(path)
            var sample = SampleCheckpoint(.retrieval, .albef)
            sample["temp"] = SampleCheckpoint.floats([], seed: 1000)
            let other = try sample.load().writeModel(
                to: path, vocabulary: folder.appending("vocab"))
            #expect(other.fingerprint != model.fingerprint)
            #expect(names(in: folder) == ["model", "vocab"])
            // Weights that do not belong to the configuration.
            try SafetensorsWriter.write(
                model.weights.tensors.map { .init(name: $0.name, tensor: $0.tensor) },
                metadata: ["format": "pt"], to: path.appending("model.safetensors"))
            let mixed = try ModelDirectory.open(path)
            #expect(mixed.fingerprint != other.fingerprint)
            #expect(failure { try mixed.verify() }.contains("its SHA-256 is"))
        }
    }

    @Test func vocabulariesMustFit() throws {
        try withModel { folder, path in
            let vocabulary = folder.appending("other")
            try writeVocabulary(19, to: vocabulary)
            let model = try SampleCheckpoint(.retrieval, .albef).load()
            let message = failure { try model.writeModel(to: path, vocabulary: vocabulary) }
            #expect(message.contains("has 19 lines, but the model has 20 word embeddings"))
            // No final newline, and a character that ends lines elsewhere.
            let words = (0..<20).map { "w\u{2028}\($0)" }.joined(separator: "\n")
            try write(words, to: vocabulary)
            try model.writeModel(to: path, vocabulary: vocabulary)
            #expect(try text(of: path.appending("vocab.txt")) == words)
            try write(words + "\n\n", to: path.appending("vocab.txt"))
            #expect(failure { _ = try ModelDirectory.open(path) }.contains("has 21 lines"))
        }
    }

    @Test func nothingElseIsOverwritten() throws {
        try withModel { folder, path in
            let model = try SampleCheckpoint(.retrieval, .albef).load()
            let vocabulary = folder.appending("vocab")
            try write("", to: path.appending("notes.txt"))
            #expect(
                failure { try model.writeModel(to: path, vocabulary: vocabulary) }
                    .contains("is not overwritten: it holds \"notes.txt\""))
            #expect(
                failure { try model.writeModel(to: vocabulary, vocabulary: vocabulary) }
                    .contains("it holds a file"))
            #expect(names(in: folder) == ["model", "vocab"])
            let nowhere = folder.appending("a/b")
            #expect(
                failure { try model.writeModel(to: nowhere, vocabulary: vocabulary) }
                    .contains("cannot create it"))
        }
    }

    @Test func damagedDirectoriesAreNamed() throws {
        try withModel { folder, path in
            let configuration = path.appending("config.json")
            let good = try text(of: configuration)
            func opened(_ old: String, _ new: String) throws -> String {
                #expect(good.contains(old))
                try write(good.replacing(old, with: new), to: configuration)
                return failure { _ = try ModelDirectory.open(path) }
            }
            #expect(try opened("\"format\" : 1", "\"format\" : 2").contains("has format 2"))
            #expect(
                try opened("\"dialect\"", "\"dialekt\"").contains("the unknown key \"dialekt\""))
            #expect(
                try opened("\"depth\" : 4,", "").contains("lacks the key \"text.depth\""))
            #expect(
                try opened("\"depth\" : 4", "\"depth\" : \"x\"")
                    .contains("the value of \"text.depth\""))
            #expect(
                try opened("\"depth\" : 4", "\"depth\" : 1000000000").contains("over the limit"))
            #expect(try opened("\"depth\" : 4", "\"depth\" : 5").contains("lacks 26 tensors"))
            #expect(
                try opened("\"depth\" : 4", "\"depth\" : 3").contains("no part of the model"))
            #expect(try opened("\"heads\" : 3", "\"heads\" : 5").contains("text.heads"))
            #expect(
                try opened("\"mlp_width\" : 24", "\"mlp_width\" : 23")
                    .contains("should have the shape [23, 12], but has [24, 12]"))
            #expect(try opened("\"albef\"", "\"blip\"").contains("\"dialect\""))
            #expect(try opened(good, "{").contains("config.json: is damaged"))
            try write("", to: path.appending("model.safetensors"))
            try write(good, to: configuration)
            #expect(
                failure { _ = try ModelDirectory.open(path) }
                    .contains("model.safetensors: is empty"))
            let missing = folder.appending("none")
            #expect(
                failure { _ = try ModelDirectory.open(missing) }.contains("no such directory"))
            #expect(
                failure { _ = try ModelDirectory.open(folder) }
                    .contains("is not a model directory: it has no config.json"))
        }
    }

    @Test func theReportIsJSON() throws {
        let report = try SampleCheckpoint(.retrieval, .albef).load().report
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(ImportReport.self, from: data) == report)
    }
}
