public import Torch

/// Where in an image each token of a text finds what makes them match: Grad-CAM (Selvaraju et al.,
/// 2017) on the fusion encoder's cross-attention, as ALBEF's visualisation computes it.
///
/// For attention probabilities A `[H, L, P]` of one layer, without the column of the image's class
/// token, and the match logit y, a token's map is the mean over heads of `A · max(∂y/∂A, 0)`: where it
/// looks, and looking there speaks for a match. Maps are comparable within one pair.
public struct GradCAM: Sendable {
    /// A map a token, `[B, L, h, w]`; not negative, 0 for padding.
    public var tokens: Tensor
    /// The mean over all L tokens, `[B, h, w]`: the map of the whole sentence, which the original
    /// localises by (padding, whose maps are 0, counts).
    public var sentence: Tensor
    /// Logits `[B, 2]` of (no match, match), as ``ALBEFModel/matchLogits(_:tokens:)`` gives them.
    public var logits: Tensor
    /// The layer whose attention was taken, counted from 0 over all of the BERT stack.
    public var layer: Int
}

extension ALBEFConfiguration.Text {
    /// The layer that is explained where none is asked for; nil without fusion layers.
    ///
    /// The third fusion layer, index 8 of the paper's twelve, which its authors found best. In
    /// shallower models the last but one at most: of the last layer only `[CLS]` is read, so that no
    /// other token has a gradient.
    public var explainedLayer: Int? {
        let count = depth - fusionLayer
        return count > 0 ? fusionLayer + max(0, min(2, count - 2)) : nil
    }
}

extension ALBEFModel {
    /// Explains the match logits of B pairs of a text and an image.
    ///
    /// Everything below the layer runs without gradients; only that layer's attention is spelled
    /// out. Callable also where gradients are turned off.
    ///
    /// - Parameters:
    ///   - texts: B encoded texts.
    ///   - tokens: all tokens `[B, P + 1, D_v]` of B images, the class token first.
    ///   - layer: whose attention to take, counted from 0 over all of the BERT stack; nil for
    ///     ``ALBEFConfiguration/Text/explainedLayer``.
    /// - Throws: ``ALBEFError`` if the model has no ITM head, the numbers differ, the layer does not
    ///   read images, or their patches are of several grids.
    public func gradCAM(
        _ texts: EncodedTexts, tokens: Tensor, layer: Int? = nil
    ) throws -> GradCAM {
        let text = configuration.text
        guard let layer = layer ?? text.explainedLayer else {
            throw ALBEFError.layer(nil, of: text)
        }
        let vision = configuration.vision
        guard let side = vision.gridSide else { throw ALBEFError.severalGrids(vision) }
        guard tokens.rank == 3, tokens.size(1) == vision.tokenCount else {
            throw ALBEFError.pairs(texts: texts.states.shape, tokens: tokens.shape)
        }
        return try withGradients {
            var watched: Tensor?
            let logits = try matchLogits(texts, tokens: tokens, layer: layer) { probabilities in
                let leaf = probabilities.requiringGrad()
                watched = leaf
                return leaf
            }
            guard let attention = watched,
                let gradient = try logits[.all, 1].sum()
                    .gradients(withRespectTo: [attention]).first ?? nil
            else { throw ALBEFError.layer(nil, of: text) }
            return withoutGradients {
                let mask = texts.mask.to(attention.dtype)[.all, .new].unsqueezed(-1)
                let heat = attention.detached() * gradient.relu() * mask
                let (count, length) = (heat.size(0), heat.size(2))
                let maps = heat.mean(1)
                    .narrowed(2, from: vision.prefixCount, length: side * side)
                    .reshaped(count, length, side, side)
                return GradCAM(
                    tokens: maps, sentence: maps.mean(1), logits: logits.detached(), layer: layer)
            }
        }
    }

    /// Match logits `[B, 2]` of B pairs, with one fusion layer's attention exchanged on the way.
    ///
    /// - Parameters:
    ///   - layer: the layer, counted from 0 over all of the BERT stack.
    ///   - weights: is given its attention probabilities `[B, H, L, P + 1]` and returns those to use.
    /// - Throws: ``ALBEFError`` as ``gradCAM(_:tokens:layer:)`` does.
    package func matchLogits(
        _ texts: EncodedTexts, tokens: Tensor, layer: Int, weights: (Tensor) -> Tensor
    ) throws(ALBEFError) -> Tensor {
        guard let matching else { throw .missingHead("itm_head", configuration.task) }
        guard tokens.rank == 3, tokens.size(0) == texts.states.size(0) else {
            throw .pairs(texts: texts.states.shape, tokens: tokens.shape)
        }
        let index = layer - configuration.text.fusionLayer
        guard textEncoder.fusionLayers.indices.contains(index) else {
            throw .layer(layer, of: configuration.text)
        }
        return matching(
            textEncoder.fuse(
                texts.states, mask: texts.mask, image: tokens, watching: index, weights))
    }
}
