public import Torch

/// The scores of texts with images: by the two towers for all pairs, by the fusion encoder for the
/// best of them.
///
/// The original's protocol: each image re-ranks its k best texts, each text its k best images;
/// what is not among them keeps -100.
public struct RetrievalScores: Sendable {
    /// Cosines of all pairs, `[I, T]`.
    public let similarities: Tensor
    private let gallery: EncodedImageSet
    private let texts: EncodedTexts
    private let model: ALBEFModel
    /// Divides cosines in scores; that of the model which the features are of.
    private let temperature: Float

    /// Compares images and texts by their features.
    ///
    /// - Parameters:
    ///   - gallery: I images.
    ///   - texts: states `[T, L, D]` and features `[T, E]`.
    ///   - model: what tokens and states are of.
    ///   - recall: what the features are of, where that is another model.
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

    /// What the towers alone find.
    ///
    /// - Parameters:
    ///   - images: the index of each text's image, T of them.
    ///   - texts: what each text says after cleaning, T of them; texts of the same words are one
    ///     answer.
    public func dual(images: [Int], texts: [String]) -> RecallRanks {
        RecallRanks(
            imageToText: similarities, textToImage: similarities.transposed().contiguous(),
            images: images, texts: texts)
    }

    /// What the fusion encoder makes of the best of each row, both ways.
    public struct Reranked: Sendable {
        /// Scores `[I, T]` of images for texts; -100 where a text was not among the best.
        public let imageToText: Tensor
        /// Scores `[T, I]` of texts for images; -100 where an image was not among the best.
        public let textToImage: Tensor
    }

    /// What the fusion encoder makes of the best `depth` of each row, both ways.
    ///
    /// - Throws: as ``reranked(depths:ranking:progress:)``.
    public func reranked(
        depth: Int, ranking: RankingScore, progress: (Int) throws -> Void = { _ in }
    ) throws -> Reranked {
        try reranked(depths: [depth], ranking: ranking, progress: progress)[0]
    }

    /// The same for several depths, for the work of the deepest.
    ///
    /// An image's keys and values are projected once for all the texts it is read with, and a pair
    /// that both sides want is read once.
    ///
    /// - Parameters:
    ///   - depths: k; beyond what there is, all are read.
    ///   - ranking: what the candidates are ordered by.
    ///   - progress: called with the number of images done; throws to stop.
    /// - Returns: scores for each depth, in their order.
    /// - Throws: ``ALBEFError`` if the model has no ITM head; what `progress` throws; `TorchError` in
    ///   a `recovering` that has failed.
    public func reranked(
        depths: [Int], ranking: RankingScore, progress: (Int) throws -> Void = { _ in }
    ) throws -> [Reranked] {
        // Memory that was too little for the scores is too little for a copy of them.
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

    /// Match logits of one text with some images.
    ///
    /// - Throws: ``ALBEFError`` if the model has no ITM head.
    public func matchLogits(text: Int, images: [Int]) throws(ALBEFError) -> [MatchLogits] {
        guard !images.isEmpty else { return [] }
        return try withoutGradients { () throws(ALBEFError) in
            let one = texts.rows(Tensor([text], device: model.device))
            let tokens = ImageTokens(gallery.tokens(of: images))
            return MatchLogits.rows(of: try model.matchLogits(one, withEach: tokens))
        }
    }

    /// Match logits of one image with some texts.
    ///
    /// - Parameters:
    ///   - image: the image's index.
    ///   - rows: the texts' indices; may be none.
    /// - Throws: ``ALBEFError`` if the model has no ITM head.
    public func matchLogits(image: Int, texts rows: [Int]) throws(ALBEFError) -> [MatchLogits] {
        guard !rows.isEmpty else { return [] }
        return try withoutGradients { () throws(ALBEFError) in
            let chosen = texts.rows(Tensor(rows, device: model.device))
            return MatchLogits.rows(
                of: try model.matchLogits(each: chosen, withOne: gallery.tokens(of: image)))
        }
    }

    /// The `depth` best columns of each row, best first.
    public static func best(_ scores: Tensor, _ depth: Int) -> [[Int]] {
        let depth = min(depth, scores.size(1))
        guard depth > 0 else { return [[Int]](repeating: [], count: scores.size(0)) }
        let flat: [Int] = scores.topK(depth).indices.values()
        return (0..<scores.size(0)).map { Array(flat[$0 * depth..<($0 + 1) * depth]) }
    }
}
