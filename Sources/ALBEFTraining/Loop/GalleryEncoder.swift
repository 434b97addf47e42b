import ALBEF
import ImageText
import Torch

/// Encodes the images and texts of an evaluation, some at once; of nothing it makes nothing.
struct GalleryEncoder: Sendable {
    /// Cleans and tokenizes.
    let text: TextInput
    /// Brings pictures to the model's size and range.
    let transform: ImageTransform

    private static let imagesAtOnce = 64
    private static let textsAtOnce = 256

    /// Encodes pictures, which are read or drawn in parallel.
    ///
    /// - Parameter picture: gives the picture of an index below `count`.
    /// - Throws: what `picture` throws; `TensorFileError` if tokens that are too many for the memory
    ///   cannot be written; `TorchError` if there is not enough memory; `CancellationError`.
    func images(
        _ count: Int, _ model: ALBEFModel, picture: @escaping @Sendable (Int) throws -> RGBImage
    ) async throws -> EncodedGallery {
        let (side, transform) = (transform.side, transform)
        let vision = model.configuration.vision
        var tokens = SpilledTokens(
            byteCount: count * vision.tokenCount * vision.width * MemoryLayout<Float>.size)
        var features: [Tensor] = []
        for start in stride(from: 0, to: count, by: Self.imagesAtOnce) {
            try Task.checkCancellation()
            let range = start..<min(start + Self.imagesAtOnce, count)
            let pixels = try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
                for index in range {
                    group.addTask { (index - start, transform(try picture(index))) }
                }
                var pixels = [[Float]](repeating: [], count: range.count)
                for try await (index, picture) in group { pixels[index] = picture }
                return pixels
            }
            let encoded = try recovering {
                let batch = Tensor(
                    pixels.flatMap { $0 }, shape: [range.count, 3, side, side],
                    device: model.device)
                return try withoutGradients { try model.encodeImages(batch) }
            }
            try tokens.append(encoded.tokens)
            features.append(encoded.features)
        }
        return EncodedGallery(
            tokens: tokens.blocks,
            features: features.isEmpty
                ? .zeros([0, model.configuration.embeddingWidth], device: model.device)
                : Tensor.concatenated(features))
    }

    /// Encodes texts, all at one length, so that any of them can be put in one batch.
    ///
    /// - Throws: `TorchError` if there is not enough memory; what the model throws.
    func texts(_ texts: [String], _ model: ALBEFModel) throws -> EncodedTexts {
        let sizes = model.configuration
        guard !texts.isEmpty else {
            return EncodedTexts(
                states: .zeros([0, 1, sizes.text.width], device: model.device),
                mask: Tensor([Int](), shape: [0, 1], device: model.device),
                features: .zeros([0, sizes.embeddingWidth], device: model.device))
        }
        let all = text.batch(texts)
        return try recovering {
            let ids = Tensor(all.ids, shape: [all.count, all.length], device: model.device)
            let mask = Tensor(all.mask, shape: [all.count, all.length], device: model.device)
            let parts = try withoutGradients {
                try stride(from: 0, to: all.count, by: Self.textsAtOnce).map { start in
                    let rows = start..<min(start + Self.textsAtOnce, all.count)
                    return try model.encodeTexts(ids[rows], mask: mask[rows])
                }
            }
            return EncodedTexts(
                states: Tensor.concatenated(parts.map(\.states)), mask: mask,
                features: Tensor.concatenated(parts.map(\.features)))
        }
    }
}
