import ALBEF

extension PretrainingConfiguration {
    /// Checks that the settings make a run, before anything costly is done.
    ///
    /// - Throws: ``TrainingError`` or `ALBEFError` that names the first key that does not fit.
    public func validate() throws {
        try objectives.validate()
        let counts = [
            ("training.epochs", training.epochs, 1), ("training.batch_size", training.batchSize, 2),
            ("training.accumulation", training.accumulation, 1),
            ("training.log_steps", training.logSteps, 1),
            ("training.checkpoint_steps", training.checkpointSteps, 1),
            ("data.group", data.group, 1), ("data.workers", data.workers, 0),
            ("data.lookahead", data.lookahead, 1),
            ("data.cache_megabytes", data.cacheMegabytes, 0),
            ("model.fusion_depth", model.fusionDepth, objectives.usesFusion ? 1 : 0),
            ("augmentation.operations", augmentation.operations, 0),
            ("optimizer.warmup_steps", optimizer.warmupSteps, 0),
            ("evaluation.steps", evaluation.steps, 0), ("evaluation.images", evaluation.images, 0),
            ("evaluation.depth", evaluation.depth, 0),
        ]
        for (key, value, least) in counts where value < least {
            throw TrainingError.setting(key, "must be at least \(least), not \(value)")
        }
        let amounts = [
            ("optimizer.learning_rate", optimizer.learningRate),
            ("optimizer.minimum_learning_rate", optimizer.minimumLearningRate),
            ("optimizer.warmup_learning_rate", optimizer.warmupLearningRate),
            ("optimizer.weight_decay", optimizer.weightDecay),
            ("optimizer.clip_norm", optimizer.clipNorm),
        ]
        for (key, value) in amounts where !(value >= 0 && value.isFinite) {
            throw TrainingError.setting(key, "must be 0 or more, not \(value)")
        }
        guard augmentation.minimumScale > 0, augmentation.minimumScale <= 1 else {
            throw TrainingError.setting(
                "augmentation.minimum_scale",
                "must be above 0 and at most 1, not \(augmentation.minimumScale)")
        }
        guard (0...10).contains(augmentation.magnitude) else {
            throw TrainingError.setting(
                "augmentation.magnitude", "must be within 0...10, not \(augmentation.magnitude)")
        }
        guard !data.train.isEmpty else {
            throw TrainingError.setting("data.train", "names no annotations to learn from")
        }
        guard model.start != nil || model.vocabulary != nil else {
            throw TrainingError.setting(
                "model.vocabulary", "is needed for a model that starts with random weights")
        }
    }
}
