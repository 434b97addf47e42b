import ALBEF
import OrderedCollections
import Torch

/// Models and batches of the smallest size, and objectives over them.
enum TinyObjective {
    /// The vocabulary is that of `TinyModel`: 0 is `[PAD]`, 2 `[CLS]`, 4 `[MASK]`.
    static let configuration = ALBEFConfiguration(
        vision: .init(imageSize: 32, width: 16, depth: 1, heads: 2, mlpWidth: 32),
        text: .init(
            vocabularySize: 200, width: 16, depth: 2, fusionLayer: 1, heads: 2, mlpWidth: 32,
            positions: 12, maximumTokens: 10),
        embeddingWidth: 8)

    static let masking = TokenMasking(vocabularySize: 200, mask: 4, kept: [0, 2])

    static func model(seed: UInt64 = 1) throws -> ALBEFModel {
        try ALBEFModel(
            configuration, parameters: RandomParameters(generator: Generator(seed: seed)))
    }

    /// Images of noise with texts of random tokens, every second of them shorter by two.
    static func batch(
        _ count: Int, seed: UInt64 = 2, imageIDs: [Int]? = nil, truths: [[Bool]]? = nil
    ) throws -> PretrainingBatch {
        let generator = try Generator(seed: seed)
        let length = 8
        let draws: [Float] = Tensor.uniform([count * length], generator: generator).values()
        var ids = draws.map { 5 + Int($0 * 194) }
        var mask = [Int](repeating: 1, count: count * length)
        for row in 0..<count {
            ids[row * length] = 2
            guard row % 2 == 1 else { continue }
            for place in row * length + length - 2..<(row + 1) * length {
                (ids[place], mask[place]) = (0, 0)
            }
        }
        return PretrainingBatch(
            pixels: .normal([count, 3, 32, 32], generator: generator),
            ids: Tensor(ids, shape: [count, length]), mask: Tensor(mask, shape: [count, length]),
            imageIDs: imageIDs.map { Tensor($0) },
            truths: truths.map { truths in
                Tensor(truths.joined().map { $0 ? 1 : 0 }, shape: [count, count]).isEqual(to: 1)
            })
    }

    static func objective(
        _ student: ALBEFModel, _ settings: ObjectiveConfiguration, seed: UInt64 = 3,
        choices: (any RandomChoices)? = nil
    ) throws -> PretrainingObjective {
        let queue = settings.contrastive.queue
        let drawn = GeneratedChoices(generator: try Generator(seed: seed))
        var masking = masking
        masking.probability = settings.maskedLanguage.probability
        return try PretrainingObjective(
            student: student,
            teacher: settings.teacher.isEnabled ? MomentumTeacher(copying: student) : nil,
            queues: queue > 0
                ? ContrastiveQueues(
                    width: configuration.embeddingWidth, length: queue,
                    generator: Generator(seed: seed + 1), device: .cpu) : nil,
            configuration: settings, masking: masking, choices: choices ?? drawn,
            dropout: Dropout(settings.dropout, generator: Generator(seed: seed + 2)))
    }

    /// Lets every parameter record gradients.
    static func recordGradients(of model: ALBEFModel) {
        for parameter in model.parameters.values {
            parameter.value = parameter.value.requiringGrad()
        }
    }
}

/// Random choices, some of them fixed, which record the weights of each draw.
final class WatchedChoices: RandomChoices {
    private let drawn: GeneratedChoices
    private let hidden: MaskedTokens?
    private(set) var imageWeights: [Tensor] = []
    private(set) var textWeights: [Tensor] = []

    init(seed: UInt64 = 7, hidden: MaskedTokens? = nil) throws {
        drawn = GeneratedChoices(generator: try Generator(seed: seed))
        self.hidden = hidden
    }

    func images(_ weights: Tensor) -> Tensor {
        imageWeights.append(weights)
        return drawn.images(weights)
    }

    func texts(_ weights: Tensor) -> Tensor {
        textWeights.append(weights)
        return drawn.texts(weights)
    }

    func masking(_ batch: PretrainingBatch, by masking: TokenMasking) -> MaskedTokens {
        hidden ?? drawn.masking(batch, by: masking)
    }
}
