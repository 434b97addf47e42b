import ALBEF
import Storage
import SystemPackage
import Testing
import Torch
import WeightFiles

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
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
            // An imported model can be imported again.
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

    @Test func windowsVocabulariesAreStoredPlain() throws {
        try withModel { folder, path in
            let vocabulary = folder.appending("other")
            let model = try SampleCheckpoint(.retrieval, .albef).load()
            let plain = (0..<20).map { "w\($0)\n" }.joined()
            let lines = plain.split(separator: "\n")
            for text in [
                "\u{FEFF}" + plain, lines.joined(separator: "\r\n") + "\r\n",
                "\u{FEFF}" + lines.joined(separator: "\r\n") + "\r\n",
            ] {
                try write(text, to: vocabulary)
                try model.writeModel(to: path, vocabulary: vocabulary)
                #expect(try self.contents(path.appending("vocab.txt")) == Array(plain.utf8))
            }
            // One token that ends with a carriage return is not a line end.
            try write(plain.replacing("w3\n", with: "w3\r\n"), to: vocabulary)
            try model.writeModel(to: path, vocabulary: vocabulary)
            #expect(try self.contents(path.appending("vocab.txt")).contains(0x0D))
        }
    }

    private func contents(_ path: FilePath) throws -> [UInt8] {
        try MappedFile(path).withUnsafeBytes { Array($0) }
    }

    @Test(
        "The path holds a complete model at every moment of a replacement",
        .timeLimit(.minutes(30)))
    func replacement() async throws {
        let number = String(UInt64.random(in: 0 ... .max), radix: 36)
        let folder = FilePath("/tmp/swift-albef-test-\(number)")
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let (vocabulary, path) = (folder.appending("vocab"), folder.appending("model"))
        try writeVocabulary(20, to: vocabulary)
        let model = try SampleCheckpoint(.retrieval, .albef).load()
        try model.writeModel(to: path, vocabulary: vocabulary)
        let writer = Task.detached {
            for _ in 0..<12 { try model.writeModel(to: path, vocabulary: vocabulary) }
        }
        let reader = Task.detached {
            var missing = 0
            while !Task.isCancelled {
                let name = path.appending("config.json").string
                missing += FileManager.default.fileExists(atPath: name) ? 0 : 1
                await Task.yield()
            }
            return missing
        }
        try await writer.value
        reader.cancel()
        #expect(await reader.value == 0)
        #expect(names(in: folder) == ["model", "vocab"])
    }

    @Test func aLinkToAModelIsNotReplaced() throws {
        try withScratch { folder in
            let (vocabulary, path) = (folder.appending("vocab"), folder.appending("v1"))
            try writeVocabulary(20, to: vocabulary)
            let model = try SampleCheckpoint(.retrieval, .albef).load()
            try model.writeModel(to: path, vocabulary: vocabulary)
            let link = folder.appending("current")
            try FileManager.default.createSymbolicLink(
                atPath: link.string, withDestinationPath: path.string)
            #expect(
                failure { try model.writeModel(to: link, vocabulary: vocabulary) }
                    .contains("a link"))
            #expect(throws: Never.self) { try ModelDirectory.open(path).verify() }
            #expect(names(in: folder) == ["current", "v1", "vocab"])
        }
    }

    @Test func pipesAreNotWaitedFor() throws {
        try withScratch { folder in
            let pipe = folder.appending("pipe")
            #expect(mkfifo(pipe.string, 0o600) == 0)
            #expect(
                failure { _ = try CheckpointImporter().load(pipe) }.contains("not a regular file"))
            let model = try SampleCheckpoint(.retrieval, .albef).load()
            let path = folder.appending("model")
            #expect(
                failure { try model.writeModel(to: path, vocabulary: pipe) }
                    .contains("not a regular file"))
        }
    }

    @Test(
        "Invalid numbers of a model are rejected by name",
        arguments: [
            ("\"standard_deviation\" : [", "\"standard_deviation\" : [0,", "three channels"),
            ("0.26862954", "0", "vision.standard_deviation must be from 0.0001 to 100, not 0.0"),
            ("0.26862954", "-1", "vision.standard_deviation"),
            ("0.26862954", "1e-300", "vision.standard_deviation"),
            ("0.48145466", "1e300", "vision.mean must be from -10 to 10"),
            ("\"image_size\" : 32", "\"image_size\" : 16777216", "vision.image_size is 16777216"),
            ("\"patch_size\" : 16", "\"patch_size\" : 5000", "over the limit of 4096"),
            ("\"width\" : 8", "\"width\" : 9000000000000000000", "over the limit of 65536"),
            ("\"embedding_width\" : 6", "\"embedding_width\" : 9223372036854775807", "65536"),
            ("\"embedding_width\" : 6", "\"embedding_width\" : -1", "must be positive"),
            ("\"positions\" : 10", "\"positions\" : 99999999999", "text.positions"),
        ])
    func impossibleNumbers(_ old: String, _ new: String, _ reason: String) throws {
        try withModel { _, path in
            let configuration = path.appending("config.json")
            let good = String(decoding: try self.contents(configuration), as: UTF8.self)
            #expect(good.contains(old), "\(good)")
            try write(good.replacing(old, with: new), to: configuration)
            let message = failure { _ = try ModelDirectory.open(path) }
            #expect(message.contains(reason), "\(message)")
        }
    }

    @Test func nothingElseIsOverwritten() throws {
        try withModel { folder, path in
            let model = try SampleCheckpoint(.retrieval, .albef).load()
            let vocabulary = folder.appending("vocab")
            try write("", to: path.appending("notes.txt"))
            #expect(
                failure { try model.writeModel(to: path, vocabulary: vocabulary) }
                    .contains("was not replaced: found \"notes.txt\""))
            #expect(
                failure { try model.writeModel(to: vocabulary, vocabulary: vocabulary) }
                    .contains("found a file"))
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
            #expect(try opened("\"format\" : 2", "\"format\" : 3").contains("has format 3"))
            #expect(
                try opened("\"dialect\"", "\"dialekt\"").contains("the unknown key \"dialekt\""))
            #expect(
                try opened("\"depth\" : 4,", "").contains("lacks the key \"text.depth\""))
            #expect(
                try opened("\"depth\" : 4", "\"depth\" : \"x\"")
                    .contains("text.depth"))
            #expect(
                try opened("\"depth\" : 4", "\"depth\" : 1000000000").contains("over the limit"))
            #expect(try opened("\"depth\" : 4", "\"depth\" : 5").contains("lacks 26 tensors"))
            #expect(
                try opened("\"depth\" : 4", "\"depth\" : 3").contains("not part of the model"))
            #expect(try opened("\"heads\" : 3", "\"heads\" : 5").contains("text.heads"))
            #expect(
                try opened("\"mlp_width\" : 24", "\"mlp_width\" : 23")
                    .contains("should have the shape [23, 12], but has [24, 12]"))
            #expect(try opened("\"albef\"", "\"bert\"").contains("dialect"))
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
