import ALBEF

/// The sizes that decide what a training step costs.
struct StepShape: Sendable {
    /// The architecture of the model.
    var sizes: ALBEFConfiguration
    /// What each part of the model, by its address, trains.
    let parts: PartGradients
    /// The objectives.
    var objectives: ObjectiveConfiguration
    /// The pairs of a forward pass, N.
    var pairs: Int
    /// The forward passes of a step.
    var accumulation: Int
    /// The tokens of each text of a batch, L.
    var length: Int
    /// The tokens of a text without its padding, on average.
    var meanLength: Double
    /// Whether the image encoder's blocks are recomputed in the backward pass.
    var isCheckpointed: Bool
    /// The bytes of an element that a product returns: 4, or 2 with autocast.
    let productBytes: Int
    /// The number of frozen parts of the trunk whose maps are read from a file.
    let cachedParts: Int

    /// Describes a step of a run in one process.
    ///
    /// - Parameters:
    ///   - configuration: The settings of the run.
    ///   - model: The model and what the run trains of it.
    ///   - data: The lengths of the captions.
    init(
        _ configuration: TrainingConfiguration, _ model: PlannedModel, _ data: PlannedData
    ) {
        let training = configuration.training
        sizes = model.sizes
        parts = PartGradients(model.plan, model.sizes.text)
        objectives = configuration.objectives
        (pairs, accumulation) = (training.batchSize, training.accumulation)
        (length, meanLength) = (data.longest, data.meanLength)
        isCheckpointed = training.gradientCheckpointing
        productBytes = training.precision == .float32 ? 4 : 2
        cachedParts = model.cachedParts
    }

    /// The hidden tokens of all texts of a batch, K.
    ///
    /// The first token of a text is never hidden.
    var hiddenTokens: Int {
        guard objectives.maskedLanguage.weight > 0 else { return 0 }
        let mean = Double(pairs) * (meanLength - 1) * objectives.maskedLanguage.probability
        return max(1, Int(mean.rounded(.up)))
    }

    /// The hidden tokens for which the last layer has room in each text: as many as the text with
    /// the most has.
    var hiddenRoom: Int {
        guard hiddenTokens > 0 else { return 0 }
        // The most of N draws lies about two standard deviations above the mean.
        let mean = meanLength * objectives.maskedLanguage.probability
        let spread = (mean * (1 - objectives.maskedLanguage.probability)).squareRoot()
        return min(length, max(1, Int((mean + 2 * spread).rounded(.up))))
    }

    /// Whether the text encoder reads masked copies too.
    var masks: Bool { objectives.maskedLanguage.weight > 0 }
    /// The rows of the fusion encoder that read the images in their order, as blocks of N.
    var alignedBlocks: Int { (masks ? 1 : 0) + (objectives.matching.weight > 0 ? 2 : 0) }
    /// The rows of the fusion encoder with images that were drawn.
    var drawnRows: Int { objectives.matching.weight > 0 ? pairs : 0 }
    /// Whether text layers drop elements.
    var hasDropout: Bool { objectives.dropout > 0 }
}

/// The parts of a model that require gradients, by their addresses (``ParameterPlace/address``).
struct PartGradients: Sendable, Hashable {
    private var known: [String: Int] = [:]
    private var moving: Set<String> = []

    /// Sums up the parameters of each part.
    init(_ plan: ParameterPlan, _ text: ALBEFConfiguration.Text) {
        for entry in plan.entries {
            let address = ParameterPlace(entry.name, text).address
            if entry.state != .frozen { moving.insert(address) }
            known[address, default: 0] += entry.state == .trained ? 4 * entry.count : 0
        }
    }

    /// Whether a parameter of a part is not frozen, so that autograd records it.
    func trains(_ address: String) -> Bool { moving.contains(address) }

    /// Whether any part below an address is not frozen, such as `image.trunk`.
    func trainsAny(below address: String) -> Bool {
        moving.contains { $0.hasPrefix("\(address).") }
    }

    /// The bytes of the gradients of a part.
    func gradients(of address: String) -> Int { known[address] ?? 0 }
}
