public import Torch

/// The paper's training step up to the loss: align, fuse, distil (equation 5).
///
/// One code path serves all presets; an objective of weight 0 is not computed. The keys and values
/// of the fusion layers depend only on the image. They are projected once and read by all four
/// passes of the fusion encoder, which run as one batch.
public final class PretrainingObjective {
    /// The model being trained.
    public let student: ALBEFModel
    /// The moving average of the student; nil if the configuration has no teacher.
    public let teacher: MomentumTeacher?
    /// Older keys of the teacher; nil if the configuration has no queues.
    public private(set) var queues: ContrastiveQueues?
    /// The objectives, with their negatives and labels.
    public let configuration: ObjectiveConfiguration
    private let masking: TokenMasking
    private let choices: any RandomChoices
    private let dropout: Dropout?
    private let isCheckpointed: Bool
    private let share: BatchShare

    /// Creates the step from its parts.
    ///
    /// - Parameters:
    ///   - student: a pretraining model, or a retrieval model if MLM is turned off. Training
    ///     changes its weights in place, so they must not be mapped from a file.
    ///   - teacher: the teacher; required if and only if the configuration enables it.
    ///   - queues: older keys; required if and only if the configuration has a queue.
    ///   - configuration: the objectives, with their negatives and labels.
    ///   - masking: the hiding of tokens for MLM.
    ///   - choices: the source of random choices, except dropout.
    ///   - dropout: the dropout of the BERT layers; nil for none.
    ///   - isCheckpointed: as in ``VisionTransformer/callAsFunction(_:isCheckpointed:)``.
    /// - Throws: ``ALBEFError`` if the settings are inconsistent or do not fit the model.
    public convenience init(
        student: ALBEFModel, teacher: MomentumTeacher?, queues: ContrastiveQueues?,
        configuration: ObjectiveConfiguration, masking: TokenMasking,
        choices: any RandomChoices, dropout: Dropout?, isCheckpointed: Bool = false
    ) throws(ALBEFError) {
        try self.init(
            student: student, teacher: teacher, queues: queues, configuration: configuration,
            masking: masking, choices: choices, dropout: dropout, isCheckpointed: isCheckpointed,
            share: .whole)
    }

    /// Creates the step of one of several processes.
    ///
    /// - Parameter share: the part of each batch that this process computes.
    package init(
        student: ALBEFModel, teacher: MomentumTeacher?, queues: ContrastiveQueues?,
        configuration: ObjectiveConfiguration, masking: TokenMasking,
        choices: any RandomChoices, dropout: Dropout?, isCheckpointed: Bool = false,
        share: BatchShare
    ) throws(ALBEFError) {
        try configuration.validate()
        if configuration.maskedLanguage.weight > 0, student.maskedLanguage == nil {
            throw .missingHead("text_encoder.cls", student.configuration.task)
        }
        precondition(
            configuration.teacher.isEnabled == (teacher != nil)
                && (configuration.contrastive.queue > 0) == (queues != nil),
            "give a teacher and queues if and only if the configuration has them")
        self.student = student
        self.teacher = teacher
        self.queues = queues
        self.configuration = configuration
        self.masking = masking
        self.choices = choices
        self.dropout = dropout
        self.isCheckpointed = isCheckpointed
        self.share = share
    }

    /// Restores the keys that a batch has overwritten.
    package func restoreQueues(_ slots: ContrastiveQueues.Slots) { queues?.restore(slots) }

    /// Computes the losses of a batch, moves the teacher and enqueues its keys.
    ///
    /// - Parameters:
    ///   - batch: at least two pairs.
    ///   - alpha: the weight of the teacher's predictions in this step.
    ///   - negatives: the source of mismatched pairs in this step; nil for that of the
    ///     configuration.
    ///   - hardness: how closely hard negatives follow ITC's similarities, from 0 to 1, the
    ///     default.
    /// - Throws: ``ALBEFError`` if pixels or texts do not fit the model, or if the batch has a
    ///   single pair and so no negatives. If several processes share the batch, `ProcessGroupError`
    ///   if one of them is missing.
    public func callAsFunction(
        _ batch: PretrainingBatch, alpha: Double,
        negatives: ObjectiveConfiguration.Matching.Source? = nil, hardness: Double = 1
    ) throws -> PretrainingLosses {
        guard batch.count > 1 else { throw ALBEFError.singlePair }
        clampTemperature()
        teacher?.follow(momentum: configuration.teacher.momentum)

        // The text encoder reads texts and their masked copies as one batch.
        let own = share.part(batch)
        let map = try student.trunkMap(own.images, isCheckpointed: isCheckpointed)
        let images = try student.encodeImages(ofMap: map, isCheckpointed: isCheckpointed)
        let hidden =
            configuration.maskedLanguage.weight > 0 ? choices.masking(batch, by: masking) : nil
        let masked = hidden.map(share.part)
        let texts = try student.encodeTexts(
            Self.joined(own.ids, masked?.ids),
            mask: Self.joined(own.mask, masked.map { _ in own.mask }),
            dropout: dropout)
        // A frozen trunk belongs to both models and runs once.
        let sharedMap = teacher?.sharesTrunk == true ? map.detached() : nil
        let teaching = try teach(own, masked, alpha: alpha, map: sharedMap)

        var losses = PretrainingLosses(total: .zeros([], device: student.device))
        if configuration.contrastive.weight > 0, let temperature = student.temperature {
            let features = ContrastiveObjective.Features(
                images: images.features, texts: texts.features[0..<own.count])
            let taught = try teaching?.features.map(share.gathered)
            let positives = configuration.contrastive.positives
            let ids = positives == .pair ? nil : batch.imageIDs
            let outcome = ContrastiveObjective()(
                features, of: share.rows(of: batch.count),
                among: try taught ?? share.gathered(features), teacher: taught, queues: queues,
                temperature: temperature.value, alpha: alpha, ids: ids,
                truths: positives == .caption ? batch.truths : nil)
            if let keys = taught {
                queues?.enqueue(images: keys.images, texts: keys.texts, ids: batch.imageIDs)
            }
            losses.features = (features, teaching?.features)
            losses.contrastive = outcome
            losses.total = losses.total + outcome.loss * configuration.contrastive.weight
        }
        guard configuration.usesFusion else { return losses }

        // ITC's similarities determine hard negatives.
        let isHard = (negatives ?? configuration.matching.negatives) == .hard
        let drawing = isHard ? losses.contrastive.map { ($0, hardness) } : nil
        let drawn =
            configuration.matching.weight > 0 ? try self.negatives(batch, drawing) : nil
        let fused = try fuse(batch, texts, images.tokens, masked, drawn)
        if let matching = fused.matching {
            losses.matching = matching
            losses.total = losses.total + matching.loss * configuration.matching.weight
        }
        if let masked, let states = fused.masked, let head = student.maskedLanguage {
            var outcome = MaskedLanguageObjective()(
                head(Self.hidden(states, masked)), labels: masked.labels,
                teacher: teaching?.maskedLogits, alpha: alpha)
            if share.count > 1, let hidden, hidden.labels.count > 0 {
                // The processes' losses are averaged, but a token must count as much in each.
                let weight = Double(masked.labels.count * share.count) / Double(hidden.labels.count)
                outcome.loss = outcome.loss * weight
            }
            losses.maskedLanguage = outcome
            losses.total = losses.total + outcome.loss * configuration.maskedLanguage.weight
        }
        return losses
    }

    // MARK: Student

    /// The negatives of this process's pairs, as indices into the whole batch, and the weights of
    /// their draw.
    private typealias Drawn = (negatives: Negatives, images: Tensor?, texts: Tensor?)

    /// Runs the fusion encoder once over all rows of the objectives: masked texts with their
    /// images, pairs, wrong texts with the images, and texts with wrong images.
    ///
    /// - Parameters:
    ///   - batch: the whole batch.
    ///   - texts: this process's texts, then their masked copies.
    ///   - tokens: the tokens of this process's images.
    private func fuse(
        _ batch: PretrainingBatch, _ texts: EncodedTexts, _ tokens: Tensor,
        _ masked: MaskedTokens?, _ drawn: Drawn?
    ) throws -> (matching: MatchingObjective.Outcome?, masked: Tensor?) {
        let encoder = student.textEncoder
        let sources = try FusionSources(batch, texts, tokens, drawn?.negatives, share)
        let count = sources.count
        let memory = encoder.memory(of: sources.tokens)
        let last = encoder.fusionLayers.count - 1
        let clean = Tensor.arange(0..<count, device: student.device)
        var rows: [Tensor] = []
        var pairing = ImagePairing(alignedBlocks: 0, alignedImages: sources.alignedImages)
        if masked != nil {
            rows.append(.arange(count..<2 * count, device: student.device))
            pairing.alignedBlocks += 1
        }
        if let negatives = sources.negatives {
            rows += [clean, negatives.texts, clean]
            pairing.alignedBlocks += 2
            pairing.chosen = negatives.images
        }
        let all = Tensor.concatenated(rows)
        let mask = sources.mask[all]
        let shared =
            last > 0
            ? encoder.fuse(
                sources.states, mask: sources.mask, with: memory, pairing, layers: 0..<last,
                rows: all, dropout: dropout)
            : sources.states[all]
        // The last layer computes only the states that are used: hidden tokens, and `[CLS]` for
        // ITM.
        let maskedRows = masked == nil ? 0 : count
        let fusedMasked = masked.map { masked in
            encoder.fuse(
                shared[0..<count], mask: mask[0..<count], with: memory,
                ImagePairing(alignedBlocks: 1, alignedImages: sources.alignedImages),
                layers: last..<last + 1, .at(masked.columns), dropout: dropout)
        }
        guard let drawn, let head = student.matching else { return (nil, fusedMasked) }
        let fused = encoder.fuse(
            shared[maskedRows...], mask: mask[maskedRows...], with: memory,
            ImagePairing(
                alignedBlocks: 2, chosen: pairing.chosen, alignedImages: sources.alignedImages),
            layers: last..<last + 1, .start, dropout: dropout)
        let logits = head(fused)
        // The original's order: pairs, texts with a wrong image, images with a wrong text.
        let ordered = Tensor.concatenated([
            logits[0..<count], logits[2 * count..<3 * count], logits[count..<2 * count],
        ])
        let outcome = MatchingObjective.Outcome(
            loss: MatchingObjective().loss(ordered), logits: ordered, negatives: drawn.negatives,
            imageWeights: drawn.images, textWeights: drawn.texts)
        return (outcome, fusedMasked)
    }

    private func negatives(
        _ batch: PretrainingBatch, _ drawing: (ContrastiveObjective.Outcome, hardness: Double)?
    ) throws -> Drawn {
        let count = batch.count
        guard let (contrastive, hardness) = drawing else {
            let shift = configuration.matching.shift
            return (share.shifted(by: shift, ofBatch: count, device: student.device), nil, nil)
        }
        return try withoutGradients {
            let excluded = excluded(batch)
            let reachable = share.reachable(ofBatch: count, device: student.device)
            // Every process draws for the whole batch, so that the draws do not depend on their
            // number.
            func weights(_ similarities: Tensor, _ excluded: Tensor) throws -> Tensor {
                HardNegatives.weights(
                    try share.gathered(similarities[.all, 0..<count].detached()),
                    hardness: hardness, excluded: excluded, isFaithful: configuration.isFaithful,
                    reachable: reachable)
            }
            let (images, texts) = (
                try weights(contrastive.textToImage, excluded),
                try weights(contrastive.imageToText, excluded.transposed())
            )
            return (
                Negatives(
                    images: share.part(choices.images(images)),
                    texts: share.part(choices.texts(texts))), images, texts
            )
        }
    }

    /// Returns whether each image must not be a negative of each text, `[N, N]`; transposed,
    /// whether each text must not be one of each image.
    private func excluded(_ batch: PretrainingBatch) -> Tensor {
        if configuration.contrastive.positives == .caption, let truths = batch.truths {
            return truths
        }
        let rows = Tensor.arange(0..<batch.count, device: student.device)
        // The original, too, excludes by image when it fine-tunes retrieval.
        let byImage =
            configuration.contrastive.positives != .pair
            || (configuration.matching.excludesSameImage && !configuration.isFaithful)
        let keys = byImage ? batch.imageIDs ?? rows : rows
        return keys.unsqueezed(1).isEqual(to: keys)
    }

    private func clampTemperature() {
        guard let temperature = student.temperature else { return }
        let settings = configuration.contrastive
        withoutGradients {
            temperature.value.clampInPlace(
                settings.minimumTemperature, settings.maximumTemperature)
        }
    }

    // MARK: Teacher

    private struct Teaching {
        var features: ContrastiveObjective.Features?
        /// The teacher's logits at the hidden tokens, `[K, V]`.
        var maskedLogits: Tensor?
    }

    /// Computes the teacher's features and logits without gradients.
    ///
    /// - Parameter map: the trunk's output for the images; nil to compute it.
    private func teach(
        _ batch: PretrainingBatch, _ masked: MaskedTokens?, alpha: Double, map: Tensor?
    ) throws(ALBEFError) -> Teaching? {
        guard let teacher else { return nil }
        let dropout = configuration.isFaithful ? dropout : nil
        return try withoutGradients { () throws(ALBEFError) in
            let model = teacher.model
            var teaching = Teaching()
            let distilsWords = alpha > 0 && masked.map { $0.labels.count > 0 } == true
            guard configuration.contrastive.weight > 0 || distilsWords else { return teaching }
            let map = if let map { map } else { try model.trunkMap(batch.images) }
            let images = try model.encodeImages(ofMap: map)
            if configuration.contrastive.weight > 0 {
                let encoder = model.textEncoder
                let states = encoder.encode(
                    batch.ids, mask: batch.mask, encoder.pooledSelection, dropout: dropout)
                let pooled = encoder.pooled(states, ids: batch.ids, mask: batch.mask)
                teaching.features = model.alignment.map {
                    ContrastiveObjective.Features(
                        images: images.features, texts: $0.textFeatures(pooled))
                }
            }
            if distilsWords, let masked, let head = model.maskedLanguage {
                let encoder = model.textEncoder
                let states = encoder.encode(masked.ids, mask: batch.mask, dropout: dropout)
                let fused = encoder.fuse(
                    states, mask: batch.mask, with: encoder.memory(of: images.tokens), .aligned,
                    .at(masked.columns), dropout: dropout)
                teaching.maskedLogits = head(Self.hidden(fused, masked))
            }
            return teaching
        }
    }

    /// Returns the states `[K, D]` of the hidden tokens from those of ``MaskedTokens/columns``.
    private static func hidden(_ states: Tensor, _ masked: MaskedTokens) -> Tensor {
        states.reshaped(-1, states.size(2)).selected(0, masked.places)
    }

    private static func joined(_ first: Tensor, _ second: Tensor?) -> Tensor {
        second.map { Tensor.concatenated([first, $0]) } ?? first
    }
}
