import ALBEF
import ALBEFTraining
import OrderedCollections
import TestSupport
import Testing
import Torch
import WeightFiles

/// Random choices as the reference made them.
private struct RecordedChoices: RandomChoices {
    let wrongImages: Tensor
    let wrongTexts: Tensor
    var hidden: MaskedTokens?

    init(_ golden: GoldenSet, _ step: String) throws {
        wrongImages = try golden.output("\(step)/neg_image_idx")
        wrongTexts = try golden.output("\(step)/neg_text_idx")
        guard let ids = try? golden.output("\(step)/mlm_input_ids") else { return }
        let labels: [Int] = try golden.output("\(step)/mlm_labels").values()
        let positions = labels.indices.filter { labels[$0] != -100 }
        hidden = MaskedTokens(
            ids: ids, positions: Tensor(positions), labels: Tensor(positions.map { labels[$0] }))
    }

    func images(_ weights: Tensor) -> Tensor { wrongImages }
    func texts(_ weights: Tensor) -> Tensor { wrongTexts }
    func masking(_ batch: PretrainingBatch, by masking: TokenMasking) -> MaskedTokens {
        hidden ?? MaskedTokens(ids: batch.ids, positions: Tensor([Int]()), labels: Tensor([Int]()))
    }
}

/// Hands the objective each step's recorded choices in turn.
private final class ChoiceSequence: RandomChoices {
    var current: RecordedChoices
    init(_ first: RecordedChoices) { current = first }
    func images(_ weights: Tensor) -> Tensor { current.images(weights) }
    func texts(_ weights: Tensor) -> Tensor { current.texts(weights) }
    func masking(_ batch: PretrainingBatch, by masking: TokenMasking) -> MaskedTokens {
        current.masking(batch, by: masking)
    }
}

@Suite("Training, step by step, as the Python implementations train")
struct TrainingParityTests {
    private func objective(
        _ golden: GoldenSet, _ student: ALBEFModel, _ choices: any RandomChoices,
        positives: ObjectiveConfiguration.Contrastive.Positives, isCheckpointed: Bool = false
    ) throws -> PretrainingObjective {
        func stored(_ name: String) throws -> Tensor {
            try Tensor(golden.file.tensor("state/\(name)")).clone()
        }
        let queues = ContrastiveQueues(
            images: try stored("image_queue"), texts: try stored("text_queue"),
            ids: try? stored("idx_queue"), pointer: Int(try stored("queue_ptr").scalar()))
        let isPretraining = student.configuration.task == .pretraining
        return try PretrainingObjective(
            student: student,
            teacher: MomentumTeacher(of: student, from: golden.weights(twins: true)),
            queues: queues,
            configuration: ObjectiveConfiguration(
                contrastive: .init(queue: queues.length, positives: positives),
                maskedLanguage: .init(weight: isPretraining ? 1 : 0), dropout: 0,
                isFaithful: student.configuration.dialect == .albef),
            masking: TokenMasking(vocabularySize: 200, mask: 4, kept: [0, 2]), choices: choices,
            dropout: nil, isCheckpointed: isCheckpointed)
    }

    private func batch(_ golden: GoldenSet, _ prefix: String, ids: Bool) throws -> PretrainingBatch
    {
        PretrainingBatch(
            pixels: try golden.input("\(prefix)image"), ids: try golden.input("\(prefix)input_ids"),
            mask: try golden.input("\(prefix)attention_mask"),
            imageIDs: ids ? try golden.input("image_id") : nil)
    }

    @Test(
        "Three steps of pretraining",
        arguments: [(Dialect.albef, false), (.lavis, false), (.lavis, true)])
    func pretraining(_ dialect: Dialect, isCheckpointed: Bool) throws {
        let golden = try GoldenSet("\(dialect.rawValue)-pretraining")
        let student = try ALBEFModel(
            golden.configuration(dialect, .pretraining), parameters: golden.weights())
        let choices = ChoiceSequence(try RecordedChoices(golden, "step0"))
        let objective = try objective(
            golden, student, choices, positives: .pair, isCheckpointed: isCheckpointed)
        let optimizer = AdamW(
            WeightDecay.lavis.groups(of: student, decay: 0.05), learningRate: 1e-3)
        for index in 0..<3 {
            let step = "step\(index)"
            let alpha = try #require(golden.scalars["\(step)/alpha"])
            choices.current = try RecordedChoices(golden, step)
            optimizer.clearGradients()
            let losses = try objective(
                try batch(golden, "\(step)/", ids: false), alpha: alpha)
            try check(losses, golden, step, dialect)
            try losses.total.backward()
            if index == 0 { try checkGradients(student, golden) }
            try optimizer.step()
            golden.expect(
                try #require(student.temperature).value.scalar(),
                equalsScalar: "\(step)/temp_after")
            #expect(
                objective.queues?.pointer
                    == golden.scalars["\(step)/queue_ptr_after"].map { Int($0) })
        }
        let queues = try #require(objective.queues)
        try golden.expect(queues.images, equals: "after3/image_queue")
        try golden.expect(queues.texts, equals: "after3/text_queue")
        #expect(try checkWeights(student, objective, golden, "after3") == golden.names("after3"))
    }

    @Test("A step of fine-tuning for retrieval", arguments: Dialect.original)
    func retrieval(_ dialect: Dialect) throws {
        let golden = try GoldenSet("\(dialect.rawValue)-retrieval")
        let student = try ALBEFModel(
            golden.configuration(dialect, .retrieval), parameters: golden.weights())
        let objective = try objective(
            golden, student, RecordedChoices(golden, "train"), positives: .image)
        let optimizer = AdamW(
            WeightDecay.lavis.groups(of: student, decay: 0.05), learningRate: 1e-3)
        optimizer.clearGradients()
        let alpha = try #require(golden.scalars["train/alpha"])
        let losses = try objective(try batch(golden, "", ids: true), alpha: alpha)
        try check(losses, golden, "train", dialect)
        try losses.total.backward()
        try checkGradients(student, golden)
        try optimizer.step()
        #expect(try checkWeights(student, objective, golden, "after1") == golden.names("after1"))
        let queues = try #require(objective.queues)
        try golden.expect(queues.images, equals: "after1/image_queue")
        try golden.expect(queues.texts, equals: "after1/text_queue")
        try golden.expect(queues.ids.reshaped(1, -1), equals: "after1/idx_queue")
        #expect(try golden.output("after1/queue_ptr").scalar() == Double(queues.pointer))
    }

    private func check(
        _ losses: PretrainingLosses, _ golden: GoldenSet, _ step: String, _ dialect: Dialect
    ) throws {
        let contrastive = try #require(losses.contrastive)
        let matching = try #require(losses.matching)
        golden.expect(losses.total.scalar(), equalsScalar: "\(step)/loss")
        golden.expect(contrastive.loss.scalar(), equalsScalar: "\(step)/loss_itc")
        golden.expect(matching.loss.scalar(), equalsScalar: "\(step)/loss_itm")
        if step != "train" {
            let features = try #require(losses.features)
            try golden.expect(features.student.images, equals: "\(step)/image_feat")
            try golden.expect(features.student.texts, equals: "\(step)/text_feat")
            try golden.expect(try #require(features.teacher).images, equals: "\(step)/image_feat_m")
            try golden.expect(try #require(features.teacher).texts, equals: "\(step)/text_feat_m")
            try golden.expect(matching.logits, equals: "\(step)/itm_logits")
        }
        if dialect == .lavis {
            try golden.expect(contrastive.imageToText, equals: "\(step)/sim_i2t")
            try golden.expect(contrastive.textToImage, equals: "\(step)/sim_t2i")
            try golden.expect(contrastive.imageToTextTargets, equals: "\(step)/sim_i2t_targets")
            try golden.expect(contrastive.textToImageTargets, equals: "\(step)/sim_t2i_targets")
        }
        let imageWeights = try #require(matching.imageWeights)
        let textWeights = try #require(matching.textWeights)
        if step == "train", dialect == .lavis {
            // LAVIS zeroes after the softmax here, so that its rows do not sum to 1; the
            // proportions are what is drawn by.
            for (found, name) in [
                (imageWeights, "neg_image_weights"), (textWeights, "neg_text_weights"),
            ] {
                let expected = try golden.output("\(step)/\(name)")
                let sum = expected.sum(1, keepingDimensions: true)
                #expect(found.isClose(to: expected / sum, relative: 1e-4, absolute: 1e-5))
            }
        } else {
            try golden.expect(imageWeights, equals: "\(step)/neg_image_weights")
            try golden.expect(textWeights, equals: "\(step)/neg_text_weights")
        }
        guard let words = losses.maskedLanguage else { return }
        golden.expect(words.loss.scalar(), equalsScalar: "\(step)/loss_mlm")
        if step == "step0" {
            let labels: [Int] = try golden.output("step0/mlm_labels").values()
            let positions = Tensor(labels.indices.filter { labels[$0] != -100 })
            func rows(_ name: String) throws -> Tensor {
                try golden.output(name).reshaped(-1, 200)[positions]
            }
            #expect(words.logits.isClose(to: try rows("step0/mlm_logits"), absolute: 3e-4))
            let soft = try #require(words.softLabels)
            #expect(soft.isClose(to: try rows("step0/mlm_soft_labels"), absolute: 2e-5))
        }
    }

    /// Compares every gradient that the reference gives.
    ///
    /// Of pretraining it gives all. Of LAVIS's retrieval it gives those of 46 parameters, spread
    /// over all parts.
    private func checkGradients(_ student: ALBEFModel, _ golden: GoldenSet) throws {
        var compared: Set<String> = []
        for (name, parameter) in student.parameters {
            guard golden.file.tensors["outputs/grad/\(name)"] != nil else { continue }
            try golden.expect(
                try #require(parameter.value.grad, "\(name)"), equals: "grad/\(name)")
            compared.insert(name)
        }
        #expect(compared == golden.names("grad"))
        let isWhole = compared.count == student.parameters.count
        #expect(isWhole || (student.configuration.dialect == .lavis && compared.count == 46))
    }

    /// Compares every weight and every twin that the reference gives after its steps.
    ///
    /// - Returns: the names of what was compared.
    private func checkWeights(
        _ student: ALBEFModel, _ objective: PretrainingObjective, _ golden: GoldenSet,
        _ prefix: String
    ) throws -> Set<String> {
        var compared: Set<String> = []
        func check(_ value: Tensor, _ name: String) throws {
            guard golden.file.tensors["outputs/\(prefix)/\(name)"] != nil else { return }
            try expect(value, golden, "\(prefix)/\(name)")
            compared.insert(name)
        }
        for (name, parameter) in student.parameters {
            try check(parameter.value, name)
            guard MomentumTeacher.hasTwin(name), let twin = ParameterLayout.twin(of: name) else {
                continue
            }
            try check(try #require(objective.teacher?.model.parameters[name]).value, twin)
        }
        return compared
    }

    /// A parameter after some steps.
    ///
    /// Attention is blind to a constant added to all keys, so key biases have no gradient but
    /// rounding; AdamW makes steps of up to the learning rate of it, here as in the reference.
    private func expect(_ value: Tensor, _ golden: GoldenSet, _ name: String) throws {
        if name.hasSuffix("key.bias") {
            #expect((value - (try golden.output(name))).abs().max().scalar() <= 3e-3, "\(name)")
        } else if name.hasSuffix("qkv.bias") {
            let expected = try golden.output(name)
            let width = value.count / 3
            for (part, bound) in [(0, 3e-6), (1, 3e-3), (2, 3e-6)] {
                // The reference's own error in single precision is 7e-8 for queries and values.
                let rows = part * width..<(part + 1) * width
                let difference = (value[rows] - expected[rows]).abs().max().scalar()
                #expect(difference <= bound, "\(name), part \(part): \(difference)")
            }
        } else {
            try golden.expect(value, equals: name)
        }
    }
}

extension GoldenSet {
    /// The names of the parameters and twins that the reference gives under a prefix.
    fileprivate func names(_ prefix: String) -> Set<String> {
        let start = "outputs/\(prefix)/"
        let queues: Set = ["image_queue", "text_queue", "idx_queue", "queue_ptr"]
        return Set(
            file.tensors.names.filter { $0.hasPrefix(start) }.map {
                String($0.dropFirst(start.count))
            }
        ).subtracting(queues)
    }
}
