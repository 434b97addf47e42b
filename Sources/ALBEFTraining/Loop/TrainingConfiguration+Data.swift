import ALBEF
import ImageText
import SystemPackage

extension TrainingConfiguration {
    /// Creates the source of a run's training batches.
    ///
    /// - Parameters:
    ///   - trainingData: The training data.
    ///   - vision: The input size and normalization of the image encoder.
    ///   - maps: The cached feature maps of views; nil to draw every sample anew.
    ///   - opener: Opens shards.
    ///   - ranks: The processes that train together; each makes a part of every batch.
    ///   - report: Called once for each sample that cannot be read and for each damaged shard.
    /// - Throws: `DatasetError` that describes the fault in the data.
    func source(
        _ trainingData: TrainingData, for vision: ALBEFConfiguration.Vision, maps: TrunkMaps?,
        opener: ShardOpener, ranks: TrainingRanks,
        report: @escaping @Sendable (TrainingRun.Event) -> Void
    ) throws -> TrainingSource {
        let transform = trainingTransform(for: vision)
        var options = BatchLoader.Options()
        options.sampling = data.rows == .images ? .images : .captions
        options.group = data.group
        options.seed = training.seed
        if data.workers > 0 { options.workers = data.workers }
        options.lookahead = data.lookahead
        options.cacheBytes = data.cacheMegabytes * 1_000_000
        // The processes stop together, after they have agreed to.
        options.endsWhenCancelled = ranks.group == nil
        if let maps {
            options.views = data.trunkViews
            options.isKept = { maps.holds($0) }
        }
        switch trainingData.content {
        case .annotations(let dataset):
            options.part = (ranks.rank, ranks.count)
            return .annotations(
                try BatchLoader(
                    dataset, batchSize: training.batchSize, transform: transform, options: options
                ) { report(.failure($0)) })
        case .items(let items):
            options.part = (ranks.rank, ranks.count)
            return .items(
                try ItemLoader(
                    items.images, batchSize: training.batchSize, transform: transform,
                    options: options
                ) { report(.failure($0)) })
        case .shards(let shards):
            var ofShards = ShardLoader.Options()
            ofShards.common = options
            ofShards.shuffle = data.shuffleBuffer
            ofShards.samplesPerEpoch = data.samplesPerEpoch > 0 ? data.samplesPerEpoch : nil
            ofShards.part = ShardPart(rank: ranks.rank, ranks: ranks.count)
            ofShards.opener = opener
            ofShards.onDamage = { trainingData.damages.add($0) }
            return .shards(
                try ShardLoader(
                    shards, batchSize: training.batchSize / ranks.count, transform: transform,
                    options: ofShards
                ) { report(.failure($0)) })
        }
    }

    /// Returns what crops, augments and normalizes training images.
    ///
    /// - Parameter vision: The input size and normalization of the image encoder.
    func trainingTransform(for vision: ALBEFConfiguration.Vision) -> TrainingTransform {
        let isCropped = augmentation.minimumScale < 1
        return TrainingTransform(
            side: vision.imageSize,
            cropScale: isCropped ? augmentation.minimumScale...1 : nil, flips: augmentation.flips,
            randAugment: augmentation.operations > 0
                ? RandAugment(
                    count: augmentation.operations, magnitude: Double(augmentation.magnitude))
                : nil,
            mean: SIMD3(vision.mean.map(Float.init)),
            standardDeviation: SIMD3(vision.standardDeviation.map(Float.init)))
    }

    /// Creates the evaluator for the evaluation during training, or returns nil if the settings
    /// name no validation data.
    ///
    /// - Throws: `DatasetError` that describes the fault in the annotations; ``TrainingError`` if
    ///   there is nothing to evaluate.
    func evaluator(
        preprocessing: ModelPreprocessing, vocabulary: Vocabulary, sizes: ALBEFConfiguration
    ) throws -> (any RunEvaluator)? {
        guard !data.validation.isEmpty else { return nil }
        let source = "data.validation (\(data.validation.joined(separator: ", ")))"
        guard !model.task.readsItems else {
            let texts = TaskTexts(vocabulary: vocabulary, configuration: sizes)
            switch try TaskItems(data.validation, self).prefix(evaluation.images) {
            case .sentences(let items):
                return try ClassificationEvaluator(
                    items, source: source, image: preprocessing.image, texts: texts)
            case .questions(let items):
                let choices = try data.answers.map { try AnswerChoices(reading: FilePath($0)) }
                return try AnswerEvaluator(
                    items, source: source,
                    reader: AnswerReader(
                        texts, choices: choices, candidates: evaluation.candidates),
                    image: preprocessing.image)
            }
        }
        guard model.task.aligns else {
            throw TrainingError.setting(
                "data.validation",
                "must be empty: \(model.task.rawValue) is only a preparation, which has no metric")
        }
        let dataset = try CaptionDataset(
            reading: data.validation.map { FilePath($0) },
            imageRoot: data.images.map { FilePath($0) })
        return PairEvaluation(
            evaluator: try RetrievalEvaluator(
                dataset, source: source, limit: evaluation.images, preprocessing: preprocessing),
            configuration: self)
    }
}

extension TrainingConfiguration.Model {
    /// Returns the vocabulary file of a new run: that of the settings, or else that of the model
    /// that the run starts from; nil if the settings name neither.
    ///
    /// - Throws: ``TrainingError`` if a run cannot train the model that it starts from; the errors
    ///   of `ModelDirectory.open(_:)`.
    func vocabularyFile() throws -> FilePath? {
        if let vocabulary { return FilePath(vocabulary) }
        guard let start else { return nil }
        let files = try ModelDirectory.open(FilePath(start))
        guard task == .pretraining else {
            try TaskStart.check(task, from: files.configuration)
            return files.vocabulary
        }
        guard files.configuration.task.matches, files.configuration.text.hasWordPieces else {
            throw TrainingError.setting(
                "model.start",
                "is '\(start)', whose task is \(files.configuration.task.rawValue): a run needs a"
                    + " model with a fusion encoder that reads word pieces; create one from towers"
                    + " with 'albef models create --image … --text …'")
        }
        return files.vocabulary
    }
}
