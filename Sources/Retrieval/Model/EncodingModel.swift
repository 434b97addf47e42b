public import ALBEF
public import ImageText
public import SystemPackage
import Torch

/// A model with the preprocessing of its images and texts.
public struct EncodingModel: Sendable {
    /// The encoders and heads.
    public let model: ALBEFModel
    /// The preprocessing of the model's images and texts.
    public let preprocessing: ModelPreprocessing
    /// The digest of the weights.
    public let fingerprint: String
    /// The directory of the model.
    public let path: FilePath
    /// The name of the model, for people.
    public let name: String
    /// The subject of the model's training in one line; nil if it is not recorded.
    public let subject: String?

    /// The words that the model learned from images; nil if they are not recorded.
    private let learnedWords: LearnedWords?

    /// The preprocessing of texts.
    public var text: TextInput { preprocessing.text }
    /// The preprocessing of images: scaling to the model's size and normalization.
    public var transform: ImageTransform { preprocessing.image }

    /// The name of the model and the subject of its training, in one line.
    public var introduction: String {
        "\(name): \(subject ?? "no card describes its training")"
    }

    /// Loads a model directory.
    ///
    /// - Parameters:
    ///   - files: The model directory.
    ///   - named: The name of the model, and the subject of its training if its directory has no
    ///     card.
    ///   - imageSize: The side of the input in pixels; nil for the size of the weights.
    ///   - device: The device on which the model runs.
    ///   - computeType: The type in which the encoders multiply matrices; nil for the fastest that
    ///     pays for this model.
    /// - Throws: An error that names the invalid file and field.
    init(
        _ files: ModelDirectory, _ named: NamedModel, imageSize: Int?, device: Device,
        computeType: ComputeType?
    ) throws {
        model = try ALBEFModel(
            files, imageSize: imageSize, device: device,
            computeType: computeType ?? files.configuration.computeType(on: device))
        preprocessing = try ModelPreprocessing(files, as: model.configuration)
        fingerprint = files.fingerprint
        path = files.path
        name = named.name ?? files.path.absolute.lastComponent?.string ?? "model"
        subject = files.card?.subject ?? named.subject
        learnedWords = files.learnedWords
    }

    /// Tokenises a text, and finds how much of it the model can read.
    ///
    /// - Returns: The token ids with those that frame them; nil if no token of the text remains.
    func tokenized(_ text: String) -> (ids: [Int]?, reading: QueryReading) {
        let (ids, reading) = self.text.tokenized(text, learned: learnedWords)
        return (ids.isEmpty ? nil : self.text.framing.framed(ids), reading)
    }

    /// Encodes normalized pixels, `[3, S, S]` each.
    ///
    /// - Returns: Tokens `[B, P + 1, D_v]` and features `[B, E]`.
    /// - Throws: `ALBEFError` if the model has no image projection; `TorchError` if there is not
    ///   enough memory or a device fails.
    func encode(pixels: [[Float]]) throws -> EncodedImages {
        try recovering { try withoutGradients { try model.encodeImages(batch(pixels)) } }
    }

    /// Encodes normalized pixels, `[3, S, S]` each, to tokens `[B, P + 1, D_v]` alone.
    ///
    /// - Throws: `ALBEFError` if the pixels have another size; `TorchError` if there is not enough
    ///   memory or a device fails.
    func tokens(pixels: [[Float]]) throws -> Tensor {
        try recovering { try withoutGradients { try model.encodeTokens(batch(pixels)) } }
    }

    private func batch(_ pixels: [[Float]]) -> Tensor {
        let (side, area) = (transform.side, transform.count)
        return Tensor(shape: [pixels.count, 3, side, side]) { buffer in
            for (index, image) in pixels.enumerated() {
                _ = UnsafeMutableBufferPointer(rebasing: buffer[(index * area)...])
                    .update(fromContentsOf: image)
            }
        }.to(model.device)
    }

    /// Encodes texts after cleaning and cutting them as the model requires.
    ///
    /// - Throws: `ALBEFError` if the model has no text projection; `TorchError` if there is not
    ///   enough memory or a device fails.
    func encode(texts: [String]) throws -> EncodedTexts {
        try encode(rows: texts.map(text.ids))
    }

    /// Encodes texts by their token ids, which include those that frame them.
    ///
    /// - Throws: The errors of ``encode(texts:)``.
    func encode(rows: [[Int]]) throws -> EncodedTexts {
        let batch = text.framing.batch(rows: rows)
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

extension ALBEFConfiguration {
    /// The narrowest image encoder without a trunk for which a shorter type is worth its rounding;
    /// narrower ones take milliseconds.
    private static let leastWidth = 512

    /// Returns the type in which a model of these sizes searches fastest.
    fileprivate func computeType(on device: Device) -> ComputeType {
        vision.trunk == nil && vision.width < Self.leastWidth ? .float32 : .fastest(on: device)
    }
}

/// The error for two models that cannot search together.
public struct ModelPairError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The problem, in one line that starts with the model's path.
    public let description: String

    private init(_ path: FilePath, _ problem: String) {
        description = "\(path): \(problem)"
    }

    /// Returns the error for a model that cannot re-rank.
    static func reader(_ path: FilePath) -> ModelPairError {
        ModelPairError(
            path,
            "was not trained to match images with texts, so it cannot re-rank what another model"
                + " recalls; name it with --recall, and a model such as ALBEF or BLIP with"
                + " --model")
    }

    /// Returns the error for a model without features for recall.
    static func recall(_ path: FilePath, _ task: ALBEFConfiguration.Task) -> ModelPairError {
        ModelPairError(
            path,
            "is a model of the task '\(task.rawValue)', which has no features for recall; name a"
                + " model such as CLIP or SigLIP with --recall")
    }
}
