public import ALBEF
public import ImageText
public import SystemPackage
public import Torch

/// One model or two that turn images and texts into vectors, with the preprocessing of their
/// inputs.
///
/// With two models, one computes the features that recall compares. This is a model such as SigLIP
/// or CLIP, whose towers were aligned on far more images. The other, such as ALBEF or BLIP,
/// computes the tokens and states that the fusion encoder reads. An index contains the features of
/// the first model and the tokens of the second.
///
/// ```swift
/// let model = try SearchModel("model")
/// let encoded = try model.encode(pixels: [try model.pixels(of: "image.jpg")])
/// ```
public struct SearchModel: Sendable {
    /// The model whose fusion encoder re-ranks; without ``recall`` its features serve for recall
    /// too.
    public let reader: EncodingModel
    /// Another model whose features recall compares; nil if ``reader`` does both.
    public let recall: EncodingModel?
    /// Reads image files at a size that suffices for both models.
    public let loader: ImageLoader
    /// Whether the fusion encoder was trained to match; otherwise searches do not re-rank.
    public let matches: Bool
    /// The score by which searches re-rank by default: the one stored with the weights, or else the
    /// standard score of the dialect.
    ///
    /// With two models it excludes the cosine. The weight of the cosine was determined for the
    /// reader's own features, and those of another model have another scale. See
    /// `RankingScore.withoutSimilarity`.
    public let ranking: RankingScore
    /// Converts match logits to probabilities, with the result of `albef calibrate` or else by
    /// softmax.
    public let calibration: MatchCalibration
    /// Whether the calibration was fitted for the model that re-ranks.
    public let isCalibrated: Bool
    /// The origin of ``reader`` that indexes record: the absolute path of its directory, unless set
    /// to a name such as one from the catalogue.
    public var source: String
    /// The origin of ``recall`` that indexes record.
    public var recallSource: String?

    /// Opens one model directory, or two.
    ///
    /// - Parameters:
    ///   - directory: A directory that `albef import` or `albef models create` wrote; it names the
    ///     model.
    ///   - recall: Another such directory, whose features recall compares; nil for one model.
    ///   - imageSize: The side of the first model's input in pixels, to which position embeddings
    ///     are interpolated; nil for the size of the weights, which the second model always uses.
    ///   - device: The device on which the models run. Default: the CPU.
    ///   - computeType: The type in which the encoders multiply matrices. `float32` is exact. With
    ///     `bfloat16`, features and match logits differ in their third digit. Default, nil:
    ///     `bfloat16` if the processor has instructions for it (AVX512-BF16 or AMX) and the image
    ///     encoder is at least 512 wide or has a trunk, else `float32`.
    /// - Throws: An error that names the invalid file and field; ``ModelPairError`` if the first of
    ///   two models cannot re-rank, or the second cannot recall.
    public init(
        _ directory: FilePath, recall: FilePath? = nil, imageSize: Int? = nil,
        device: Device = .cpu, computeType: ComputeType? = nil
    ) throws {
        try self.init(
            NamedModel(directory), recall: recall.map { NamedModel($0) }, imageSize: imageSize,
            device: device, computeType: computeType)
    }

    /// Opens one model or two with names that may differ from those of their directories.
    ///
    /// The parameters and errors are those of ``init(_:recall:imageSize:device:computeType:)``.
    public init(
        _ model: NamedModel, recall: NamedModel? = nil, imageSize: Int? = nil,
        device: Device = .cpu, computeType: ComputeType? = nil
    ) throws {
        let files = try ModelDirectory.open(model.path)
        let recallFiles = try recall.map { try ModelDirectory.open($0.path) }
        if let recallFiles {
            guard files.matches else { throw ModelPairError.reader(model.path) }
            let task = recallFiles.configuration.task
            guard task.aligns else { throw ModelPairError.recall(recallFiles.path, task) }
        }
        reader = try EncodingModel(
            files, model, imageSize: imageSize, device: device, computeType: computeType)
        self.recall = try recall.flatMap { recall in
            try recallFiles.map {
                try EncodingModel(
                    $0, recall, imageSize: nil, device: device, computeType: computeType)
            }
        }
        loader = ImageLoader(
            targetSide: max(reader.transform.side, self.recall?.transform.side ?? 0))
        matches = files.matches
        let ranking = files.ranking ?? .standard(files.configuration.dialect)
        self.ranking = recall == nil ? ranking : ranking.withoutSimilarity
        calibration = files.calibration ?? MatchCalibration()
        isCalibrated = files.calibration != nil
        source = model.path.absolute.string
        recallSource = recall?.path.absolute.string
    }

    /// The encoders and heads of the model that re-ranks.
    public var model: ALBEFModel { reader.model }
    /// The preprocessing of texts for the model that re-ranks.
    public var text: TextInput { reader.text }
    /// The digest of the weights of the model that re-ranks.
    public var fingerprint: String { reader.fingerprint }
    /// The model that re-ranks, followed by the model that recalls if it is another one.
    public var models: [EncodingModel] { [reader] + (recall.map { [$0] } ?? []) }
    /// The model whose features recall compares.
    public var featureModel: EncodingModel { recall ?? reader }

    /// Encodes prepared images to tokens of the reader and features for recall.
    ///
    /// - Parameters:
    ///   - pixels: B images that ``pixels(of:)-(FilePath)`` prepared.
    ///   - keepsTokens: Whether the tokens are needed. If not, the reader of two models does
    ///     nothing, and the tokens are `[B, 0, D_v]`. Default: true.
    /// - Returns: Tokens `[B, P + 1, D_v]` and features `[B, E]`.
    /// - Throws: `ALBEFError` if a model has no image projection; ``QueryError`` if images were
    ///   prepared for another model; `TorchError` if there is not enough memory or a device fails.
    /// - Complexity: O(B) passes of each image encoder.
    public func encode(
        pixels: [PreparedImage], keepsTokens: Bool = true
    ) throws -> EncodedImages {
        try check(pixels)
        guard let recall else { return try reader.encode(pixels: pixels.map(\.reader)) }
        let features = try recall.encode(pixels: pixels.map(\.recall)).features
        guard keepsTokens else {
            let width = model.configuration.vision.width
            return EncodedImages(tokens: .zeros([pixels.count, 0, width]), features: features)
        }
        return EncodedImages(tokens: try tokens(of: pixels), features: features)
    }

    /// Returns only the tokens `[B, P + 1, D_v]`, which the fusion encoder reads.
    ///
    /// - Throws: The errors of ``encode(pixels:keepsTokens:)``, but none for a missing projection.
    func tokens(of pixels: [PreparedImage]) throws -> Tensor {
        try check(pixels)
        return try reader.tokens(pixels: pixels.map(\.reader))
    }

    private func check(_ pixels: [PreparedImage]) throws {
        let own = signature
        guard pixels.allSatisfy({ $0.model.isSame(as: own) }) else { throw QueryError.otherModel }
    }

    /// Encodes texts, after cleaning and cutting them as the models require.
    ///
    /// - Returns: The states and mask of the reader, and features for recall.
    /// - Throws: ``QueryError`` if no token of a text remains; `ALBEFError` if a model has no text
    ///   projection; `TorchError` if there is not enough memory or a device fails.
    public func encode(texts: [String]) throws -> EncodedTexts {
        for text in texts { try check(text) }
        var encoded = try reader.encode(texts: texts)
        if let recall { encoded.features = try recall.encode(texts: texts).features }
        return encoded
    }

    /// Returns only the features `[B, E]` of texts, which recall compares.
    ///
    /// - Throws: The errors of ``encode(texts:)``.
    func features(of texts: [String]) throws -> Tensor {
        for text in texts { try check(text) }
        return try featureModel.encode(texts: texts).features
    }

    /// Checks that each of the models can search for a text.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - part: The part of a query that contains the text; nil for the sentence.
    /// - Throws: ``QueryError`` if no token of it remains for a model.
    func check(_ text: String, part: String? = nil) throws {
        guard !isEmpty(text) else { throw QueryError.empty(text, part: part) }
    }

    /// Returns whether no token of a text remains for one of the models.
    func isEmpty(_ text: String) -> Bool {
        reader.text.isEmpty(text) || recall?.text.isEmpty(text) ?? false
    }

    /// Returns how much of a query the models can read, with the limitations of both.
    public func reading(of query: String) -> QueryReading {
        models.map { $0.tokenized(query).reading }.reduce(QueryReading()) { $0.joined($1) }
    }

    /// The signature that an index made with these models records.
    public var signature: ModelSignature {
        let vision = model.configuration.vision
        return ModelSignature(
            fingerprint: fingerprint, imageSize: vision.imageSize,
            embeddingWidth: featureModel.model.configuration.embeddingWidth,
            tokenCount: vision.tokenCount, tokenWidth: vision.width,
            recall: recall.map {
                .init(
                    name: $0.name, fingerprint: $0.fingerprint,
                    imageSize: $0.model.configuration.vision.imageSize, source: recallSource)
            }, source: source)
    }
}

/// An error that prevents a query from being answered.
public struct QueryError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case empty, invalid, notFinite, shape, otherModel, noEntry, timeout
    }

    private let code: Code
    /// A description of the problem in one line.
    public let description: String

    private init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether the time limit of a ``WorkLimit`` was exceeded.
    public var isTimeout: Bool { code == .timeout }

    /// Whether an image was prepared for another model than the one that should read it.
    public var isOfOtherModel: Bool { code == .otherModel }

    /// Whether a part of the query is invalid; see ``SearchQuery/check()``.
    public var isInvalid: Bool { code == .invalid }

    /// Whether an image that the query refers to is not in the searched index.
    public var isOfMissingEntry: Bool { code == .noEntry }

    /// Returns the error for a text without content.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - part: The part of the query that contains the text; nil for the sentence.
    static func empty(_ text: String, part: String? = nil) -> QueryError {
        let what = part.map { "\($0): nothing is left of" } ?? "nothing is left of the query"
        return QueryError(
            .empty,
            text.isEmpty
                ? part.map { "\($0): a text is empty" } ?? "the query is empty"
                : "\(what) '\(text.prefix(40))' without its punctuation")
    }

    static func invalid(_ what: String) -> QueryError { QueryError(.invalid, what) }

    static let noEntry = QueryError(
        .noEntry,
        "an image that the query refers to is not in this index; search with its file instead")

    static func notFinite(_ what: String) -> QueryError {
        QueryError(
            .notFinite,
            "\(what) is not a finite number: the model's weights are damaged, or its training"
                + " diverged; use another model")
    }

    static func shape(_ shape: [Int], width: Int) -> QueryError {
        QueryError(
            .shape,
            "a query has the shape \(shape), but the features of the index have \(width) numbers")
    }

    static let otherModel = QueryError(
        .otherModel,
        "an image was prepared for another model than the one that should read it; prepare it"
            + " again")

    /// The error for a query whose time limit was exceeded.
    public static let timeout = QueryError(
        .timeout, "the time limit for this query was exceeded before it was answered")
}
