import ALBEF

/// The memory that a run needs, by owner, in bytes.
public struct MemoryPlan: Sendable, Hashable, Codable {
    /// The weights of the model.
    public let weights: Int
    /// The gradients of all parameters that train.
    public let gradients: Int
    /// The optimizer's two averages per trained parameter.
    public let optimizer: Int
    /// The momentum teacher, without the frozen parts that it shares with the model.
    public let teacher: Int
    /// The queues of ITC.
    public let queues: Int
    /// What a forward pass keeps for its backward pass, with the settings as they are.
    public let activations: Int
    /// The same without `training.gradient_checkpointing`.
    public let plainActivations: Int
    /// The same with `training.gradient_checkpointing`.
    public let checkpointedActivations: Int
    /// The most that activations and gradients take together at one time of a step.
    public let step: Int
    /// The batches that are prepared ahead of the step.
    public let data: Int
    /// The cache of decoded images, which fills during the first epoch.
    public let cache: Int
    /// What the allocator holds between blocks: a tenth of a step on a processor, as measured, and a
    /// twentieth on a GPU, which is a guess.
    public let gaps: Int
    /// The program with its libraries and buffers.
    public let program: Int

    /// The most memory that the run needs at one time.
    public var peak: Int { firstSteps + cache }

    /// The most memory that the first steps need, while the cache of images is still empty.
    public var firstSteps: Int {
        weights + optimizer + teacher + queues + step + data + gaps + program
    }

    enum CodingKeys: String, CodingKey {
        case weights, gradients, optimizer, teacher, queues, activations
        case plainActivations = "plain_activations"
        case checkpointedActivations = "checkpointed_activations"
        case step, data, cache, gaps, program
    }

    /// Predicts the memory of a run.
    ///
    /// - Parameters:
    ///   - shape: The sizes of a step.
    ///   - model: The model's shapes.
    ///   - data: The bytes of the batches ahead of the step, and of the cache of images.
    ///   - program: The bytes of the program itself.
    ///   - isProcessor: Whether the run takes place in the processor's memory.
    init(
        _ shape: StepShape, _ model: PlannedModel, data: (ahead: Int, cache: Int), program: Int,
        isProcessor: Bool
    ) {
        func stages(isCheckpointed: Bool) -> StepStages {
            var shape = shape
            shape.isCheckpointed = isCheckpointed
            return StepStages(shape)
        }
        let (plain, checkpointed) = (
            stages(isCheckpointed: false), stages(isCheckpointed: true)
        )
        weights = 4 * model.parameterCount
        gradients = 4 * model.trainedCount
        optimizer = 2 * gradients
        teacher = 4 * model.teacherCount
        let queue = shape.objectives.contrastive.queue
        queues = queue * (2 * 4 * shape.sizes.embeddingWidth + 8)
        plainActivations = plain.total.saved
        checkpointedActivations = checkpointed.total.saved
        activations = shape.isCheckpointed ? checkpointedActivations : plainActivations
        step = (shape.isCheckpointed ? checkpointed : plain).peakBytes
        (self.data, cache) = data
        self.program = program
        gaps = step / (isProcessor ? 10 : 20)
    }
}
