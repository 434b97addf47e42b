public import OrderedCollections
public import Torch

/// ALBEF (Li et al., NeurIPS 2021): two aligned towers, and a fusion encoder that reads both.
///
/// One class serves all tasks; the task decides which heads a model has. The towers compute
/// features for recall, and the fusion encoder computes match logits for re-ranking.
public final class ALBEFModel: Sendable {
    /// The sizes and conventions.
    public let configuration: ALBEFConfiguration
    /// The device of the parameters.
    public let device: Device
    /// The type in which the encoders multiply matrices.
    public let computeType: ComputeType
    /// The image encoder.
    public let visualEncoder: VisionTransformer
    /// The text encoder and the fusion encoder.
    public let textEncoder: TextEncoder
    /// The projections for recall; nil if the task does not compare features.
    public let alignment: AlignmentHead?
    /// The ITM head; nil if the task does not match.
    public let matching: MatchingHead?
    /// The MLM head; nil except in pretraining.
    public let maskedLanguage: MaskedLanguageHead?
    /// The classification head; nil except in visual entailment and NLVR2.
    public let classification: ClassificationHead?
    /// The decoder of answers; nil except in visual question answering.
    public let answers: AnswerDecoder?
    /// The head of text assignment; nil for other tasks.
    public let assignment: TextAssignmentHead?
    /// The learned temperature tau (equation 1), a scalar; nil if the task does not compare
    /// features.
    public let temperature: Parameter?
    /// A bias added to a pair's logit before the sigmoid; nil except in SigLIP.
    public let logitBias: Parameter?
    /// All parameters by their names in the original implementation.
    public let parameters: OrderedDictionary<String, Parameter>

    /// Creates a model with the parameters of a source.
    ///
    /// - Parameters:
    ///   - configuration: the sizes and conventions.
    ///   - source: the source of parameters.
    ///   - device: the device of the parameters; the CPU by default.
    ///   - computeType: the type in which the encoders of a model that is only used multiply; its
    ///     parameters must not change. `float32` is exact; with `bfloat16`, features and match logits
    ///     differ in their third digit. nil, the default, for a model that may be trained, which
    ///     multiplies in single precision.
    /// - Throws: ``ALBEFError`` if the configuration is invalid; the source's error for a missing or
    ///   misshapen parameter.
    public init(
        _ configuration: ALBEFConfiguration, parameters source: any ParameterSource,
        device: Device = .cpu, computeType: ComputeType? = nil
    ) throws {
        try configuration.validate()
        let scope = ParameterScope(source: source, device: device, computeType: computeType)
        self.configuration = configuration
        self.device = device
        self.computeType = scope.computeType
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
        answers = task == .vqa ? try AnswerDecoder(scope, configuration.text) : nil
        classification = try task.classCount.map {
            try ClassificationHead(scope, width: configuration.text.width, classes: $0)
        }
        assignment =
            task == .textAssignment ? try TextAssignmentHead(scope, configuration) : nil
        parameters = scope.parameters
    }

    /// Encodes normalised pixels `[B, 3, S, S]` as tokens `[B, P + 1, D_v]` and features `[B, E]`.
    ///
    /// - Parameters:
    ///   - pixels: normalised pixels of the model's image size.
    ///   - isCheckpointed: as in ``VisionTransformer/callAsFunction(_:isCheckpointed:)``.
    /// - Throws: ``ALBEFError`` if the model has no projections or the pixels have another size.
    public func encodeImages(
        _ pixels: Tensor, isCheckpointed: Bool = false
    ) throws(ALBEFError) -> EncodedImages {
        try encodeImages(
            ofMap: trunkMap(.pixels(pixels), isCheckpointed: isCheckpointed),
            isCheckpointed: isCheckpointed)
    }

    /// Encodes normalised pixels `[B, 3, S, S]` as tokens `[B, P + 1, D_v]`, without features.
    ///
    /// - Parameters:
    ///   - pixels: normalised pixels of the model's image size.
    ///   - isCheckpointed: as in ``VisionTransformer/callAsFunction(_:isCheckpointed:)``.
    /// - Throws: ``ALBEFError`` if the pixels have another size.
    public func encodeTokens(
        _ pixels: Tensor, isCheckpointed: Bool = false
    ) throws(ALBEFError) -> Tensor {
        visualEncoder.tokens(
            ofMap: try trunkMap(.pixels(pixels), isCheckpointed: isCheckpointed),
            isCheckpointed: isCheckpointed)
    }

    /// Applies the image encoder's trunk as ``VisionTransformer/trunkMap(_:isCheckpointed:)`` does.
    ///
    /// - Throws: ``ALBEFError`` if the pixels have another size than the model requires.
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

    /// Encodes the result of ``trunkMap(_:isCheckpointed:)``, from this model or from one whose
    /// trunk has the same weights.
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
    ///   - ids: token ids.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    ///   - dropout: nil in evaluation.
    /// - Throws: ``ALBEFError`` if the model has no projections, if L is greater than the number of
    ///   positions, or if ids and mask differ in shape.
    public func encodeTexts(
        _ ids: Tensor, mask: Tensor, dropout: Dropout? = nil
    ) throws(ALBEFError) -> EncodedTexts {
        try checkText(ids, mask: mask)
        guard let alignment else { throw .missingHead("text_proj", configuration.task) }
        let states = textEncoder.encode(ids, mask: mask, dropout: dropout)
        let pooled = textEncoder.pooled(states, ids: ids, mask: mask)
        return EncodedTexts(
            states: textEncoder.fusionInput(ids, states: states), mask: mask,
            features: alignment.textFeatures(pooled))
    }

    /// Checks that token ids and their mask are `[B, L]`, and that L is a number of positions that
    /// the model has.
    func checkText(_ ids: Tensor, mask: Tensor) throws(ALBEFError) {
        guard ids.rank == 2, ids.shape == mask.shape else {
            throw .textShape(ids: ids.shape, mask: mask.shape)
        }
        guard ids.size(1) <= configuration.text.positions else {
            throw .textLength(found: ids.size(1), limit: configuration.text.positions)
        }
    }

    /// Returns logits `[N, M]` of N texts with M images by their features alone: the cosine divided
    /// by the temperature, plus a bias in SigLIP.
    ///
    /// - Parameters:
    ///   - texts: unit-length features `[N, E]`.
    ///   - images: unit-length features `[M, E]`.
    /// - Throws: ``ALBEFError`` if the model does not compare features.
    /// - Complexity: O(N · M · E).
    public func similarityLogits(_ texts: Tensor, _ images: Tensor) throws(ALBEFError) -> Tensor {
        guard let temperature else { throw .missingHead("temp", configuration.task) }
        let logits = texts.matmul(images.transposed()) / temperature.value
        return logitBias.map { logits + $0.value } ?? logits
    }

    /// Returns logits `[B, 2]` of (no match, match) for B pairs of a text and an image.
    ///
    /// - Parameters:
    ///   - texts: B encoded texts.
    ///   - tokens: the tokens `[B, P + 1, D_v]` of B images.
    /// - Throws: ``ALBEFError`` if the model has no ITM head, or if the numbers of texts and images
    ///   differ.
    public func matchLogits(_ texts: EncodedTexts, tokens: Tensor) throws(ALBEFError) -> Tensor {
        guard let matching else { throw .missingHead("itm_head", configuration.task) }
        guard tokens.rank == 3, tokens.size(0) == texts.states.size(0) else {
            throw .pairs(texts: texts.states.shape, tokens: tokens.shape)
        }
        // The head reads only `[CLS]`.
        return matching(
            textEncoder.fuse(
                texts.states, mask: texts.mask, with: textEncoder.memory(of: tokens), .aligned,
                .start))
    }

    /// Returns logits `[N, 2]` of (no match, match) for N images with one text, or with one text
    /// per image.
    ///
    /// - Parameters:
    ///   - texts: one encoded text, or N.
    ///   - tokens: the tokens of N images.
    ///   - form: the form of cross-attention; nil for the cheaper one.
    /// - Throws: ``ALBEFError`` if the model has no ITM head, or if the number of texts is neither
    ///   1 nor N.
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

    /// Returns logits `[N, 2]` of (no match, match) for N texts with one image, whose keys and
    /// values are projected once.
    ///
    /// - Parameters:
    ///   - texts: N encoded texts.
    ///   - tokens: the tokens `[1, P + 1, D_v]` of the image.
    /// - Throws: ``ALBEFError`` if the model has no ITM head, or if `tokens` is not of one image.
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

/// The output of the image encoder for B images.
public struct EncodedImages: Sendable {
    /// Image tokens `[B, P + 1, D_v]`, the input of the fusion encoder.
    public var tokens: Tensor
    /// Unit-length features `[B, E]` for recall.
    public var features: Tensor

    /// Creates encoded images from tokens and features.
    public init(tokens: Tensor, features: Tensor) {
        self.tokens = tokens
        self.features = features
    }
}

/// The image input of the fusion encoder: all tokens of N images, or fewer that were merged.
public struct ImageTokens: Sendable {
    /// Tokens `[N, S, D_v]`; S is P + 1 if none are merged.
    public var values: Tensor
    /// The number of the encoder's tokens that each token replaces, `[N, S]`; nil if none are
    /// merged.
    public var weights: Tensor?

    /// Creates tokens, with the number that each replaces.
    public init(_ values: Tensor, weights: Tensor? = nil) {
        self.values = values
        self.weights = weights
    }

    /// Returns the tokens on a device.
    public func to(_ device: Device) -> ImageTokens {
        ImageTokens(values.to(device), weights: weights?.to(device))
    }

    /// The bias `[N, S]` of the attention scores by which a merged token counts for all that it
    /// replaces: ln w in the exponent is the factor w.
    var scoreBias: Tensor? { weights?.log() }
}

/// The output of the text encoder for B texts.
public struct EncodedTexts: Sendable {
    /// Token states `[B, L, D]`, the input of the fusion encoder.
    public var states: Tensor
    /// 1 for tokens, 0 for padding, `[B, L]`.
    public var mask: Tensor
    /// Unit-length features `[B, E]` for recall.
    public var features: Tensor

    /// Creates encoded texts from states, mask and features.
    public init(states: Tensor, mask: Tensor, features: Tensor) {
        self.states = states
        self.mask = mask
        self.features = features
    }

    /// Returns the texts of some rows in the given order; `indices` is `[N]`.
    public func rows(_ indices: Tensor) -> EncodedTexts {
        EncodedTexts(
            states: states[indices], mask: mask[indices], features: features[indices])
    }
}
