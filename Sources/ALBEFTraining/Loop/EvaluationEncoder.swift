public import ALBEF
package import ImageText
import Torch

/// Encodes the images and texts of an evaluation in batches; an empty input gives an empty result.
package struct EvaluationEncoder: Sendable {
    /// The preprocessing of the model's images and texts.
    let preprocessing: ModelPreprocessing
    /// The model that computes the features, if it differs from the model that computes tokens and
    /// states.
    package var recall: RecallModel?

    /// Creates an encoder with one model, or with two if `recall` computes the features.
    package init(preprocessing: ModelPreprocessing, recall: RecallModel? = nil) {
        self.preprocessing = preprocessing
        self.recall = recall
    }

    /// The number of images that are encoded in one batch.
    static let imagesAtOnce = 64
    /// The number of texts that are encoded in one batch.
    static let textsAtOnce = 256

    /// Encodes images, which are read or drawn in parallel.
    ///
    /// - Parameters:
    ///   - count: The number of images.
    ///   - model: The model that computes the tokens.
    ///   - image: Returns the image with an index below `count`.
    /// - Returns: The tokens, in blocks of 64 images, and the features `[count, E]`.
    /// - Throws: The errors of `image`; `FileError` if tokens that exceed the memory limit cannot
    ///   be written to a file; `TorchError` if there is not enough memory; `CancellationError`.
    /// - Complexity: O(`count`) passes of the image encoder, in batches of 64.
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

    /// The input of the models for one image.
    package struct Prepared: Sendable {
        /// The pixels for the model that computes tokens, `[3, S, S]`.
        var pixels: [Float] = []
        /// The pixels for the model that computes features, `[3, R, R]`; empty if it is the same
        /// model.
        var recall: [Float] = []
    }

    /// Scales and normalizes an image for the models.
    func prepare(_ image: RGBImage) -> Prepared {
        Prepared(
            pixels: preprocessing.image(image), recall: recall?.preprocessing.image(image) ?? []
        )
    }

    /// Encodes at least one prepared image, all in one batch.
    ///
    /// - Throws: `TorchError` if there is not enough memory; the errors of the models.
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

    /// Encodes texts, padded to one length so that any of them can share a batch.
    ///
    /// - Throws: `TorchError` if there is not enough memory; the errors of the models.
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

    /// Returns the scores of encoded images and texts.
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

/// A model whose features recall candidates for another model to re-rank, with the preprocessing of
/// its images and texts.
public struct RecallModel: Sendable {
    package let model: ALBEFModel
    let preprocessing: ModelPreprocessing

    /// Creates a recall model.
    ///
    /// - Parameters:
    ///   - model: A model with aligned towers, on the device of the model that re-ranks.
    ///   - preprocessing: The preprocessing of its images and texts.
    public init(_ model: ALBEFModel, preprocessing: ModelPreprocessing) {
        self.model = model
        self.preprocessing = preprocessing
    }
}
