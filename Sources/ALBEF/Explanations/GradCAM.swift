public import Torch

/// The image regions that make each token of a text match: Grad-CAM (Selvaraju et al., 2017) on the
/// fusion encoder's cross-attention, as in ALBEF's visualisation.
///
/// A token's map is the mean over heads of `A · max(∂y/∂A, 0)`. A `[H, L, P]` are the attention
/// probabilities of one layer, without the column of the image's class token, and y is the match
/// logit. A map is high where the token attends and this attention raises the match logit. Maps are
/// comparable within one pair.
public struct GradCAM: Sendable {
    /// One map per token, `[B, L, h, w]`; not negative, and 0 for padding.
    public var tokens: Tensor
    /// The map of the whole sentence, `[B, h, w]`, by which the original localises.
    ///
    /// It is the mean over all L tokens, including padding.
    public var sentence: Tensor
    /// Logits `[B, 2]` of (no match, match), as ``ALBEFModel/matchLogits(_:tokens:)`` returns them.
    public var logits: Tensor
    /// The layer whose attention was used, counted from 0 over the whole BERT stack.
    public var layer: Int
}

extension ALBEFConfiguration.Text {
    /// The layer that is explained by default; nil without fusion layers.
    ///
    /// It is the third fusion layer, index 8 of the paper's twelve, which its authors found best.
    /// In shallower models it is the last but one at most: only `[CLS]` of the last layer is read,
    /// so that no other token has a gradient there.
    public var explainedLayer: Int? {
        let count = depth - fusionLayer
        return count > 0 ? fusionLayer + max(0, min(2, count - 2)) : nil
    }
}

extension ALBEFModel {
    /// Explains the match logits of B pairs of a text and an image.
    ///
    /// The layers below the explained one run without gradients. The method can also be called
    /// inside `withoutGradients`.
    ///
    /// - Parameters:
    ///   - texts: B encoded texts.
    ///   - tokens: all tokens `[B, P + 1, D_v]` of B images, the class token first.
    ///   - layer: the layer whose attention is used, counted from 0 over the whole BERT stack; nil
    ///     for ``ALBEFConfiguration/Text/explainedLayer``.
    /// - Throws: ``ALBEFError`` if the model has no ITM head, if the numbers of texts and images
    ///   differ, if the layer does not read images, or if patches come from several grids.
    public func gradCAM(
        _ texts: EncodedTexts, tokens: Tensor, layer: Int? = nil
    ) throws -> GradCAM {
        let text = configuration.text
        guard let layer = layer ?? text.explainedLayer,
            let found = try gradCAM(texts, tokens: tokens, layers: [layer]).first
        else { throw ALBEFError.layer(nil, of: text) }
        return found
    }

    /// Explains the match logits of B pairs by several layers, in one forward and one backward pass.
    ///
    /// - Parameters:
    ///   - texts: B encoded texts.
    ///   - tokens: all tokens `[N, P + 1, D_v]` of N images, the class token first.
    ///   - images: the image of each text, B indices below N; nil, the default, if text i is paired
    ///     with image i.
    ///   - layers: the layers whose attention is used, counted from 0 over the whole BERT stack.
    /// - Returns: one result per layer, in the given order.
    /// - Throws: ``ALBEFError`` as for one layer, also if an index is not that of an image;
    ///   `TorchError` if there is not enough memory.
    /// - Complexity: Memory grows with B · (P + 1) for each layer from the lowest given one.
    public func gradCAM(
        _ texts: EncodedTexts, tokens: Tensor, images: [Int]? = nil, layers: [Int]
    ) throws -> [GradCAM] {
        let vision = configuration.vision
        let side = try vision.heatMapSide()
        guard tokens.rank == 3, tokens.size(1) == vision.tokenCount else {
            throw ALBEFError.pairs(texts: texts.states.shape, tokens: tokens.shape)
        }
        let found = try WeightedAttention.of(layers) { watch in
            let logits = try matchLogits(
                texts, tokens: tokens, images: images, layers: layers, weights: watch)
            return (logits, score: logits[.all, 1])
        }
        return withoutGradients {
            let mask = texts.mask.to(.float32)[.all, .new].unsqueezed(-1)
            return zip(layers, found.heat).map { layer, heat in
                let (count, length) = (heat.size(0), heat.size(2))
                let maps = (heat * mask).mean(1)
                    .narrowed(2, from: vision.prefixCount, length: side * side)
                    .reshaped(count, length, side, side)
                return GradCAM(
                    tokens: maps, sentence: maps.mean(1), logits: found.output, layer: layer)
            }
        }
    }

    /// Returns match logits `[B, 2]` of B pairs, and lets a closure replace one layer's attention.
    ///
    /// - Parameters:
    ///   - texts: B encoded texts.
    ///   - tokens: image tokens `[B, P + 1, D_v]`.
    ///   - layer: the layer, counted from 0 over the whole BERT stack.
    ///   - weights: receives the attention probabilities `[B, H, L, P + 1]` and returns those to
    ///     use.
    /// - Throws: ``ALBEFError`` if the model has no ITM head, if the numbers of texts and images
    ///   differ, or if the layer does not read images.
    package func matchLogits(
        _ texts: EncodedTexts, tokens: Tensor, layer: Int, weights: @escaping (Tensor) -> Tensor
    ) throws(ALBEFError) -> Tensor {
        try matchLogits(texts, tokens: tokens, images: nil, layers: [layer]) { weights($1) }
    }

    private func matchLogits(
        _ texts: EncodedTexts, tokens: Tensor, images: [Int]?, layers: [Int],
        weights: @escaping (Int, Tensor) -> Tensor
    ) throws(ALBEFError) -> Tensor {
        guard let matching else { throw .missingHead("itm_head", configuration.task) }
        let count = texts.states.size(0)
        guard tokens.rank == 3, Self.pairs(count, images, of: tokens.size(0)) else {
            throw .pairs(texts: texts.states.shape, tokens: tokens.shape)
        }
        let text = configuration.text
        for layer in layers where !(text.fusionLayer..<text.depth).contains(layer) {
            throw .layer(layer, of: text)
        }
        return matching(
            textEncoder.fuse(
                texts.states, mask: texts.mask, image: tokens,
                rows: images.map { Tensor($0, device: device) },
                watching: Set(layers.map { $0 - text.fusionLayer })
            ) { weights($0 + text.fusionLayer, $1) })
    }

    /// Returns whether each of B texts has one of N images.
    static func pairs(_ count: Int, _ images: [Int]?, of imageCount: Int) -> Bool {
        guard let images else { return count == imageCount }
        return images.count == count && images.allSatisfy { (0..<imageCount).contains($0) }
    }
}
