public import ALBEF
package import ImageText
import Torch

/// Encodes the images and texts of an evaluation, some at once; of nothing it makes nothing.
package struct EvaluationEncoder: Sendable {
    /// What the model's inputs go through.
    let preprocessing: ModelPreprocessing
    /// What the features are of, where that is another model than the one of tokens and states.
    package var recall: RecallModel?

    /// Encodes with one model, or with two where `recall` gives the features.
    package init(preprocessing: ModelPreprocessing, recall: RecallModel? = nil) {
        self.preprocessing = preprocessing
        self.recall = recall
    }

    /// Images that are encoded at once.
    static let imagesAtOnce = 64
    /// Texts that are encoded at once.
    static let textsAtOnce = 256

    /// Encodes images, which are read or drawn in parallel.
    ///
    /// - Parameter image: gives the image of an index below `count`.
    /// - Throws: what `image` throws; `FileError` if tokens that are too many for the memory
    ///   cannot be written; `TorchError` if there is not enough memory; `CancellationError`.
    package func images(
        _ count: Int, _ model: ALBEFModel, image: @escaping @Sendable (Int) throws -> RGBImage
    ) async throws -> EncodedImageSet {
        let vision = model.configuration.vision
        var tokens = SpilledTokens(
            byteCount: count * vision.tokenCount * vision.width * MemoryLayout<Float>.size)
        var features: [Tensor] = []
        for start in stride(from: 0, to: count, by: Self.imagesAtOnce) {
            try Task.checkCancellation()
            let range = start..<min(start + Self.imagesAtOnce, count)
            let prepared = try await withThrowingTaskGroup(of: (Int, Prepared).self) { group in
                for index in range {
                    group.addTask { (index - start, prepare(try image(index))) }
                }
                var prepared = [Prepared](repeating: Prepared(), count: range.count)
                for try await (index, one) in group { prepared[index] = one }
                return prepared
            }
            let encoded = try images(prepared, model)
            try tokens.append(encoded.tokens)
            features.append(encoded.features)
        }
        let sizes = (recall?.model ?? model).configuration
        return EncodedImageSet(
            tokens: tokens.blocks,
            features: features.isEmpty
                ? .zeros([0, sizes.embeddingWidth], device: model.device)
                : Tensor.concatenated(features))
    }

    /// An image as the models take it.
    package struct Prepared: Sendable {
        /// For the model of tokens, `[3, S, S]`.
        var pixels: [Float] = []
        /// For the model of features, `[3, R, R]`, where that is another.
        var recall: [Float] = []
    }

    /// Brings an image to the sizes and ranges of the models.
    func prepare(_ image: RGBImage) -> Prepared {
        Prepared(
            pixels: preprocessing.image(image), recall: recall?.preprocessing.image(image) ?? []
        )
    }

    /// Encodes prepared images, at least one, in one batch.
    ///
    /// - Throws: `TorchError` if there is not enough memory; what the models throw.
    package func images(_ prepared: [Prepared], _ model: ALBEFModel) throws -> EncodedImages {
        var encoded = try Self.images(prepared.map(\.pixels), side: preprocessing.image.side, model)
        if let recall {
            encoded.features = try Self.images(
                prepared.map(\.recall), side: recall.preprocessing.image.side, recall.model
            ).features
        }
        return encoded
    }

    private static func images(
        _ pixels: [[Float]], side: Int, _ model: ALBEFModel
    ) throws -> EncodedImages {
        try recovering {
            let batch = Tensor(
                pixels.flatMap { $0 }, shape: [pixels.count, 3, side, side], device: model.device)
            return try withoutGradients { try model.encodeImages(batch) }
        }
    }

    /// Encodes texts, all at one length, so that any of them can be put in one batch.
    ///
    /// - Throws: `TorchError` if there is not enough memory; what the model throws.
    package func texts(_ texts: [String], _ model: ALBEFModel) throws -> EncodedTexts {
        guard !texts.isEmpty else {
            let sizes = (recall?.model ?? model).configuration
            return EncodedTexts(
                states: .zeros([0, 1, model.configuration.text.width], device: model.device),
                mask: Tensor([Int](), shape: [0, 1], device: model.device),
                features: .zeros([0, sizes.embeddingWidth], device: model.device))
        }
        var encoded = try Self.texts(preprocessing.text.batch(texts), model)
        if let recall {
            encoded.features = try Self.texts(recall.preprocessing.text.batch(texts), recall.model)
                .features
        }
        return encoded
    }

    /// The scores of what was encoded.
    package func scores(
        _ images: EncodedImageSet, _ texts: EncodedTexts, _ model: ALBEFModel
    ) -> RetrievalScores {
        RetrievalScores(images, texts, model: model, recall: recall?.model)
    }

    private static func texts(_ all: TokenBatch, _ model: ALBEFModel) throws -> EncodedTexts {
        return try recovering {
            let ids = Tensor(all.ids, shape: [all.count, all.length], device: model.device)
            let mask = Tensor(all.mask, shape: [all.count, all.length], device: model.device)
            let parts = try withoutGradients {
                try stride(from: 0, to: all.count, by: textsAtOnce).map { start in
                    let rows = start..<min(start + textsAtOnce, all.count)
                    return try model.encodeTexts(ids[rows], mask: mask[rows])
                }
            }
            return EncodedTexts(
                states: Tensor.concatenated(parts.map(\.states)), mask: mask,
                features: Tensor.concatenated(parts.map(\.features)))
        }
    }
}

/// A model that recalls in an evaluation of two, with what its inputs go through: its features are
/// compared, and another model re-ranks.
public struct RecallModel: Sendable {
    package let model: ALBEFModel
    let preprocessing: ModelPreprocessing

    /// Takes a model whose towers are aligned.
    ///
    /// - Parameters:
    ///   - model: on the device of the model that re-ranks.
    ///   - preprocessing: what its inputs go through.
    public init(_ model: ALBEFModel, preprocessing: ModelPreprocessing) {
        self.model = model
        self.preprocessing = preprocessing
    }
}
