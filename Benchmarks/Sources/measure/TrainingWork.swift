import ALBEF
import ALBEFTraining
import Torch

/// Steps of pretraining on random data: losses, gradients, AdamW, momentum teacher, queues.
final class TrainingWork {
    /// What is trained.
    struct Size: Equatable {
        var configuration: ALBEFConfiguration
        /// The pairs of a step.
        var batch: Int
        /// The tokens of each text.
        var tokens: Int
        /// The features of earlier steps that ITC compares with.
        var queue: Int
        /// Whether the image encoder recomputes its activations in the backward pass.
        var isCheckpointed: Bool

        /// Reads `model`, `batch` and `checkpointed`.
        init(_ request: Request) throws {
            isCheckpointed = request.checkpointed ?? false
            if try request.isTiny {
                configuration = ALBEFConfiguration(
                    dialect: .lavis,
                    vision: .init(
                        imageSize: 64, patchSize: 8, width: 192, depth: 6, heads: 3, mlpWidth: 768),
                    text: .init(
                        vocabularySize: 2000, width: 192, depth: 6, fusionLayer: 3, heads: 3,
                        mlpWidth: 768, positions: 64))
                (batch, tokens, queue) = (try request.number(.batch, request.batch ?? 64), 16, 4096)
            } else {
                configuration = ALBEFConfiguration(dialect: .lavis)
                (batch, tokens, queue) = (try request.number(.batch, request.batch ?? 4), 30, 65536)
            }
        }
    }

    let size: Size
    private let objective: PretrainingObjective
    private let optimizer: AdamW
    private let inputs: PretrainingBatch
    private var step = 0

    /// Makes model, teacher, queues and optimizer.
    init(_ size: Size) throws {
        keepFreedMemory()  // as `albef pretrain` does
        self.size = size
        let (configuration, text) = (size.configuration, size.configuration.text)
        let generator = try Generator(seed: 0)
        let student = try ALBEFModel(
            configuration, parameters: RandomParameters(generator: generator))
        let settings = ObjectiveConfiguration(contrastive: .init(queue: size.queue))
        objective = try PretrainingObjective(
            student: student, teacher: MomentumTeacher(copying: student),
            queues: ContrastiveQueues(
                width: configuration.embeddingWidth, length: size.queue, generator: generator,
                device: .cpu),
            configuration: settings,
            masking: TokenMasking(vocabularySize: text.vocabularySize, mask: 4, kept: [0, 2]),
            choices: GeneratedChoices(generator: generator),
            dropout: Dropout(settings.dropout, generator: generator),
            isCheckpointed: size.isCheckpointed)
        optimizer = AdamW(
            WeightDecay.lavis.groups(of: student, decay: 0.02), learningRate: 1e-4)
        var ids = (0..<size.batch * size.tokens).map { 5 + ($0 * 7919) % (text.vocabularySize - 5) }
        for row in 0..<size.batch {
            ids[row * size.tokens] = 2
            ids[(row + 1) * size.tokens - 1] = 3
        }
        let side = configuration.vision.imageSize
        inputs = PretrainingBatch(
            pixels: .normal([size.batch, 3, side, side], generator: generator),
            ids: Tensor(ids, shape: [size.batch, size.tokens]),
            mask: .ones([size.batch, size.tokens], dtype: .int64))
    }

    /// Takes `calls` steps.
    func steps(_ request: Request) throws -> Answer {
        let fastest = request.precision?.computeType ?? .float32
        let type = fastest == .float32 ? nil : fastest.dtype
        var losses: [Double] = []
        var answer = try Answer.timing(request) {
            optimizer.clearGradients()
            // LAVIS's ramp: two epochs of 100 steps.
            let found = try withAutocast(type, on: .cpu) {
                try objective(inputs, alpha: 0.4 * min(1, Double(step) / 200))
            }
            try found.total.backward()
            try optimizer.step()
            losses.append(found.total.scalar())
            step += 1
        }
        answer.losses = losses
        return answer
    }
}
