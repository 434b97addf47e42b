import ALBEF
import ALBEFTraining
import Foundation
import SystemPackage
import Torch
import WeightFiles

/// Optimizer steps on given inputs with given choices, for comparison with another implementation.
///
/// For each step n, counted from 0, the file has:
///
///     step<n>/image [B, 3, S, S]           normalised images
///     step<n>/input_ids, attention_mask    tokens [B, L]
///     step<n>/image_id [B]                 equal for equal images; may be missing
///     step<n>/mlm_input_ids, mlm_labels    masked tokens [B, L], labels -100 where no token is
///                                          hidden; missing for a model without an MLM head
///     step<n>/neg_image_idx [B]            the hard negative image of text b
///     step<n>/neg_text_idx [B]             the hard negative text of image b
///     step<n>/alpha                        the weight of the teacher's targets, a scalar
///
/// Its metadata has these values, with the defaults in brackets: `learning_rate` (1e-3),
/// `weight_decay` (0.05), `decays` (lavis; or matrices, original), `positives` (pair; or image),
/// `momentum` (0.995). Dropout is off. The oddities of the original are kept if the model's dialect
/// is `albef`.
///
/// The output has `step<n>/loss`, `loss_itc`, `loss_itm`, `loss_mlm`, `itm_logits`, `image_feat`,
/// `text_feat`, `image_feat_m` and `text_feat_m` for each step; `grad/<parameter>` of the first
/// step; and from the end, `after/<parameter>`, `after_m/<parameter>` of the momentum teacher,
/// `after/image_queue`, `text_queue`, `idx_queue` and `queue_ptr`.
struct GivenSteps {
    private let file: SafetensorsFile
    private let count: Int

    /// Reads the file's header.
    init(_ path: FilePath) throws {
        file = try SafetensorsFile(path)
        let names = Set(file.tensors.names)
        count = (0...).first { !names.contains("step\($0)/image") } ?? 0
        guard count > 0 else { throw Problem("\(path): has no 'step0/image'") }
    }

    /// Makes the steps, and writes losses, features, gradients and weights.
    func run(_ model: FilePath, to output: FilePath) throws {
        let directory = try ModelDirectory.open(model)
        let student = try ALBEFModel(directory, trainableOn: .cpu)
        let choices = GivenChoices()
        let objective = try objective(student, directory, choices)
        guard let decays = WeightDecay(rawValue: file.metadata["decays"] ?? "lavis") else {
            throw Problem("\(file.path): 'decays' must be lavis, matrices or original")
        }
        let optimizer = AdamW(
            decays.groups(of: student, decay: try number("weight_decay", 0.05)),
            learningRate: try number("learning_rate", 1e-3))
        var written: [(String, Tensor?)] = []
        for index in 0..<count {
            let step = "step\(index)"
            let batch = PretrainingBatch(
                pixels: try tensor("\(step)/image"), ids: try tensor("\(step)/input_ids"),
                mask: try tensor("\(step)/attention_mask"),
                imageIDs: try? tensor("\(step)/image_id"))
            try choices.take(step, from: self)
            optimizer.clearGradients()
            let losses = try objective(batch, alpha: try tensor("\(step)/alpha").scalar())
            try losses.total.backward()
            written += values(losses).map { ("\(step)/\($0)", $1) }
            if index == 0 {
                written += student.parameters.map { ("grad/\($0)", $1.value.grad) }
            }
            try optimizer.step()
            print("\(step): loss \(losses.total.scalar())")
        }
        written += student.parameters.map { ("after/\($0)", $1.value) }
        if let teacher = objective.teacher {
            // The teacher has no ITM head and no temperature.
            written += teacher.model.parameters
                .filter { name, _ in name != "temp" && !name.hasPrefix("itm_head.") }
                .map { ("after_m/\($0)", $1.value) }
        }
        if let queues = objective.queues {
            written += [
                ("after/image_queue", queues.images), ("after/text_queue", queues.texts),
                ("after/idx_queue", queues.ids.reshaped(1, queues.length)),
                ("after/queue_ptr", Tensor([queues.pointer])),
            ]
        }
        try SafetensorsWriter.write(
            written.compactMap { name, tensor in tensor.map { $0.entry(named: name) } }, to: output)
        print("wrote \(output)")
    }

    private func objective(
        _ student: ALBEFModel, _ directory: ModelDirectory, _ choices: GivenChoices
    ) throws -> PretrainingObjective {
        let sizes = student.configuration
        let queues = try ContrastiveQueues(directory)
        guard
            let positives = ObjectiveConfiguration.Contrastive.Positives(
                rawValue: file.metadata["positives"] ?? "pair")
        else { throw Problem("\(file.path): 'positives' must be pair or image") }
        return try PretrainingObjective(
            student: student, teacher: MomentumTeacher(of: student, storedIn: directory),
            queues: queues,
            configuration: ObjectiveConfiguration(
                contrastive: .init(queue: queues?.length ?? 0, positives: positives),
                maskedLanguage: .init(weight: sizes.task == .pretraining ? 1 : 0),
                teacher: .init(momentum: number("momentum", 0.995)), dropout: 0,
                isFaithful: sizes.dialect == .albef),
            masking: TokenMasking(
                vocabularySize: sizes.text.vocabularySize, mask: 4, kept: [0, 2]),
            choices: choices, dropout: nil)
    }

    private func values(_ losses: PretrainingLosses) -> [(String, Tensor?)] {
        [
            ("loss", losses.total), ("loss_itc", losses.contrastive?.loss),
            ("loss_itm", losses.matching?.loss), ("loss_mlm", losses.maskedLanguage?.loss),
            ("itm_logits", losses.matching?.logits),
            ("image_feat", losses.features?.student.images),
            ("text_feat", losses.features?.student.texts),
            ("image_feat_m", losses.features?.teacher?.images),
            ("text_feat_m", losses.features?.teacher?.texts),
        ]
    }

    private func number(_ key: String, _ standard: Double) throws -> Double {
        guard let text = file.metadata[key] else { return standard }
        guard let value = Double(text) else {
            throw Problem("\(file.path): '\(key)' must be a number, not '\(text)'")
        }
        return value
    }

    fileprivate func tensor(_ name: String) throws -> Tensor {
        try Tensor(file.tensor(name)).clone()
    }
}

/// The choices in the file, for one step after another.
private final class GivenChoices: RandomChoices {
    private var wrongImages = Tensor([Int]())
    private var wrongTexts = Tensor([Int]())
    private var hidden: MaskedTokens?

    func take(_ step: String, from steps: GivenSteps) throws {
        wrongImages = try steps.tensor("\(step)/neg_image_idx")
        wrongTexts = try steps.tensor("\(step)/neg_text_idx")
        hidden = nil
        guard let ids = try? steps.tensor("\(step)/mlm_input_ids") else { return }
        let labels = try steps.tensor("\(step)/mlm_labels").values(as: Int.self)
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

/// A problem of a file, in one line.
struct Problem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
