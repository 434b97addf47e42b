public import OrderedCollections
public import Torch

/// ALBEF (Li et al., NeurIPS 2021): two towers that align, a fusion encoder that reads both.
///
/// One class serves every task; a task decides which heads are there. The towers give features
/// for recall, the fusion encoder gives match logits for re-ranking.
public final class ALBEFModel: Sendable {
    /// Sizes and conventions.
    public let configuration: ALBEFConfiguration
    /// Where the parameters are.
    public let device: Device
    /// The image encoder.
    public let visualEncoder: VisionTransformer
    /// The text encoder and the fusion encoder.
    public let textEncoder: TextEncoder
    /// Projections for recall; nil in models of tasks that do not compare features.
    public let alignment: AlignmentHead?
    /// The ITM head; nil in models of tasks that do not match.
    public let matching: MatchingHead?
    /// The MLM head; in pretraining models only.
    public let maskedLanguage: MaskedLanguageHead?
    /// The learned temperature tau (equation 3-2), a scalar; nil in models that do not compare features.
    public let temperature: Parameter?
    /// What is added to the logit of a pair before the sigmoid; in SigLIP alone.
    public let logitBias: Parameter?
    /// Every parameter by its name in the original implementation.
    public let parameters: OrderedDictionary<String, Parameter>

    /// Builds the model, taking every parameter from a source.
    ///
    /// - Throws: ``ALBEFError`` for a configuration that cannot be built; the source's error for a
    ///   missing or misshapen parameter.
    public init(
        _ configuration: ALBEFConfiguration, parameters source: any ParameterSource,
        device: Device = .cpu
    ) throws {
        try configuration.validate()
        guard configuration.task != .nlvr else { throw ALBEFError.pairedFusion }
        let scope = ParameterScope(source: source, device: device)
        self.configuration = configuration
        self.device = device
        visualEncoder = try VisionTransformer(scope, configuration.vision)
        textEncoder = try TextEncoder(scope, configuration)
        let task = configuration.task
        alignment = task.aligns ? try AlignmentHead(scope, configuration) : nil
        temperature = task.aligns ? try scope.parameter("temp", [], .constant(0.07)) : nil
        logitBias =
            configuration.hasLogitBias
            ? try scope.parameter("logit_bias", [], .constant(-10)) : nil
        matching = task.matches ? try MatchingHead(scope, configuration) : nil
        maskedLanguage =
            task == .pretraining
            ? try MaskedLanguageHead(
                scope, configuration.text, words: textEncoder.embeddings.words) : nil
        parameters = scope.parameters
    }

    /// Encodes normalised pixels `[B, 3, S, S]` as tokens `[B, P + 1, D_v]` and features `[B, E]`.
    ///
    /// - Parameter isCheckpointed: as in ``VisionTransformer/callAsFunction(_:isCheckpointed:)``.
    /// - Throws: ``ALBEFError`` if the model has no projections or the pixels have another size.
    public func encodeImages(
        _ pixels: Tensor, isCheckpointed: Bool = false
    ) throws(ALBEFError) -> EncodedImages {
        try encodeImages(
            ofMap: trunkMap(.pixels(pixels), isCheckpointed: isCheckpointed),
            isCheckpointed: isCheckpointed)
    }

    /// What the image encoder's trunk makes of images, as in
    /// ``VisionTransformer/trunkMap(_:isCheckpointed:)``.
    ///
    /// - Throws: ``ALBEFError`` if pixels have another size than the model takes.
    package func trunkMap(
        _ input: ImageInput, isCheckpointed: Bool = false
    ) throws(ALBEFError) -> Tensor {
        let size = configuration.vision.imageSize
        if case .pixels(let pixels) = input {
            guard pixels.rank == 4, Array(pixels.shape.dropFirst()) == [3, size, size] else {
                throw .imageShape(found: pixels.shape, expected: size)
            }
        }
        return visualEncoder.trunkMap(input, isCheckpointed: isCheckpointed)
    }

    /// Encodes what ``trunkMap(_:isCheckpointed:)`` gives, of this model or of one whose trunk has
    /// the same weights.
    ///
    /// - Throws: ``ALBEFError`` if the model has no projections.
    package func encodeImages(
        ofMap map: Tensor, isCheckpointed: Bool = false
    ) throws(ALBEFError) -> EncodedImages {
        guard let alignment else { throw .missingHead("vision_proj", configuration.task) }
        let tokens = visualEncoder.tokens(ofMap: map, isCheckpointed: isCheckpointed)
        return EncodedImages(
            tokens: tokens, features: alignment.imageFeatures(visualEncoder.pooled(tokens)))
    }

    /// Encodes token ids `[B, L]` as states `[B, L, D]` and features `[B, E]`.
    ///
    /// - Parameters:
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    ///   - dropout: nil in evaluation.
    /// - Throws: ``ALBEFError`` if the model has no projections, the text is longer than the table
    ///   of positions, or the ids and the mask differ in shape.
    public func encodeTexts(
        _ ids: Tensor, mask: Tensor, dropout: Dropout? = nil
    ) throws(ALBEFError) -> EncodedTexts {
        guard ids.rank == 2, ids.shape == mask.shape else {
            throw .textShape(ids: ids.shape, mask: mask.shape)
        }
        guard ids.size(1) <= configuration.text.positions else {
            throw .textLength(found: ids.size(1), limit: configuration.text.positions)
        }
        guard let alignment else { throw .missingHead("text_proj", configuration.task) }
        let states = textEncoder.encode(ids, mask: mask, dropout: dropout)
        let pooled = textEncoder.pooled(states, ids: ids, mask: mask)
        return EncodedTexts(
            states: textEncoder.fusionInput(ids, states: states), mask: mask,
            features: alignment.textFeatures(pooled))
    }

    /// Logits `[N, M]` of N texts with M images by their features alone: the cosine over the
    /// temperature, and in SigLIP a bias.
    ///
    /// - Parameters:
    ///   - texts: unit-length features `[N, E]`.
    ///   - images: unit-length features `[M, E]`.
    /// - Throws: ``ALBEFError`` if the model does not compare features.
    public func similarityLogits(_ texts: Tensor, _ images: Tensor) throws(ALBEFError) -> Tensor {
        guard let temperature else { throw .missingHead("temp", configuration.task) }
        let logits = texts.matmul(images.transposed()) / temperature.value
        return logitBias.map { logits + $0.value } ?? logits
    }

    /// Logits `[B, 2]` of (no match, match) for B pairs of a text and an image.
    ///
    /// - Parameters:
    ///   - texts: B encoded texts.
    ///   - tokens: the tokens `[B, P + 1, D_v]` of B images.
    /// - Throws: ``ALBEFError`` if the model has no ITM head or the numbers differ.
    public func matchLogits(_ texts: EncodedTexts, tokens: Tensor) throws(ALBEFError) -> Tensor {
        guard let matching else { throw .missingHead("itm_head", configuration.task) }
        guard tokens.rank == 3, tokens.size(0) == texts.states.size(0) else {
            throw .pairs(texts: texts.states.shape, tokens: tokens.shape)
        }
        // The head reads `[CLS]` alone.
        return matching(
            textEncoder.fuse(
                texts.states, mask: texts.mask, with: textEncoder.memory(of: tokens), .aligned,
                .start))
    }

    /// Logits `[N, 2]` of (no match, match) of N images with one text, or with a text each.
    ///
    /// - Parameters:
    ///   - texts: one encoded text, or N.
    ///   - tokens: the tokens of the images.
    ///   - form: how the fusion encoder reads them; nil for the cheaper way.
    /// - Throws: ``ALBEFError`` if the model has no ITM head or the number of texts is another.
    public func matchLogits(
        _ texts: EncodedTexts, withEach tokens: ImageTokens, form: FusionForm? = nil
    ) throws(ALBEFError) -> Tensor {
        guard let matching else { throw .missingHead("itm_head", configuration.task) }
        guard tokens.values.rank == 3,
            [1, tokens.values.size(0)].contains(texts.states.size(0))
        else { throw .pairs(texts: texts.states.shape, tokens: tokens.values.shape) }
        return matching(
            textEncoder.fuse(
                texts.states, mask: texts.mask, withEach: tokens, .start, form: form))
    }

    /// Logits `[N, 2]` of (no match, match) for each of N texts with one image, whose keys and values
    /// are projected once.
    ///
    /// - Parameters:
    ///   - texts: N encoded texts.
    ///   - tokens: the tokens `[1, P + 1, D_v]` of the image.
    /// - Throws: ``ALBEFError`` if the model has no ITM head or there is not one image.
    public func matchLogits(
        each texts: EncodedTexts, withOne tokens: Tensor
    ) throws(ALBEFError) -> Tensor {
        guard let matching else { throw .missingHead("itm_head", configuration.task) }
        guard tokens.rank == 3, tokens.size(0) == 1 else {
            throw .pairs(texts: texts.states.shape, tokens: tokens.shape)
        }
        return matching(
            textEncoder.fuse(
                texts.states, mask: texts.mask, with: textEncoder.memory(of: tokens),
                ImagePairing(alignedBlocks: texts.states.size(0)), .start))
    }
}

/// What the image encoder makes of B images.
public struct EncodedImages: Sendable {
    /// Image tokens `[B, P + 1, D_v]`, which the fusion encoder reads.
    public var tokens: Tensor
    /// Unit-length features `[B, E]`, which recall compares.
    public var features: Tensor

    /// Creates encoded images from their parts.
    public init(tokens: Tensor, features: Tensor) {
        self.tokens = tokens
        self.features = features
    }
}

/// What the fusion encoder reads of N images: all their tokens, or fewer that each stand for several.
public struct ImageTokens: Sendable {
    /// Tokens `[N, S, D_v]`; all of an image are `[N, P + 1, D_v]`.
    public var values: Tensor
    /// How many of the encoder's tokens each stands for, `[N, S]`; nil: itself alone.
    public var weights: Tensor?

    /// Tokens, merged ones with what each stands for.
    public init(_ values: Tensor, weights: Tensor? = nil) {
        self.values = values
        self.weights = weights
    }

    /// The same on a device.
    public func to(_ device: Device) -> ImageTokens {
        ImageTokens(values.to(device), weights: weights?.to(device))
    }

    /// What is added to attention's scores, `[N, S]`, so that a token counts as often as it stands
    /// for others: ln w in the exponent is the factor w.
    var scoreBias: Tensor? { weights?.log() }
}

/// What the text encoder makes of B texts.
public struct EncodedTexts: Sendable {
    /// Token states `[B, L, D]`, which the fusion encoder continues from.
    public var states: Tensor
    /// 1 for tokens, 0 for padding, `[B, L]`.
    public var mask: Tensor
    /// Unit-length features `[B, E]`, which recall compares.
    public var features: Tensor

    /// Creates encoded texts from their parts.
    public init(states: Tensor, mask: Tensor, features: Tensor) {
        self.states = states
        self.mask = mask
        self.features = features
    }

    /// The texts of some rows, `[N]` indices, in that order.
    public func rows(_ indices: Tensor) -> EncodedTexts {
        EncodedTexts(
            states: states[indices], mask: mask[indices], features: features[indices])
    }
}
