public import Torch

/// The image regions that make an image similar to a text: Grad-CAM on the image encoder's
/// attention, ALBEF's localisation by ITC.
///
/// A map is the mean over heads of `A · max(∂y/∂A, 0)`. `A` `[H, P]` is the row of the class token in
/// the attention of one block, without the class token's own column, and y is the cosine over the
/// temperature. The text enters through its feature alone, so that there are no maps of tokens.
public struct TowerGradCAM: Sendable {
    /// One map per pair, `[B, h, w]`; not negative.
    public var maps: Tensor
    /// The cosines of the pairs' features, `[B]`.
    public var similarities: Tensor
    /// The block whose attention was used, counted from 0.
    public var block: Int
}

extension ALBEFModel {
    /// Explains the similarities of B pairs of a text and an image by several blocks of the image
    /// encoder, in one forward and one backward pass.
    ///
    /// The blocks below the lowest given one run without gradients, once per image. The method can
    /// also be called inside `withoutGradients`.
    ///
    /// - Parameters:
    ///   - features: unit-length features `[B, E]` of texts.
    ///   - pixels: normalised pixels `[N, 3, S, S]` of N images.
    ///   - images: the image of each text, B indices below N; nil, the default, if text i is paired
    ///     with image i.
    ///   - blocks: the blocks whose attention is used, counted from 0.
    /// - Returns: one result per block, in the given order.
    /// - Throws: ``ALBEFError`` if the model does not compare features, if it compares images by
    ///   another state than the class token's, if there is no such block, if the pixels have another
    ///   size, or if the numbers of texts and images differ; `TorchError` if there is not enough
    ///   memory.
    /// - Complexity: Memory grows with B · (P + 1) for each block from the lowest given one.
    public func gradCAM(
        ofSimilarityTo features: Tensor, pixels: Tensor, images: [Int]? = nil, blocks: [Int]
    ) throws -> [TowerGradCAM] {
        let vision = configuration.vision
        guard let alignment, let temperature else {
            throw ALBEFError.missingHead("vision_proj", configuration.task)
        }
        let known = try configuration.gradCAMLayers(.itc)
        for block in blocks where !known.contains(block) {
            throw ALBEFError.block(block, of: vision)
        }
        let side = try vision.heatMapSide()
        let map = try withoutGradients { try trunkMap(.pixels(pixels)) }
        guard features.rank == 2, Self.pairs(features.size(0), images, of: pixels.size(0)) else {
            throw ALBEFError.pairs(texts: features.shape, tokens: pixels.shape)
        }
        let found = try WeightedAttention.of(blocks) { watch in
            let state = visualEncoder.classState(
                ofMap: map, rows: images.map { Tensor($0, device: device) },
                watching: Set(blocks), watch)
            let cosines = (alignment.imageFeatures(state) * features).sum(-1)
            return (cosines, score: cosines / temperature.value)
        }
        return withoutGradients {
            zip(blocks, found.heat).map { block, heat in
                let maps = heat.mean(1).narrowed(2, from: vision.prefixCount, length: side * side)
                return TowerGradCAM(
                    maps: maps.reshaped(heat.size(0), side, side), similarities: found.output,
                    block: block)
            }
        }
    }
}
