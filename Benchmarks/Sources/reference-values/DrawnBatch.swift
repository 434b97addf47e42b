import ALBEF
import SystemPackage
import Torch
import WeightFiles

/// Random choices that can be read afterwards.
final class RememberedChoices: RandomChoices {
    private let generated: GeneratedChoices
    var images: Tensor?
    var texts: Tensor?
    var hidden: MaskedTokens?

    init(_ generator: Generator) { generated = GeneratedChoices(generator: generator) }

    func images(_ weights: Tensor) -> Tensor { remember(generated.images(weights), \.images) }
    func texts(_ weights: Tensor) -> Tensor { remember(generated.texts(weights), \.texts) }

    func masking(_ batch: PretrainingBatch, by masking: TokenMasking) -> MaskedTokens {
        let tokens = generated.masking(batch, by: masking)
        hidden = tokens
        return tokens
    }

    private func remember(
        _ drawn: Tensor, _ path: ReferenceWritableKeyPath<RememberedChoices, Tensor?>
    ) -> Tensor {
        self[keyPath: path] = drawn
        return drawn
    }
}

/// Writes a random batch, with the features and losses that a trained model computes for it.
///
/// Features and losses are computed without dropout and without an update of the momentum teacher.
func writeDrawnBatch(of model: FilePath, to file: FilePath) throws {
    let directory = try ModelDirectory.open(model)
    let student = try ALBEFModel(directory, trainableOn: .cpu)
    let sizes = student.configuration
    let (count, length) = (6, min(12, sizes.text.maximumTokens))
    let generator = try Generator(seed: 1)
    let pixels = Tensor.normal(
        [count, 3, sizes.vision.imageSize, sizes.vision.imageSize], generator: generator)
    var ids: [Int] =
        (Tensor.uniform([count * length], generator: generator)
        * Double(sizes.text.vocabularySize - 5)).values(as: Int.self).map { $0 + 5 }
    var mask = [Int](repeating: 1, count: count * length)
    for row in 0..<count {
        ids[row * length] = 2
        // Texts of different lengths.
        for column in (length - row % 4)..<length {
            ids[row * length + column] = 0
            mask[row * length + column] = 0
        }
    }
    let batch = PretrainingBatch(
        pixels: pixels, ids: Tensor(ids, shape: [count, length]),
        mask: Tensor(mask, shape: [count, length]))
    let choices = RememberedChoices(generator)
    let queues = try ContrastiveQueues(directory)
    let alpha = 0.4
    let objective = try PretrainingObjective(
        student: student, teacher: MomentumTeacher(of: student, storedIn: directory),
        queues: queues,
        configuration: ObjectiveConfiguration(
            contrastive: .init(queue: queues?.length ?? 0), teacher: .init(momentum: 1), dropout: 0),
        masking: TokenMasking(
            probability: 0.3, vocabularySize: sizes.text.vocabularySize, mask: 4, kept: [0, 2]),
        choices: choices, dropout: nil)
    let losses = try withoutGradients { try objective(batch, alpha: alpha) }

    var labels = [Int](repeating: -100, count: count * length)
    if let hidden = choices.hidden {
        for (position, label) in zip(
            hidden.positions.values(as: Int.self), hidden.labels.values(as: Int.self))
        { labels[position] = label }
    }
    let values: [(String, Tensor?)] = [
        ("pixels", batch.pixels), ("input_ids", batch.ids), ("attention_mask", batch.mask),
        ("neg_image_idx", choices.images), ("neg_text_idx", choices.texts),
        ("mlm_input_ids", choices.hidden?.ids),
        ("mlm_labels", Tensor(labels, shape: [count, length])),
        ("alpha", Tensor([alpha], shape: [])),
        ("swift/image_features", losses.features?.student.images),
        ("swift/text_features", losses.features?.student.texts),
        ("swift/image_features_m", losses.features?.teacher?.images),
        ("swift/text_features_m", losses.features?.teacher?.texts),
        ("swift/loss_itc", losses.contrastive?.loss), ("swift/loss_itm", losses.matching?.loss),
        ("swift/loss_mlm", losses.maskedLanguage?.loss),
        ("swift/itm_logits", losses.matching?.logits),
    ]
    try SafetensorsWriter.write(
        values.compactMap { name, tensor in tensor.map { $0.entry(named: name) } },
        to: file)
    print("wrote \(file): total loss \(losses.total.scalar())")
}
