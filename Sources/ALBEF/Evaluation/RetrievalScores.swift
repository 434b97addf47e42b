public import Torch

/// The scores of texts with images: by the two towers for all pairs, and by the fusion encoder for
/// the best pairs.
///
/// This follows the original's protocol: each image re-ranks its k best texts, and each text its k
/// best images. All other pairs score -100.
public struct RetrievalScores: Sendable {
    /// The cosines of all pairs, `[I, T]`.
    public let similarities: Tensor
    private let gallery: EncodedImageSet
    private let texts: EncodedTexts
    private let model: ALBEFModel
    /// Divides cosines in scores; it belongs to the model that computed the features.
    private let temperature: Float

    /// Compares images and texts by their features.
    ///
    /// - Parameters:
    ///   - gallery: I encoded images.
    ///   - texts: states `[T, L, D]` and features `[T, E]`.
    ///   - model: the model that computed tokens and states, and re-ranks.
    ///   - recall: the model that computed the features; nil for `model`.
    /// - Complexity: O(I · T · E).
    public init(
        _ gallery: EncodedImageSet, _ texts: EncodedTexts, model: ALBEFModel,
        recall: ALBEFModel? = nil
    ) {
        temperature = (recall ?? model).temperatureValue
        similarities = gallery.features.matmul(texts.features.transposed())
        self.gallery = gallery
        self.texts = texts
        self.model = model
    }

    /// Ranks all pairs by the towers alone.
    ///
    /// - Parameters:
    ///   - images: the index of each text's image; T indices.
    ///   - texts: the words of each text after cleaning; T texts. Texts of the same words are one
    ///     answer.
    /// - Returns: the rank of each query's answer.
    /// - Complexity: O(I · T).
    public func dual(images: [Int], texts: [String]) -> RecallRanks {
        RecallRanks(
            imageToText: similarities, textToImage: similarities.transposed().contiguous(),
            images: images, texts: texts)
    }

    /// The fusion encoder's scores of the best candidates of each query, both ways.
    public struct Reranked: Sendable {
        /// Scores `[I, T]` of images for texts; -100 if a text was not among the best.
        public let imageToText: Tensor
        /// Scores `[T, I]` of texts for images; -100 if an image was not among the best.
        public let textToImage: Tensor
    }

    /// Re-ranks the best `depth` candidates of each query by the fusion encoder, both ways.
    ///
    /// - Parameters:
    ///   - depth: the number k of candidates per query; a larger number than that of all candidates
    ///     means all.
    ///   - ranking: the score that orders candidates.
    ///   - progress: called with the number of images done; throws to stop.
    /// - Throws: the errors of ``reranked(depths:ranking:progress:)``.
    /// - Complexity: at most (I + T) · `depth` passes of a pair through the fusion encoder.
    public func reranked(
        depth: Int, ranking: RankingScore, progress: (Int) throws -> Void = { _ in }
    ) throws -> Reranked {
        try reranked(depths: [depth], ranking: ranking, progress: progress)[0]
    }

    /// Re-ranks at several depths for the cost of the deepest.
    ///
    /// An image's keys and values are projected once for all the texts that are read with it, and a
    /// pair that both directions need is computed once.
    ///
    /// - Parameters:
    ///   - depths: numbers k of candidates per query; a larger number than that of all candidates
    ///     means all.
    ///   - ranking: the score that orders candidates.
    ///   - progress: called with the number of images done; throws to stop.
    /// - Returns: one result per depth, in the order of `depths`.
    /// - Throws: ``ALBEFError`` if the model has no ITM head; `TorchError` if memory ran out inside
    ///   `recovering`; any error that `progress` throws.
    /// - Complexity: at most (I + T) · k passes of a pair through the fusion encoder, for the
    ///   largest k.
    public func reranked(
        depths: [Int], ranking: RankingScore, progress: (Int) throws -> Void = { _ in }
    ) throws -> [Reranked] {
        // If memory was too small for the scores, it is too small for a copy of them.
        try TorchError.throwPending()
        let (imageCount, textCount) = (similarities.size(0), similarities.size(1))
        let deepest = depths.max() ?? 0
        let byImage = Self.best(similarities, deepest)
        let byText = Self.best(similarities.transposed().contiguous(), deepest)
        var wanted = byImage.map { Set($0) }
        for (text, images) in byText.enumerated() {
            for image in images { wanted[image].insert(text) }
        }
        let cosines: [Float] = similarities.values()
        var scores = [[Int: Float]](repeating: [:], count: imageCount)
        for image in 0..<imageCount {
            let rows = wanted[image].sorted()
            for (text, logits) in zip(rows, try matchLogits(image: image, texts: rows)) {
                scores[image][text] = ranking(
                    logits, similarity: cosines[image * textCount + text], temperature: temperature)
            }
            try TorchError.throwPending()
            try progress(image + 1)
        }
        return depths.map { depth in
            var imageToText = [Float](repeating: -100, count: imageCount * textCount)
            var textToImage = imageToText
            for (image, texts) in byImage.enumerated() {
                for text in texts.prefix(depth) {
                    imageToText[image * textCount + text] = scores[image][text] ?? -100
                }
            }
            for (text, images) in byText.enumerated() {
                for image in images.prefix(depth) {
                    textToImage[text * imageCount + image] = scores[image][text] ?? -100
                }
            }
            return Reranked(
                imageToText: Tensor(imageToText, shape: [imageCount, textCount]),
                textToImage: Tensor(textToImage, shape: [textCount, imageCount]))
        }
    }

    /// Returns the match logits of one text with several images.
    ///
    /// - Parameters:
    ///   - text: the text's index.
    ///   - images: the images' indices; may be empty.
    /// - Returns: one value per image, in the order of `images`.
    /// - Throws: ``ALBEFError`` if the model has no ITM head.
    public func matchLogits(text: Int, images: [Int]) throws(ALBEFError) -> [MatchLogits] {
        guard !images.isEmpty else { return [] }
        return try withoutGradients { () throws(ALBEFError) in
            let one = texts.rows(Tensor([text], device: model.device))
            let tokens = ImageTokens(gallery.tokens(of: images))
            return MatchLogits.rows(of: try model.matchLogits(one, withEach: tokens))
        }
    }

    /// Returns the match logits of one image with several texts.
    ///
    /// - Parameters:
    ///   - image: the image's index.
    ///   - rows: the texts' indices; may be empty.
    /// - Returns: one value per text, in the order of `rows`.
    /// - Throws: ``ALBEFError`` if the model has no ITM head.
    public func matchLogits(image: Int, texts rows: [Int]) throws(ALBEFError) -> [MatchLogits] {
        guard !rows.isEmpty else { return [] }
        return try withoutGradients { () throws(ALBEFError) in
            let chosen = texts.rows(Tensor(rows, device: model.device))
            return MatchLogits.rows(
                of: try model.matchLogits(each: chosen, withOne: gallery.tokens(of: image)))
        }
    }

    /// Returns the indices of the `depth` highest scores of each row, highest first.
    ///
    /// - Parameters:
    ///   - scores: `[R, C]`.
    ///   - depth: the number of indices per row; at most C are returned.
    /// - Returns: R lists of column indices.
    public static func best(_ scores: Tensor, _ depth: Int) -> [[Int]] {
        let depth = min(depth, scores.size(1))
        guard depth > 0 else { return [[Int]](repeating: [], count: scores.size(0)) }
        let flat: [Int] = scores.topK(depth).indices.values()
        return (0..<scores.size(0)).map { Array(flat[$0 * depth..<($0 + 1) * depth]) }
    }
}
