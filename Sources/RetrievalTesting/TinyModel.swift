public import ALBEF
import Foundation
public import Retrieval
public import SystemPackage
import Torch

/// A model that is small enough for tests: real encoders with random weights, which a seed fixes.
///
/// Its scores mean nothing, but they are computed as those of a large model are, and the same seed
/// gives the same ones.
///
///     try await withTemporaryFolder { folder in
///         let path = folder.appending("model")
///         try TinyModel(dialect: .blip).write(to: path)
///         let model = try SearchModel(path)
///     }
public struct TinyModel: Sendable, Hashable {
    /// The sizes and the conventions of the model.
    public let configuration: ALBEFConfiguration
    /// What the weights are drawn from.
    public let seed: UInt64

    /// The tokens of the model's tokenizer, BERT's special ones first.
    ///
    /// There are letters, digits, punctuation and 87 words, such as *dog* and *snow*. Other words
    /// are read letter by letter.
    ///
    ///     #expect(TinyModel.vocabulary.contains("dog"))
    public static let vocabulary = String(decoding: PackageResources.vocabulary_txt, as: UTF8.self)
        .split(separator: "\n").map(String.init)

    /// Describes a model of one image encoder, one text encoder and one fusion encoder.
    ///
    /// It reads images of 48 × 48 pixels in patches of 16 and texts of at most 30 tokens, and gives
    /// features of 16 numbers.
    ///
    ///     let matching = TinyModel(dialect: .lavis)
    ///     let recallingOnly = TinyModel(task: .alignment)
    ///
    /// - Parameters:
    ///   - dialect: whose conventions it follows; default ALBEF's.
    ///   - task: decides which heads there are. `.pretraining` (the default), `.retrieval` and
    ///     `.grounding` re-rank by the match, `.alignment` has the order of recall; the others
    ///     cannot search.
    ///   - seed: what the weights are drawn from; default 1. Models of two seeds differ.
    ///   - vision: another image encoder; nil for the one above.
    public init(
        dialect: Dialect = .albef, task: ALBEFConfiguration.Task = .pretraining, seed: UInt64 = 1,
        vision: ALBEFConfiguration.Vision? = nil
    ) {
        self.init(
            ALBEFConfiguration(
                dialect: dialect, task: task,
                vision: vision ?? .init(imageSize: 48, width: 24, depth: 2, heads: 4, mlpWidth: 48),
                text: .init(
                    vocabularySize: Self.vocabulary.count, width: 32, depth: 4, fusionLayer: 2,
                    heads: 4, mlpWidth: 64, positions: 40, maximumTokens: 30),
                embeddingWidth: 16),
            seed: seed)
    }

    private init(_ configuration: ALBEFConfiguration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
    }

    /// A model of two aligned towers without a fusion encoder, to recall for another model.
    ///
    /// It differs from ``init(dialect:task:seed:vision:)`` in all that two models may differ in: it
    /// reads images of 32 × 32 pixels with other means and texts of at most 20 tokens, has a smaller
    /// vocabulary, and gives features of 12 numbers.
    ///
    ///     let model = try TinyModel().makeSearchModel(in: folder, recall: .towers())
    ///
    /// - Parameters:
    ///   - dialect: whose conventions it follows; default CLIP's.
    ///   - seed: what the weights are drawn from; default 7.
    public static func towers(dialect: Dialect = .clip, seed: UInt64 = 7) -> TinyModel {
        var vision = ALBEFConfiguration.Vision(
            imageSize: 32, width: 20, depth: 2, heads: 4, mlpWidth: 40)
        vision.mean = [0.5, 0.5, 0.5]
        vision.standardDeviation = [0.5, 0.5, 0.5]
        var text = ALBEFConfiguration.Text(
            vocabularySize: 180, width: 28, depth: 2, fusionLayer: 2, heads: 4, mlpWidth: 56,
            positions: 24, maximumTokens: 20)
        text.hasTokenTypes = false
        return TinyModel(
            ALBEFConfiguration(
                dialect: dialect, task: .alignment, vision: vision, text: text, embeddingWidth: 12),
            seed: seed)
    }

    /// Writes the model as a directory that `SearchModel` and `albef --model` read.
    ///
    /// - Parameter directory: where it will stand, in a folder that exists; a model of the same name
    ///   is replaced.
    /// - Throws: `ALBEFError` if an image encoder was given whose sizes do not fit;
    ///   `ModelFileError` if anything but a model stands there; an error of the file system.
    public func write(to directory: FilePath) throws {
        let vocabulary = FilePath(NSTemporaryDirectory())
            .appending("albef-\(UUID().uuidString).txt")
        defer { try? FileManager.default.removeItem(atPath: vocabulary.string) }
        let tokens = Self.vocabulary.prefix(configuration.text.vocabularySize)
        try Data(tokens.map { "\($0)\n" }.joined().utf8).write(
            to: URL(filePath: vocabulary.string))
        try ALBEFModel(untrained: configuration, generator: Generator(seed: seed))
            .write(to: directory, vocabulary: vocabulary)
    }

    /// Writes the model into a folder, and opens it for searching.
    ///
    ///     let model = try TinyModel().makeSearchModel(in: folder)
    ///     let report = try await Indexer(model).update(index, with: images)
    ///
    /// - Parameters:
    ///   - folder: gets the directory `model`, and `recall` for the second model.
    ///   - recall: another model, which recalls while this one re-ranks; nil for one model.
    /// - Throws: as ``write(to:)``; `ModelPairError` if there are two and this one cannot re-rank,
    ///   or the other cannot recall.
    public func makeSearchModel(
        in folder: FilePath, recall: TinyModel? = nil
    ) throws -> SearchModel {
        let path = folder.appending("model")
        try write(to: path)
        guard let recall else { return try SearchModel(path) }
        let recallPath = folder.appending("recall")
        try recall.write(to: recallPath)
        return try SearchModel(path, recall: recallPath)
    }
}
