import ALBEF
import SystemPackage
import Testing
import Torch
import WeightFiles

@Suite struct CheckpointImporterTests {
    static let kinds: [(ALBEFConfiguration.Task, Dialect)] = [
        (.pretraining, .albef), (.pretraining, .lavis), (.retrieval, .albef),
        (.retrieval, .lavis), (.vqa, .albef), (.vqa, .lavis), (.nlvr, .albef), (.nlvr, .lavis),
        (.entailment, .albef), (.entailment, .lavis),
    ]

    @Test(arguments: kinds)
    func readsEverythingOffTheTensors(task: ALBEFConfiguration.Task, dialect: Dialect) throws {
        let sample = SampleCheckpoint(task, dialect)
        let model = try sample.load()
        let expected = SampleCheckpoint.configuration(task, dialect)
        #expect(model.configuration == expected)
        #expect(model.tensors.names == ParameterLayout(expected).parameters.map(\.name))
        let report = model.report
        #expect(
            report.entries(.mapped).count + report.entries(.renamed).count == model.tensors.count)
        #expect(
            report.entries.compactMap(\.source).sorted() == sample.tensors.map(\.name).sorted())
        #expect(report.entries(.renamed).isEmpty == (task == .pretraining))
        for entry in report.entries where entry.action != .ignored {
            guard let source = entry.source else { continue }
            #expect(
                try #require(model.tensors[entry.name])
                    .isIdentical(to: #require(sample[source])))
        }
        #expect(report.entries(.ignored).allSatisfy { $0.reason != nil })
    }

    @Test func trainingStateIsKeptOnRequest() throws {
        for (task, dialect) in Self.kinds {
            let sample = SampleCheckpoint(task, dialect)
            let model = try sample.load { $0.keepsTrainingState = true }
            let twins = model.tensors.names.filter { $0.contains("_m.") }
            let online = model.tensors.names.filter {
                $0.contains(".") && !$0.contains("_m.") && !$0.hasPrefix("itm_head")
            }
            #expect(twins.count == online.count)
            #expect((model.tensors["queue_ptr"] != nil) == (sample["queue_ptr"] != nil))
            #expect(model.tensors.names.allSatisfy { !$0.contains("position_ids") })
        }
        var sample = SampleCheckpoint(.pretraining, .albef)
        sample["text_queue"] = SampleCheckpoint.floats([5, 4], seed: 0)
        let text = failure { _ = try sample.load { $0.keepsTrainingState = true } }
        #expect(text.contains("\"text_queue\" should have the shape [6, 4], but has [5, 4]"))
    }

    @Test func newTensorsAreReported() throws {
        let report = try SampleCheckpoint(.retrieval, .albef).load().report
        #expect(report.entries(.new).map(\.name) == ["idx_queue"])
        #expect("\(report)".contains("filled with -100"))
        #expect("\(report)".contains("text_encoder.bert.encoder.layer.{0-3}"))
    }

    @Test func textAssignmentLeavesTheHeadToFineTuning() throws {
        var sample = SampleCheckpoint(.nlvr, .albef)
        for part in ["0.weight", "0.bias", "2.weight", "2.bias"] {
            sample["cls_head.\(part)"] = nil
            sample["cls_head_m.\(part)"] = nil
        }
        sample["ta_head.weight"] = SampleCheckpoint.floats([3, 12], seed: 0)
        sample["ta_head.bias"] = SampleCheckpoint.floats([3], seed: 0)
        sample["vision_proj.weight"] = SampleCheckpoint.floats([6, 8], seed: 0)
        sample["temp"] = SampleCheckpoint.floats([], seed: 0)
        let model = try sample.load()
        #expect(model.configuration.task == .nlvr && !model.configuration.isTrained)
        #expect(model.report.entries(.new).count == 4)
        #expect(model.tensors["cls_head.2.weight"]?.shape == [2, 12])
    }

    @Test(
        "Wrappers are removed in any order and number",
        arguments: [
            "module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.",
            "model._orig_mod.module.model.", "_fsdp_wrapped_module.module.",
        ])
    func wrappedNamesAreUnwrapped(_ prefix: String) throws {
        for task in [ALBEFConfiguration.Task.retrieval, .pretraining] {
            var sample = SampleCheckpoint(task, .lavis)
            sample.tensors = sample.tensors.map { ("\(prefix)\($0.name)", $0.tensor) }
            #expect(try sample.load().configuration.task == task)
        }
    }

    @Test func modulesInsideMayBeWrappedAlone() throws {
        var sample = SampleCheckpoint(.pretraining, .albef)
        sample.tensors = sample.tensors.map { name, tensor in
            let parts = name.split(separator: ".", maxSplits: 1)
            return (parts.joined(separator: "._orig_mod."), tensor)
        }
        #expect(try sample.load().configuration.task == .pretraining)
    }

    @Test func aFileWithoutAModelTellsWhatIsInside() throws {
        try withScratch { folder in
            let path = folder.appending("other.safetensors")
            try SafetensorsWriter.write(
                [.init(name: "encoder.weight", tensor: SampleCheckpoint.floats([1], seed: 0))],
                to: path)
            let text = failure { _ = try CheckpointImporter().load(path) }
            #expect(text.contains("its keys are encoder.weight"))
        }
        let nested = CheckpointFiles.fixtures.appending("small.pth")
        let text = failure { _ = try CheckpointImporter().load(nested) }
        #expect(text.contains("its keys are model (with plain, "), "\(text)")
    }

    @Test func severalFilesAreOneCheckpoint() throws {
        try withScratch { folder in
            let sample = SampleCheckpoint(.retrieval, .albef)
            var map: [String] = []
            for part in 0..<2 {
                let name = "model-0000\(part + 1)-of-00002.safetensors"
                let entries = sample.tensors.enumerated().filter { $0.offset % 2 == part }
                    .map { SafetensorsWriter.Entry(name: $1.name, tensor: $1.tensor) }
                try SafetensorsWriter.write(entries, to: folder.appending(name))
                map += entries.map { "\"\($0.name)\": \"\(name)\"" }
            }
            let index = folder.appending("model.safetensors.index.json")
            try write("{\"weight_map\": {\(map.joined(separator: ", "))}}", to: index)
            var options = CheckpointImporter.Options()
            (options.visionHeads, options.textHeads) = (2, 3)
            let importer = CheckpointImporter(options)
            for path in [folder, index] {
                let model = try importer.load(path)
                #expect(model.configuration.task == .retrieval)
                #expect(
                    model.tensors["temp"]?.isIdentical(to: try #require(sample["temp"])) == true)
            }

            try write(
                "{\"weight_map\": {\(map.dropLast().joined(separator: ", "))}}", to: index)
            #expect(failure { _ = try importer.load(index) }.contains("it does not name"))
            try write("{\"weight_map\": {\"a\": \"../a.safetensors\"}}", to: index)
            #expect(failure { _ = try importer.load(index) }.contains("not a file beside it"))
            try write("{\"weight_map\": {\"a\": \"b.safetensors\"}}", to: index)
            #expect(failure { _ = try importer.load(folder) }.contains("b.safetensors"))
            #expect(
                failure { _ = try importer.load(folder.removingLastComponent()) }
                    .contains("is a folder without model.safetensors.index.json"))
        }
    }

    @Test func optionsDecideWhatTensorsCannot() throws {
        let sample = SampleCheckpoint(.retrieval, .albef)
        #expect(try sample.load { $0.task = .grounding }.configuration.task == .grounding)
        #expect(
            failure { _ = try sample.load { $0.task = .vqa } }
                .contains("holds a model for retrieval, not for vqa"))
        #expect(
            failure { _ = try sample.load { $0.visionHeads = 3 } }
                .contains("the vision width 8 is not divisible by 3 heads"))
        #expect(
            failure { _ = try sample.load { $0.textHeads = nil } }
                .contains("the text width 12 is not divisible by 64; give the number of heads"))
        #expect(failure { _ = try sample.load { $0.visionHeads = 0 } }.contains("0 heads"))
        let lavis = try sample.load { $0.dialect = .lavis }
        #expect(lavis.configuration.dialect == .lavis)
        #expect("\(lavis.report)".contains("token types"))
        let forced = failure {
            _ = try SampleCheckpoint(.retrieval, .lavis).load { $0.dialect = .albef }
        }
        #expect(forced.contains("lacks 1 tensors") && forced.contains("token_type_embeddings"))
    }

    @Test func whatIsWrongIsNamed() throws {
        func text(
            _ task: ALBEFConfiguration.Task, _ change: (inout SampleCheckpoint) -> Void
        ) -> String {
            var sample = SampleCheckpoint(task, .albef)
            change(&sample)
            return failure { _ = try sample.load() }
        }
        let float = SampleCheckpoint.floats
        #expect(
            text(.pretraining) { $0["itm_head.weight"] = float([2, 11], 0) }.contains(
                "tensor \"itm_head.weight\" should have the shape [2, 12], but has [2, 11]"))
        #expect(
            text(.pretraining) { $0["itm_head.bias"] = SampleCheckpoint.integers([1, 2]) }
                .contains("\"itm_head.bias\" should be floating point, but is int64"))
        #expect(
            text(.pretraining) { $0["visual_encoder.norm.bias"] = nil }
                .contains("lacks 1 tensors of the model: visual_encoder.norm.bias"))
        #expect(
            text(.pretraining) { $0["visual_encoder.blocks.1.attn.scale"] = float([1], 0) }
                .contains("not part of the model: visual_encoder.blocks.1.attn.scale"))
        #expect(
            text(.pretraining) { $0["other_m.weight"] = float([1], 0) }
                .contains("not part of the model: other_m.weight"))
        #expect(
            text(.pretraining) {
                $0["text_encoder.cls.predictions.decoder.weight"] = float([20, 12], 99)
            }.contains("should equal \"text_encoder.bert.embeddings.word_embeddings.weight\""))
        #expect(
            text(.nlvr) {
                $0["text_encoder.encoder.layer.3.crossattention.self.key.bias"] = float([12], 99)
            }.contains("should equal"))
        #expect(
            text(.retrieval) {
                $0["text_encoder.embeddings.position_ids"] =
                    SampleCheckpoint.integers(Array(1...10), shape: [1, 10])
            }.contains("should hold the numbers 0 to 9"))
        #expect(
            text(.retrieval) { $0["visual_encoder.cls_token"] = nil }
                .contains("holds no ALBEF model"))
        #expect(
            text(.retrieval) {
                $0["itm_head.weight"] = nil
                $0["itm_head.bias"] = nil
            }.contains("belongs to no known task"))
        #expect(
            text(.entailment) { $0["cls_head.2.weight"] = float([4, 12], 0) }
                .contains("should have 2 (NLVR2) or 3 (entailment) rows"))
        #expect(
            text(.retrieval) { $0["visual_encoder.pos_embed"] = float([1, 4, 8], 0) }
                .contains("square number of rows"))
        #expect(
            text(.retrieval) {
                $0["text_encoder.bert.embeddings.LayerNorm.bias"] = float([12], 0)
            }.contains("is the same parameter as \"text_encoder.bert.embeddings.LayerNorm.bias\""))
    }

    @Test func aPartOfAModelIsRefused() {
        let path = CheckpointFiles.fixtures.appending("lavis-part-legacy.pth")
        let text = failure { _ = try CheckpointImporter().load(path) }
        #expect(text.contains("lavis-part-legacy.pth"))
    }

    @Test func importsAnOfficialLayout() throws {
        var options = CheckpointImporter.Options()
        (options.visionHeads, options.textHeads) = (4, 4)
        let model = try CheckpointImporter(options).load(
            CheckpointFiles.fixtures.appending("lavis-pretraining-cuda.pth"))
        #expect(model.configuration.dialect == .lavis)
        #expect(model.configuration.task == .pretraining)
        #expect(model.configuration.vision.imageSize == 48)
        #expect(model.configuration.text.fusionLayer == 2)
        #expect(model.configuration.embeddingWidth == 16)
        #expect(model.report.location == "model")
    }

    @Test(
        .enabled(if: CheckpointFiles.hasGolden),
        arguments: [
            (
                "albef/pretrain/state.safetensors", ALBEFConfiguration.Task.pretraining,
                Dialect.albef
            ),
            ("albef/pretrain/checkpoint_after3.pth", .pretraining, .albef),
            ("albef/retrieval/state.safetensors", .retrieval, .albef),
            ("lavis/pretrain/state.safetensors", .pretraining, .lavis),
            ("lavis/pretrain/checkpoint_after3.pth", .pretraining, .lavis),
            ("lavis/retrieval/state.safetensors", .retrieval, .lavis),
            ("lavis/vqa/state.safetensors", .vqa, .lavis),
            ("lavis/nlvr/state.safetensors", .nlvr, .lavis),
            ("lavis/ve/state.safetensors", .entailment, .lavis),
        ])
    func importsTheReference(
        name: String, task: ALBEFConfiguration.Task, dialect: Dialect
    ) throws {
        for keeps in [false, true] {
            var options = CheckpointImporter.Options()
            (options.visionHeads, options.textHeads) = (4, 4)
            options.keepsTrainingState = keeps
            let model = try CheckpointImporter(options).load(
                CheckpointFiles.golden.appending(name))
            #expect(model.configuration.task == task && model.configuration.dialect == dialect)
            #expect(model.configuration.vision.imageSize == 48)
            #expect(model.configuration.text.positions == 40)
            #expect(model.configuration.text.fusionLayer == (task == .nlvr ? 6 : 2))
        }
    }
}
