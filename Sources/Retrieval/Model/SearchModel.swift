public import ALBEF
public import ImageText
public import SystemPackage
public import Torch

/// A model together with what its inputs go through: all that turns photos and sentences into
/// vectors.
public struct SearchModel: Sendable {
    /// The encoders and heads.
    public let model: ALBEFModel
    /// Cleaning and tokenization, by the rules of the model's dialect.
    public let text: TextPreprocessor
    /// Reads picture files.
    public let loader: ImageLoader
    /// Brings pictures to the model's size and range.
    public let transform: ImageTransform
    /// Digest of the weights.
    public let fingerprint: String

    /// Opens a model directory.
    ///
    /// - Parameters:
    ///   - directory: what `albef import` or `albef models create` wrote.
    ///   - imageSize: side of the input in pixels; position embeddings are interpolated to it.
    ///     Default: the size the weights have.
    ///   - device: where the model runs.
    /// - Throws: an error that names the file and the field that is wrong.
    public init(
        _ directory: FilePath, imageSize: Int? = nil, device: Device = .cpu
    ) throws {
        let files = try ModelDirectory.open(directory)
        model = try ALBEFModel(files, imageSize: imageSize, device: device)
        let configuration = model.configuration
        let vocabulary = try Vocabulary(contentsOf: files.vocabulary)
        text = TextPreprocessor(
            rules: configuration.dialect == .albef ? .albef : .lavis,
            tokenizer: WordPieceTokenizer(
                vocabulary: vocabulary, isUncased: configuration.text.lowercases))
        let vision = configuration.vision
        loader = ImageLoader()
        transform = ImageTransform(
            side: vision.imageSize, mean: vision.mean.map(Float.init),
            standardDeviation: vision.standardDeviation.map(Float.init))
        fingerprint = files.fingerprint
    }

    /// Reads a picture as the model's input: normalised pixels `[3, S, S]`, row by row.
    ///
    /// - Throws: ``ImageError`` that names the file.
    public func pixels(of file: FilePath) throws(ImageError) -> [Float] {
        transform(try loader.load(file, fitting: transform.side))
    }

    /// Encodes pictures that ``pixels(of:)`` read.
    ///
    /// - Throws: ``ALBEFError`` if the model has no image projection.
    public func encode(pixels: [[Float]]) throws(ALBEFError) -> EncodedImages {
        let side = transform.side
        let area = 3 * side * side
        let batch = Tensor(shape: [pixels.count, 3, side, side]) { buffer in
            for (index, image) in pixels.enumerated() {
                _ = UnsafeMutableBufferPointer(rebasing: buffer[(index * area)...])
                    .update(fromContentsOf: image)
            }
        }
        return try withoutGradients { () throws(ALBEFError) in
            try model.encodeImages(batch.to(model.device))
        }
    }

    /// Encodes texts, each cleaned as a caption and cut to the model's length.
    ///
    /// - Throws: ``QueryError`` if nothing of a text is left to search for; ``ALBEFError`` if the
    ///   model has no text projection.
    public func encode(texts: [String]) throws -> EncodedTexts {
        for text in texts where self.text.clean(text).isEmpty { throw QueryError.empty(text) }
        let limit = model.configuration.text.maximumTokens
        let batch = text.batch(texts, maximumLength: limit)
        let shape = [batch.count, batch.length]
        return try withoutGradients {
            try model.encodeTexts(
                Tensor(batch.ids, shape: shape, device: model.device),
                mask: Tensor(batch.mask, shape: shape, device: model.device))
        }
    }

    /// Whether only the beginning of a text is read, because it is too long.
    public func isCut(_ text: String) -> Bool {
        let rules = self.text.rules
        let limit = model.configuration.text.maximumTokens
        var unlimited = rules
        unlimited.captionWords = .max
        return unlimited.caption(text) != rules.caption(text)
            || self.text.ids(of: text, maximumLength: limit + 1).count > limit
    }

    /// What an index made with this model records about it.
    var signature: IndexManifest.Model {
        let configuration = model.configuration
        return IndexManifest.Model(
            fingerprint: fingerprint, imageSize: configuration.vision.imageSize,
            embeddingWidth: configuration.embeddingWidth,
            tokenCount: configuration.vision.patchCount + 1,
            tokenWidth: configuration.vision.width)
    }
}

/// A query that cannot be searched for.
public struct QueryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, in one line.
    public let description: String

    static func empty(_ text: String) -> QueryError {
        QueryError(
            description: text.isEmpty
                ? "the query is empty"
                : "nothing is left of the query '\(text.prefix(40))' without its punctuation")
    }
}
