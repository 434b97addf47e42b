import ALBEF

extension TrainingConfiguration {
    /// Checks that the settings describe a valid run, before anything costly is done.
    ///
    /// - Throws: ``TrainingError`` or `ALBEFError` that names the first invalid key.
    public func validate() throws {
        try objectives.validate(for: model.task)
        try validateTask()
        try Self.check(counts)
        try Self.check(amounts)
        guard augmentation.minimumScale > 0, augmentation.minimumScale <= 1 else {
            throw TrainingError.setting(
                "augmentation.minimum_scale",
                "must be above 0 and at most 1, not \(augmentation.minimumScale)")
        }
        try optimizer.validateFactors(hasStart: model.start != nil)
        guard !data.train.isEmpty else {
            throw TrainingError.setting("data.train", "names no annotation file; give at least one")
        }
        try data.validateShards()
        guard model.start != nil || model.vocabulary != nil else {
            throw TrainingError.setting(
                "model.vocabulary",
                "is required for a model that starts with random weights (without model.start)")
        }
    }

    /// Checks the settings that depend on the task.
    private func validateTask() throws(TrainingError) {
        let task = model.task
        guard task != .pretraining else { return }
        guard task != .alignment else {
            throw .setting(
                "model.task",
                "is alignment, which a run cannot train by itself; choose pretraining, and turn off"
                    + " objectives.matching and objectives.masked_language")
        }
        guard model.start != nil else {
            throw .setting(
                "model.start",
                "is missing: \(task.rawValue) fine-tunes a pretrained model; name its directory")
        }
        guard model.vocabulary == nil else {
            throw .setting(
                "model.vocabulary", "must be null: the vocabulary is that of model.start")
        }
        if task.matches, objectives.maskedLanguage.weight > 0 {
            throw .setting(
                "objectives.masked_language.weight",
                "must be 0, because a model for \(task.rawValue) has no head of MLM")
        }
        guard !task.readsItems || !data.usesShards else {
            throw .setting(
                "data.train", "names shards, but \(task.rawValue) reads annotation files")
        }
    }

    /// Checks that the batches can be divided among processes.
    ///
    /// - Throws: ``TrainingError`` that names the setting.
    func validate(for ranks: TrainingRanks) throws(TrainingError) {
        guard ranks.count > 1 else { return }
        let size = training.batchSize
        guard size % ranks.count == 0 else {
            throw .setting(
                "training.batch_size",
                "is \(size), which \(ranks.count) processes cannot divide equally; use a multiple of"
                    + " \(ranks.count)")
        }
        let isLocal =
            model.task.aligns && objectives.matching.weight > 0
            && distributed.hardNegatives == .local
        guard !isLocal || size / ranks.count > 1 else {
            throw .setting(
                "distributed.hard_negatives",
                "is local, but each of \(ranks.count) processes has a single pair of a batch; use"
                    + " global or a larger training.batch_size")
        }
    }

    private static func check<Number: Comparable>(
        _ settings: [(key: String, value: Number, bounds: ClosedRange<Number>)]
    ) throws(TrainingError) {
        for (key, value, bounds) in settings where !bounds.contains(value) {
            // A NaN is not at least anything, so it is reported against the lower bound.
            throw .setting(
                key,
                value >= bounds.lowerBound
                    ? "must be at most \(bounds.upperBound), not \(value)"
                    : "must be at least \(bounds.lowerBound), not \(value)")
        }
    }

    /// Every integer setting with its bounds.
    ///
    /// The upper bounds are far beyond what a machine can train, yet low enough that the product of
    /// any two of them fits into an `Int`.
    private var counts: [(key: String, value: Int, bounds: ClosedRange<Int>)] {
        let (sides, widths, layers) = (1...16_384, 1...65_536, 1...1_024)
        let (steps, many) = (1_000_000_000, 1_000_000)
        return [
            ("model.image_size", model.imageSize, sides),
            ("model.patch_size", model.patchSize, sides),
            ("model.image_width", model.imageWidth, widths),
            ("model.image_depth", model.imageDepth, layers),
            ("model.image_heads", model.imageHeads, widths),
            ("model.text_width", model.textWidth, widths),
            ("model.text_depth", model.textDepth, 0...1_024),
            ("model.fusion_depth", model.fusionDepth, (objectives.usesFusion ? 1 : 0)...1_024),
            ("model.text_heads", model.textHeads, widths),
            ("model.positions", model.positions, 1...many),
            ("model.maximum_tokens", model.maximumTokens, 1...many),
            ("model.embedding_width", model.embeddingWidth, widths),
            ("data.group", data.group, 1...many), ("data.workers", data.workers, 0...1_024),
            ("data.lookahead", data.lookahead, 1...1_024),
            ("data.cache_megabytes", data.cacheMegabytes, 0...steps),
            ("data.trunk_views", data.trunkViews, 0...10_000),
            ("data.shuffle_buffer", data.shuffleBuffer, 1...many),
            ("data.samples_per_epoch", data.samplesPerEpoch, 0...1_000_000_000_000),
            ("augmentation.operations", augmentation.operations, 0...100),
            ("augmentation.magnitude", augmentation.magnitude, 0...10),
            ("objectives.contrastive.queue", objectives.contrastive.queue, 0...100_000_000),
            ("objectives.matching.shift", objectives.matching.shift, 1...many),
            ("optimizer.warmup_steps", optimizer.warmupSteps, 0...steps),
            ("training.epochs", training.epochs, 1...many),
            ("training.batch_size", training.batchSize, 2...many),
            ("training.accumulation", training.accumulation, 1...many),
            ("training.log_steps", training.logSteps, 1...steps),
            ("training.checkpoint_steps", training.checkpointSteps, 1...steps),
            ("evaluation.steps", evaluation.steps, 0...steps),
            ("evaluation.images", evaluation.images, 0...steps),
            ("evaluation.depth", evaluation.depth, 0...many),
            ("evaluation.candidates", evaluation.candidates, 1...many),
            ("distributed.timeout_seconds", distributed.timeoutSeconds, 1...many),
        ]
    }

    /// Every floating-point setting with its bounds, which keep sums finite in single precision.
    private var amounts: [(key: String, value: Double, bounds: ClosedRange<Double>)] {
        let (contrastive, matching) = (objectives.contrastive, objectives.matching)
        return [
            ("objectives.contrastive.weight", contrastive.weight, 0...1e6),
            ("objectives.contrastive.temperature", contrastive.temperature, 0...1e3),
            ("objectives.contrastive.minimum_temperature", contrastive.minimumTemperature, 0...1e3),
            ("objectives.contrastive.maximum_temperature", contrastive.maximumTemperature, 0...1e3),
            ("objectives.matching.weight", matching.weight, 0...1e6),
            ("objectives.matching.easy_epochs", matching.easyEpochs, 0...1e6),
            ("objectives.matching.ramp_epochs", matching.rampEpochs, 0...1e6),
            ("objectives.masked_language.weight", objectives.maskedLanguage.weight, 0...1e6),
            ("objectives.teacher.ramp_epochs", objectives.teacher.rampEpochs, 0...1e6),
            ("optimizer.learning_rate", optimizer.learningRate, 0...1e3),
            ("optimizer.minimum_learning_rate", optimizer.minimumLearningRate, 0...1e3),
            ("optimizer.warmup_learning_rate", optimizer.warmupLearningRate, 0...1e3),
            ("optimizer.weight_decay", optimizer.weightDecay, 0...1e3),
            ("optimizer.clip_norm", optimizer.clipNorm, 0...1e9),
            ("distributed.bucket_megabytes", distributed.bucketMegabytes, 0.001...1e4),
        ]
    }
}

extension TrainingConfiguration.Optimizer {
    /// The largest factor of a learning rate.
    private static let largestFactor = 1e3

    /// Checks the settings that distinguish parts of the model, as far as that needs no model.
    ///
    /// - Parameter hasStart: Whether the run starts from another model.
    fileprivate func validateFactors(hasStart: Bool) throws(TrainingError) {
        for (key, factor) in [
            ("rates.image", rates.image), ("rates.text", rates.text),
            ("rates.fusion", rates.fusion), ("rates.heads", rates.heads),
            ("new_parts_rate", newPartsRate),
        ] where !(factor > 0 && factor <= Self.largestFactor) {
            throw .setting(
                "optimizer.\(key)",
                "must be above 0 and at most \(Self.largestFactor), not \(factor)"
                    + (factor == 0 ? "; use optimizer.frozen to keep parts unchanged" : ""))
        }
        guard layerDecay > 0, layerDecay <= 1 else {
            throw .setting(
                "optimizer.layer_decay",
                "must be above 0 and at most 1, not \(layerDecay); set 1 for no decay")
        }
        guard hasStart || newPartsRate == 1 else {
            throw .setting(
                "optimizer.new_parts_rate",
                "needs model.start: all parts of a model that starts with random weights are new")
        }
        var seen: Set<String> = []
        for pattern in frozen {
            guard !pattern.isEmpty else {
                throw .setting("optimizer.frozen", "contains an empty name")
            }
            guard seen.insert(pattern).inserted else {
                throw .setting("optimizer.frozen", "names '\(pattern)' twice; name it once")
            }
        }
    }
}
