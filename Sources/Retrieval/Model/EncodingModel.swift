public import ALBEF
public import ImageText
public import SystemPackage
import Torch

/// One model with what its inputs go through.
public struct EncodingModel: Sendable {
    /// The encoders and heads.
    public let model: ALBEFModel
    /// What its inputs go through.
    public let preprocessing: ModelPreprocessing
    /// Digest of the weights.
    public let fingerprint: String
    /// Its directory.
    public let path: FilePath
    /// What people call the model.
    public let name: String
    /// What it knows, in one line; nil if nobody wrote that down.
    public let knows: String?

    /// The words that it learned from images; nil if nobody listed them.
    private let learnedWords: LearnedWords?

    /// What its texts go through.
    public var text: TextInput { preprocessing.text }
    /// Brings images to the model's size and range.
    public var transform: ImageTransform { preprocessing.image }

    /// What the model is called and what it knows, in one line.
    public var introduction: String {
        "\(name): \(knows ?? "no card says what it knows")"
    }

    /// Loads what a model directory holds.
    ///
    /// - Parameters:
    ///   - named: what people call the model, and what it knows where its directory has no card.
    ///   - imageSize: side of the input in pixels; nil for the size the weights have.
    /// - Throws: an error that names the file and the field that is wrong.
    init(_ files: ModelDirectory, _ named: NamedModel, imageSize: Int?, device: Device) throws {
        model = try ALBEFModel(files, imageSize: imageSize, device: device)
        preprocessing = try ModelPreprocessing(files, as: model.configuration)
        fingerprint = files.fingerprint
        path = files.path
        name = named.name ?? files.path.absolute.lastComponent?.string ?? "model"
        knows = files.card?.knows ?? named.knows
        learnedWords = files.learnedWords
    }

    /// How much of a query the model reads.
    func reading(of query: String) -> QueryReading {
        text.reading(of: query, learned: learnedWords)
    }

    /// Encodes normalised pixels, `[3, S, S]` each.
    ///
    /// - Throws: ``ALBEFError`` if the model has no image projection; `TorchError` if there is too
    ///   little memory or a device fails.
    func encode(pixels: [[Float]]) throws -> EncodedImages {
        let (side, area) = (transform.side, transform.count)
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

    /// Encodes texts, each cleaned and cut as the model wants it.
    ///
    /// - Throws: ``ALBEFError`` if the model has no text projection; `TorchError` if there is too
    ///   little memory or a device fails.
    func encode(texts: [String]) throws -> EncodedTexts {
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
}

/// Two models that cannot search together.
public struct ModelPairError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, in one line that starts with the model's path.
    public let description: String

    private init(_ path: FilePath, _ problem: String) {
        description = "\(path): \(problem)"
    }

    /// A model that is to re-rank and has nothing to do it with.
    static func reader(_ path: FilePath) -> ModelPairError {
        ModelPairError(
            path,
            "was not trained to match images with texts, so that it cannot re-rank what another"
                + " model recalls; name it with --recall, and one such as ALBEF or BLIP with"
                + " --model")
    }

    /// A model that is to recall and has no features.
    static func recall(_ path: FilePath, _ task: ALBEFConfiguration.Task) -> ModelPairError {
        ModelPairError(
            path,
            "is a model of the task '\(task.rawValue)', which has no features to recall by; --recall"
                + " takes one such as CLIP or SigLIP")
    }
}
