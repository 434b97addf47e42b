import ALBEF
import OrderedCollections
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("Models that start from pretraining")
struct TaskStartTests {
    /// Calls a closure with the directory of LAVIS's small pretrained model.
    private func withPretrained(_ body: (ModelDirectory, FilePath) throws -> Void) throws {
        let model = try GoldenSet("lavis-pretraining").model(.lavis, .pretraining)
        try withScratch { folder in
            let path = folder.appending("model")
            try model.write(to: path, vocabulary: Fixtures.tinyVocabulary)
            try body(try ModelDirectory.open(path), folder)
        }
    }

    @Test("Retrieval at another image size, as LAVIS transfers it")
    func retrieval() throws {
        let golden = try GoldenSet("lavis-transfer")
        try withPretrained { directory, _ in
            let start = try TaskStart(
                .retrieval, from: directory, imageSize: 80, generator: Generator(seed: 1))
            #expect(start.newParts.isEmpty)
            let model = start.model
            #expect(model.configuration.task == .retrieval && model.maskedLanguage == nil)
            try golden.expect(
                try #require(model.parameters["visual_encoder.pos_embed"]).value,
                equals: "pos_embed")
            let mask = try golden.input("attention_mask")
            let images = try model.encodeImages(try golden.input("image"))
            let texts = try model.encodeTexts(try golden.input("input_ids"), mask: mask)
            try golden.expect(images.tokens, equals: "image_embeds")
            try golden.expect(images.features, equals: "image_feat")
            try golden.expect(texts.states, equals: "text_embeds")
            try golden.expect(texts.features, equals: "text_feat")
            try golden.expect(
                model.textEncoder.fuse(texts.states, mask: mask, image: images.tokens),
                equals: "fusion")
            try golden.expect(
                try model.matchLogits(texts, tokens: images.tokens), equals: "itm_logits")
            golden.expect(
                try #require(model.temperature).value.scalar(), equalsScalar: "temp")
        }
    }

    @Test("The teacher starts from the twins of pretraining, and is a copy without them")
    func teacher() throws {
        try withPretrained { directory, folder in
            let trained = try ALBEFModel(directory, trainableOn: .cpu)
            let twins = try MomentumTeacher(
                untrainedFor: trained, generator: Generator(seed: 5))
            let path = folder.appending("with-twins")
            let files = try ModelDirectory.write(
                trained.entries + twins.entries, configuration: trained.configuration,
                vocabulary: Fixtures.tinyVocabulary, to: path)
            let fusionLayer = trained.configuration.text.fusionLayer
            let decoder = "text_decoder.bert.encoder.layer.0.output.dense.weight"
            let fusion = "text_encoder.bert.encoder.layer.\(fusionLayer).output.dense.weight"
            func difference(_ start: TaskStart, from model: ALBEFModel) throws -> Double {
                let own = try #require(try start.teacher().model.parameters[decoder]).value
                let expected = try #require(model.parameters[fusion]).value
                return (own - expected).detached().abs().max().scalar()
            }
            let start = try TaskStart(.vqa, from: files, generator: Generator(seed: 1))
            #expect(try difference(start, from: twins.model) == 0)
            #expect(try difference(start, from: trained) > 0)
            let plain = try TaskStart(.vqa, from: directory, generator: Generator(seed: 1))
            #expect(try difference(plain, from: trained) == 0)
            // Heads that pretraining lacks are copies, with twins or without.
            let sentences = try TaskStart(.entailment, from: files, generator: Generator(seed: 1))
            let head = "cls_head.0.weight"
            let copy = try #require(try sentences.teacher().model.parameters[head]).value
            let own = try #require(sentences.model.parameters[head]).value
            #expect((copy - own).detached().abs().max().scalar() == 0)
        }
    }

    @Test("Every tensor of VQA starts from the one that LAVIS takes")
    func answerSources() throws {
        let sources: [String: [String]] = try GoldenSet("lavis-transfer").fact("vqa_source_of")
        let pretraining = ALBEFConfiguration(dialect: .lavis)
        var compared = 0
        for (name, expected) in sources where !expected.isEmpty {
            if name.contains("_m.") || name.contains("predictions.decoder") { continue }
            let own = name.replacing(/^text_encoder\.(embeddings|encoder)/) {
                "text_encoder.bert.\($0.output.1)"
            }
            #expect(expected.contains(TaskStart.source(of: own, .vqa, from: pretraining)), "\(own)")
            compared += 1
        }
        let layout = ParameterLayout(ALBEFConfiguration(dialect: .lavis, task: .vqa))
        #expect(compared > 300 && compared <= layout.parameters.count)
    }

    @Test("The answer decoder is the fusion encoder and the MLM head")
    func answers() throws {
        try withPretrained { directory, folder in
            let start = try TaskStart(.vqa, from: directory, generator: Generator(seed: 1))
            // The decoder reads texts, which are wider than images here.
            #expect(
                Set(start.newParts)
                    == Set(
                        [0, 1].flatMap { layer in
                            ["key", "value"].map {
                                "text_decoder.bert.encoder.layer.\(layer).crossattention.self.\($0)"
                                    + ".weight"
                            }
                        }))
            try start.model.write(
                to: folder.appending("vqa"), vocabulary: Fixtures.tinyVocabulary)
            let again = try ALBEFModel(ModelDirectory.open(folder.appending("vqa")))
            for (name, source) in [
                (
                    "text_decoder.bert.encoder.layer.1.attention.self.query.weight",
                    "text_encoder.bert.encoder.layer.3.attention.self.query.weight"
                ),
                ("text_decoder.cls.predictions.bias", "text_encoder.cls.predictions.bias"),
            ] {
                let expected = try Tensor(try directory.weights.tensor(source))
                #expect(
                    try #require(again.parameters[name]).value.values(as: Float.self)
                        == expected.values())
            }
        }
    }

    @Test("Each fusion layer becomes two, which share what they read images with")
    func pairs() throws {
        try withPretrained { directory, folder in
            let assigning = try TaskStart(
                .textAssignment, from: directory, generator: Generator(seed: 1))
            #expect(assigning.newParts == ["ta_head.weight", "ta_head.bias"])
            let text = assigning.model.configuration.text
            #expect(text.fusionLayer == 2 && text.depth == 6)
            for (layer, source) in [1, 2, 2, 3, 3].enumerated() {
                for part in ["attention.self.query.weight", "output.dense.bias"] {
                    func name(_ layer: Int) -> String {
                        "text_encoder.bert.encoder.layer.\(layer).\(part)"
                    }
                    let expected = try Tensor(try directory.weights.tensor(name(source)))
                    #expect(
                        try #require(assigning.model.parameters[name(layer + 1)]).value
                            .values(as: Float.self) == expected.values())
                }
            }
            let path = folder.appending("assigning")
            try assigning.model.write(to: path, vocabulary: Fixtures.tinyVocabulary)
            let stored = try ModelDirectory.open(path)
            let prefix = "text_encoder.bert.encoder.layer."
            #expect(
                try stored.weights.tensor("\(prefix)3.crossattention.self.key.weight").isIdentical(
                    to: stored.weights.tensor("\(prefix)2.crossattention.self.key.weight")))
            #expect(
                assigning.model.parameters["\(prefix)3.crossattention.self.key.weight"] == nil)

            let start = try TaskStart(.nlvr, from: stored, generator: Generator(seed: 2))
            #expect(start.newParts.allSatisfy { $0.hasPrefix("cls_head.") })
            #expect(start.newParts.count == 4 && start.model.configuration.text == text)
            for (name, parameter) in start.model.parameters where !name.hasPrefix("cls_head.") {
                #expect(
                    parameter.value.values(as: Float.self)
                        == assigning.model.parameters[name]?.value.values(), "\(name)")
            }
        }
    }

    @Test("A model of another task is no start")
    func refused() throws {
        try withPretrained { directory, folder in
            let start = try TaskStart(.entailment, from: directory, generator: Generator(seed: 1))
            #expect(start.newParts.count == 4)
            let path = folder.appending("entailment")
            try start.model.write(to: path, vocabulary: Fixtures.tinyVocabulary)
            let text = failure {
                _ = try TaskStart(
                    .retrieval, from: ModelDirectory.open(path), generator: Generator(seed: 1))
            }
            #expect(text.contains("retrieval cannot start from one for entailment"))
        }
    }

    @Test("The models of both tasks with classes, and of answers, load from files as published")
    func files() throws {
        for (name, task) in [
            ("entailment", ALBEFConfiguration.Task.entailment), ("nlvr", .nlvr), ("vqa", .vqa),
        ] {
            let golden = try GoldenSet("lavis-\(name)")
            try withScratch { folder in
                let prefix = "state/"
                let entries = golden.file.tensors.filter { $0.name.hasPrefix(prefix) }.map {
                    SafetensorsWriter.Entry(
                        name: String($0.name.dropFirst(prefix.count)), tensor: $0.tensor)
                }
                let file = folder.appending("checkpoint.safetensors")
                try SafetensorsWriter.write(entries, to: file)
                var options = CheckpointImporter.Options()
                (options.visionHeads, options.textHeads) = (4, 4)
                options.keepsTrainingState = true
                let path = folder.appending("model")
                let directory = try CheckpointImporter(options).load(file).writeModel(
                    to: path, vocabulary: Fixtures.tinyVocabulary)
                let model = try ALBEFModel(directory)
                #expect(model.configuration.task == task)
                switch task {
                case .entailment:
                    let tokens = try model.encodeTokens(try golden.input("image"))
                    try golden.expect(
                        try model.classLogits(
                            golden.input("input_ids"), mask: golden.input("attention_mask"),
                            images: [tokens]), equals: "logits")
                case .nlvr:
                    let images = try ["image0", "image1"].map {
                        try model.encodeTokens(golden.input($0))
                    }
                    try golden.expect(
                        try model.classLogits(
                            golden.input("input_ids"), mask: golden.input("attention_mask"),
                            images: images), equals: "predictions")
                default:
                    let questions = try model.encodeQuestions(
                        golden.input("question_ids"), mask: golden.input("question_mask"),
                        tokens: model.encodeTokens(golden.input("image")))
                    try golden.expect(questions.states, equals: "train/question_states")
                }
                // The twins of the file become a teacher, and are stored again with the model.
                let teacher = try MomentumTeacher(of: model, storedIn: directory)
                let second = folder.appending("again")
                try ModelDirectory.write(
                    model.entries + teacher.entries, configuration: model.configuration,
                    vocabulary: Fixtures.tinyVocabulary, to: second)
                let again = try ModelDirectory.open(second)
                #expect(
                    again.weights.tensors.names.sorted() == directory.weights.tensors.names.sorted()
                )
                for (name, tensor) in directory.weights.tensors {
                    #expect(try again.weights.tensor(name).isIdentical(to: tensor), "\(name)")
                }
            }
        }
    }
}
