public import Torch

extension ALBEFModel {
    /// Returns logits `[B, C]` of the classes of B texts, each with one image in visual entailment
    /// or with two in NLVR2.
    ///
    /// The classes of entailment are contradiction, neutral and entailment; those of NLVR2 are false
    /// and true.
    ///
    /// - Parameters:
    ///   - ids: token ids `[B, L]`.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    ///   - images: the tokens `[B, P + 1, D_v]` of B images, once or twice; see
    ///     ``encodeTokens(_:isCheckpointed:)``.
    ///   - dropout: nil in evaluation.
    /// - Throws: ``ALBEFError`` if the model has no classification head, if the number of images per
    ///   text differs from the task's, if the texts do not fit the model, or if the numbers of texts
    ///   and images differ.
    public func classLogits(
        _ ids: Tensor, mask: Tensor, images: [Tensor], dropout: Dropout? = nil
    ) throws(ALBEFError) -> Tensor {
        guard let classification else { throw .missingHead("cls_head", configuration.task) }
        return classification(
            try fused(ids, mask: mask, images: images, .start, dropout: dropout))
    }

    /// Returns logits `[B, 3]` that each text belongs to the first image, to the second one, or to
    /// neither.
    ///
    /// - Parameters:
    ///   - ids: token ids `[B, L]`.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    ///   - images: the tokens `[B, P + 1, D_v]` of the first and of the second images.
    ///   - dropout: nil in evaluation.
    /// - Throws: ``ALBEFError`` if the model has no head of text assignment, if there are not two
    ///   images, if the texts do not fit the model, or if the numbers of texts and images differ.
    public func assignmentLogits(
        _ ids: Tensor, mask: Tensor, images: [Tensor], dropout: Dropout? = nil
    ) throws(ALBEFError) -> Tensor {
        guard let assignment else { throw .missingHead("ta_head", configuration.task) }
        return assignment(try fused(ids, mask: mask, images: images, .start, dropout: dropout))
    }

    /// Reads N questions with an image each.
    ///
    /// - Parameters:
    ///   - ids: token ids `[N, L]`.
    ///   - mask: 1 for tokens, 0 for padding, `[N, L]`.
    ///   - tokens: the tokens `[N, P + 1, D_v]` of the images; see
    ///     ``encodeTokens(_:isCheckpointed:)``.
    ///   - dropout: nil in evaluation.
    /// - Throws: ``ALBEFError`` if the model has no answer decoder, if the texts do not fit the
    ///   model, or if the numbers of texts and images differ.
    public func encodeQuestions(
        _ ids: Tensor, mask: Tensor, tokens: Tensor, dropout: Dropout? = nil
    ) throws(ALBEFError) -> EncodedQuestions {
        guard answers != nil else { throw .missingHead("text_decoder", configuration.task) }
        return EncodedQuestions(
            states: try fused(ids, mask: mask, images: [tokens], dropout: dropout), mask: mask)
    }

    /// Reads texts with the images that the task gives each of them.
    ///
    /// - Parameters:
    ///   - ids: token ids `[B, L]`.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    ///   - images: the tokens `[B, P + 1, D_v]` of B images, twice in a task of two images.
    ///   - selection: the tokens of the last layer whose states are needed; all by default.
    ///   - dropout: nil in evaluation.
    /// - Returns: fused token states `[B, K, D]`.
    /// - Throws: ``ALBEFError`` if the number of images per text differs from the task's, if the
    ///   texts do not fit the model, or if the numbers of texts and images differ.
    public func fused(
        _ ids: Tensor, mask: Tensor, images: [Tensor], _ selection: TokenSelection = .all,
        dropout: Dropout? = nil
    ) throws(ALBEFError) -> Tensor {
        try checkText(ids, mask: mask)
        let task = configuration.task
        let expected = task.pairsImages ? 2 : 1
        guard images.count == expected else {
            throw .images(found: images.count, expected: expected, task)
        }
        for tokens in images where tokens.rank != 3 || tokens.size(0) != ids.size(0) {
            throw .pairs(texts: ids.shape, tokens: tokens.shape)
        }
        let states = textEncoder.encode(ids, mask: mask, dropout: dropout)
        return textEncoder.fuse(
            textEncoder.fusionInput(ids, states: states), mask: mask,
            with: textEncoder.memory(of: images), .aligned, selection, dropout: dropout)
    }

    /// Reads R texts with one image each, of N images whose keys and values are projected once.
    ///
    /// - Parameters:
    ///   - ids: token ids `[R, L]`.
    ///   - mask: 1 for tokens, 0 for padding, `[R, L]`.
    ///   - tokens: the tokens `[N, P + 1, D_v]` of the images.
    ///   - chosen: the image of each text, `[R]` indices.
    ///   - selection: the tokens of the last layer whose states are needed; all by default.
    /// - Returns: fused token states `[R, K, D]`.
    /// - Throws: ``ALBEFError`` if the model has no fusion layer or reads two images per text, if the
    ///   texts do not fit the model, or if `chosen` is not one index per text.
    public func fused(
        _ ids: Tensor, mask: Tensor, tokens: Tensor, chosen: Tensor,
        _ selection: TokenSelection = .all
    ) throws(ALBEFError) -> Tensor {
        try checkText(ids, mask: mask)
        let task = configuration.task
        guard !textEncoder.fusionLayers.isEmpty else { throw .noFusion }
        guard !task.pairsImages else { throw .images(found: 1, expected: 2, task) }
        guard tokens.rank == 3, chosen.shape == [ids.size(0)] else {
            throw .pairs(texts: ids.shape, tokens: tokens.shape)
        }
        let states = textEncoder.encode(ids, mask: mask)
        return textEncoder.fuse(
            textEncoder.fusionInput(ids, states: states), mask: mask,
            with: textEncoder.memory(of: tokens), ImagePairing(alignedBlocks: 0, chosen: chosen),
            selection)
    }
}
