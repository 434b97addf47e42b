public import ALBEF
public import ImageText
public import SystemPackage
public import Torch

/// A model together with what its inputs go through: all that turns photos and sentences into
/// vectors.
public struct SearchModel: Sendable {
    /// The encoders and heads.
    public let model: ALBEFModel
    /// What its texts go through.
    public let text: TextInput
    /// Reads picture files.
    public let loader: ImageLoader
    /// Brings pictures to the model's size and range.
    public let transform: ImageTransform
    /// Digest of the weights.
    public let fingerprint: String
    /// Whether the fusion encoder was trained to match; without it there is no re-ranking.
    public let matches: Bool
    /// What candidates are re-ranked by unless a search says: what the weights say, else as the
    /// dialect does.
    public let ranking: RankingScore
    /// What turns match logits into probabilities: what `albef calibrate` found, else the softmax.
    public let calibration: MatchCalibration
    /// Whether that was measured for this model.
    public let isCalibrated: Bool

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
        text = try TextInput(files)
        let vision = configuration.vision
        loader = ImageLoader(targetSide: vision.imageSize)
        transform = ImageTransform(vision)
        fingerprint = files.fingerprint
        matches = files.matches
        ranking = files.ranking ?? .standard(configuration.dialect)
        calibration = files.calibration ?? MatchCalibration()
        isCalibrated = files.calibration != nil
    }

    /// Reads a picture as the model's input: normalised pixels `[3, S, S]`, row by row.
    ///
    /// - Throws: ``ImageError`` that names the file.
    public func pixels(of file: FilePath) throws(ImageError) -> [Float] {
        transform(try loader.load(file))
    }

    /// Reads a picture that is in memory as the model's input: normalised pixels `[3, S, S]`.
    ///
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - name: what errors call it.
    /// - Throws: ``ImageError`` if it is no picture that can be read.
    public func pixels(of bytes: [UInt8], named name: String) throws(ImageError) -> [Float] {
        transform(try loader.load(bytes, named: name))
    }

    /// Encodes images that ``pixels(of:)`` read.
    ///
    /// - Throws: ``ALBEFError`` if the model has no image projection; `TorchError` if there is too
    ///   little memory or a device fails.
    public func encode(pixels: [[Float]]) throws -> EncodedImages {
        let side = transform.side
        let area = 3 * side * side
        return try recovering {
            let batch = Tensor(shape: [pixels.count, 3, side, side]) { buffer in
                for (index, image) in pixels.enumerated() {
                    _ = UnsafeMutableBufferPointer(rebasing: buffer[(index * area)...])
                        .update(fromContentsOf: image)
                }
            }
            return try withoutGradients { try model.encodeImages(batch.to(model.device)) }
        }
    }

    /// Encodes texts, each cleaned as a caption and cut to the model's length.
    ///
    /// - Throws: ``QueryError`` if nothing of a text is left to search for; ``ALBEFError`` if the
    ///   model has no text projection; `TorchError` if there is too little memory or a device fails.
    public func encode(texts: [String]) throws -> EncodedTexts {
        for text in texts { try check(text) }
        let batch = text.batch(texts)
        let shape = [batch.count, batch.length]
        return try recovering {
            try withoutGradients {
                try model.encodeTexts(
                    Tensor(batch.ids, shape: shape, device: model.device),
                    mask: Tensor(batch.mask, shape: shape, device: model.device))
            }
        }
    }

    /// Checks that a text has something to search for.
    ///
    /// - Throws: ``QueryError`` if it has not.
    func check(_ text: String) throws {
        guard !self.text.isEmpty(text) else { throw QueryError.empty(text) }
    }

    /// How much of a query the model reads.
    public func reading(of query: String) -> QueryReading { text.reading(of: query) }

    /// What an index made with this model records about it.
    public var signature: ModelSignature {
        let configuration = model.configuration
        return ModelSignature(
            fingerprint: fingerprint, imageSize: configuration.vision.imageSize,
            embeddingWidth: configuration.embeddingWidth,
            tokenCount: configuration.vision.tokenCount,
            tokenWidth: configuration.vision.width)
    }
}

/// How much of a query reaches the model.
public struct QueryReading: Sendable, Hashable {
    /// Whether only the beginning is read, because the query is too long.
    public let isCut: Bool
    /// Whether the vocabulary has nothing of what is read.
    public let isUnknown: Bool
}

/// A query that cannot be answered.
public struct QueryError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable { case empty, notFinite, shape, timeout }

    private let code: Code
    /// What is wrong, in one line.
    public let description: String

    private init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether the time that a ``WorkLimit`` gave was over.
    public var isTimeout: Bool { code == .timeout }

    static func empty(_ text: String) -> QueryError {
        QueryError(
            .empty,
            text.isEmpty
                ? "the query is empty"
                : "nothing is left of the query '\(text.prefix(40))' without its punctuation")
    }

    static func notFinite(_ what: String) -> QueryError {
        QueryError(
            .notFinite,
            "\(what) is not a finite number: the model's weights are damaged, or its training"
                + " diverged")
    }

    static func shape(_ shape: [Int], width: Int) -> QueryError {
        QueryError(.shape, "a query of shape \(shape) where the index has \(width) numbers")
    }

    /// The time for a query was over before its answer was there.
    public static let timeout = QueryError(
        .timeout, "the time for this query was over before it was answered")
}
