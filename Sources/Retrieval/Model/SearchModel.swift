public import ALBEF
public import ImageText
public import SystemPackage
public import Torch

/// What turns images and sentences into vectors: a model with what its inputs go through, or two.
///
/// Of two, the features that recall compares come from the one, such as SigLIP or CLIP, whose
/// towers were aligned on far more images; the tokens and states that the fusion encoder reads from
/// the other, such as ALBEF or BLIP. An index holds the features of the first and the tokens of the
/// second.
public struct SearchModel: Sendable {
    /// The model whose fusion encoder re-ranks; it recalls too where there is no other.
    public let reader: EncodingModel
    /// Another model, whose features recall compares; nil where ``reader`` does both.
    public let recall: EncodingModel?
    /// Reads image files, large enough for both models.
    public let loader: ImageLoader
    /// Whether the fusion encoder was trained to match; without it there is no re-ranking.
    public let matches: Bool
    /// What candidates are re-ranked by unless a search says: what the weights say, else as the
    /// dialect does.
    ///
    /// Of two models the cosine is not part of it: what is added to the match was found for the
    /// reader's own cosine, and that of another model has another scale. See
    /// ``RankingScore/withoutSimilarity``.
    public let ranking: RankingScore
    /// What turns match logits into probabilities: what `albef calibrate` found, else the softmax.
    public let calibration: MatchCalibration
    /// Whether that was measured for the model that re-ranks.
    public let isCalibrated: Bool
    /// Where ``reader`` comes from, as indexes note it: the absolute path of its directory unless
    /// set to a name, such as one of the catalogue.
    public var source: String
    /// Where ``recall`` comes from, likewise.
    public var recallSource: String?

    /// Opens a model directory, or two.
    ///
    /// - Parameters:
    ///   - directory: what `albef import` or `albef models create` wrote; it names the model.
    ///   - recall: another such directory, whose features recall compares; nil for one model.
    ///   - imageSize: side of the input of the first model in pixels; position embeddings are
    ///     interpolated to it. Default: the size the weights have, which the second always takes.
    ///   - device: where the models run.
    /// - Throws: an error that names the file and the field that is wrong; ``ModelPairError`` if the
    ///   first of two cannot re-rank, or the second cannot recall.
    public init(
        _ directory: FilePath, recall: FilePath? = nil, imageSize: Int? = nil,
        device: Device = .cpu
    ) throws {
        try self.init(
            NamedModel(directory), recall: recall.map { NamedModel($0) }, imageSize: imageSize,
            device: device)
    }

    /// Opens a model, or two, which people call by other names than those of their directories.
    ///
    /// Parameters and errors are those of ``init(_:recall:imageSize:device:)``.
    public init(
        _ model: NamedModel, recall: NamedModel? = nil, imageSize: Int? = nil,
        device: Device = .cpu
    ) throws {
        let files = try ModelDirectory.open(model.path)
        let recallFiles = try recall.map { try ModelDirectory.open($0.path) }
        if let recallFiles {
            guard files.matches else { throw ModelPairError.reader(model.path) }
            let task = recallFiles.configuration.task
            guard task.aligns else { throw ModelPairError.recall(recallFiles.path, task) }
        }
        reader = try EncodingModel(files, model, imageSize: imageSize, device: device)
        self.recall = try recall.flatMap { recall in
            try recallFiles.map {
                try EncodingModel($0, recall, imageSize: nil, device: device)
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
    /// What the texts of the model that re-ranks go through.
    public var text: TextInput { reader.text }
    /// Digest of the weights of the model that re-ranks.
    public var fingerprint: String { reader.fingerprint }
    /// The model that re-ranks, and the one that recalls where that is another.
    public var models: [EncodingModel] { [reader] + (recall.map { [$0] } ?? []) }
    /// The model whose features recall compares.
    public var featureModel: EncodingModel { recall ?? reader }

    /// Encodes images that ``pixels(of:)`` prepared: tokens of the reader, features for recall.
    ///
    /// - Parameter keepsTokens: false where nobody reads the tokens: of two models the reader then
    ///   does nothing, and the tokens are `[B, 0, D_v]`.
    /// - Throws: ``ALBEFError`` if a model has no image projection; ``QueryError`` if images were
    ///   prepared for another model; `TorchError` if there is too little memory or a device fails.
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

    /// The tokens alone, `[B, P + 1, D_v]`, which the fusion encoder reads.
    ///
    /// - Throws: as ``encode(pixels:keepsTokens:)``.
    func tokens(of pixels: [PreparedImage]) throws -> Tensor {
        try check(pixels)
        return try reader.encode(pixels: pixels.map(\.reader)).tokens
    }

    private func check(_ pixels: [PreparedImage]) throws {
        let own = signature
        guard pixels.allSatisfy({ $0.model.isSame(as: own) }) else { throw QueryError.otherModel }
    }

    /// Encodes texts, each cleaned and cut as the models want it: states and mask of the reader,
    /// features for recall.
    ///
    /// - Throws: ``QueryError`` if nothing of a text is left to search for; ``ALBEFError`` if a
    ///   model has no text projection; `TorchError` if there is too little memory or a device fails.
    public func encode(texts: [String]) throws -> EncodedTexts {
        for text in texts { try check(text) }
        var encoded = try reader.encode(texts: texts)
        if let recall { encoded.features = try recall.encode(texts: texts).features }
        return encoded
    }

    /// The features of texts alone, `[B, E]`, which recall compares.
    ///
    /// - Throws: as ``encode(texts:)``.
    func features(of texts: [String]) throws -> Tensor {
        for text in texts { try check(text) }
        return try featureModel.encode(texts: texts).features
    }

    /// Checks that a text has something to search for, for each of the models.
    ///
    /// - Parameter part: the part of a query that it is; nil for the sentence.
    /// - Throws: ``QueryError`` if it has not.
    func check(_ text: String, part: String? = nil) throws {
        guard !isEmpty(text) else { throw QueryError.empty(text, part: part) }
    }

    /// Whether nothing of a text is left for one of the models.
    func isEmpty(_ text: String) -> Bool {
        reader.text.isEmpty(text) || recall?.text.isEmpty(text) ?? false
    }

    /// How much of a query the models read: the shortcomings of either.
    public func reading(of query: String) -> QueryReading {
        models.map { $0.reading(of: query) }.reduce(QueryReading()) { $0.joined($1) }
    }

    /// What an index made with this model, or these two, records about it.
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

/// A query that cannot be answered.
public struct QueryError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case empty, invalid, notFinite, shape, otherModel, noEntry, timeout
    }

    private let code: Code
    /// What is wrong, in one line.
    public let description: String

    private init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether the time that a ``WorkLimit`` gave was over.
    public var isTimeout: Bool { code == .timeout }

    /// Whether an image was prepared for another model than the one that was to read it.
    public var isOfOtherModel: Bool { code == .otherModel }

    /// Whether a part of the query is not as it has to be; see ``SearchQuery/check()``.
    public var isInvalid: Bool { code == .invalid }

    /// Whether an image by which the query asks is not in the index that was searched.
    public var isOfMissingEntry: Bool { code == .noEntry }

    /// A text that says nothing.
    ///
    /// - Parameter part: the part of the query that it is; nil for the sentence.
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
        .noEntry, "an image by which the query asks is not in the index that is searched")

    static func notFinite(_ what: String) -> QueryError {
        QueryError(
            .notFinite,
            "\(what) is not a finite number: the model's weights are damaged, or its training"
                + " diverged")
    }

    static func shape(_ shape: [Int], width: Int) -> QueryError {
        QueryError(.shape, "a query of shape \(shape) where the index has \(width) numbers")
    }

    static let otherModel = QueryError(
        .otherModel, "an image was prepared for another model than the one that is to read it")

    /// The time for a query was over before its answer was there.
    public static let timeout = QueryError(
        .timeout, "the time for this query was over before it was answered")
}
