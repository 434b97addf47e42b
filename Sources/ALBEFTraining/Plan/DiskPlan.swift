import ALBEF

/// The disk space that a run needs, in bytes.
public struct DiskPlan: Sendable, Hashable, Codable {
    /// One checkpoint: weights, teacher, queues and the optimizer's averages.
    public let checkpoint: Int
    /// The number of checkpoints at one time: the last, the best if the run evaluates, and the one
    /// that is being written.
    public let checkpoints: Int
    /// The log and the events of TensorBoard.
    public let logs: Int
    /// The cached feature maps of a frozen trunk.
    public let trunkMaps: Int

    /// The most space that the run needs at one time.
    public var peak: Int { checkpoint * checkpoints + logs + trunkMaps }

    enum CodingKeys: String, CodingKey {
        case checkpoint, checkpoints, logs
        case trunkMaps = "trunk_maps"
    }

    /// The bytes that a logged step takes in both files, as measured.
    private static let bytesPerLine = 1_000

    /// Predicts the space.
    ///
    /// - Parameters:
    ///   - steps: The number of steps of the run.
    ///   - mapBytes: The bytes of all cached feature maps.
    init(
        _ model: PlannedModel, _ configuration: TrainingConfiguration, steps: Int, mapBytes: Int
    ) {
        let contrastive = configuration.objectives.contrastive
        let keys = contrastive.queue * (contrastive.positives == .pair ? 0 : 8)
        let queues = 2 * 4 * contrastive.queue * model.sizes.embeddingWidth + keys
        checkpoint =
            4 * (model.parameterCount + model.twinCount + 2 * model.trainedCount) + queues
        checkpoints = configuration.data.validation.isEmpty ? 2 : 3
        logs = steps / configuration.training.logSteps * Self.bytesPerLine
        trunkMaps = mapBytes
    }
}
