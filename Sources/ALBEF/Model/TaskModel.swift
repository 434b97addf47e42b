public import ImageText
public import Torch

/// A model for visual entailment, NLVR2 or VQA, with the preparation of its inputs.
public struct TaskModel: Sendable {
    /// The model.
    public let model: ALBEFModel
    /// The preparation of its texts.
    public let texts: TaskTexts
    /// The preparation of its images.
    public let image: ImageTransform

    /// The task of the model.
    public var task: ALBEFConfiguration.Task { model.configuration.task }

    /// Loads a model from its directory.
    ///
    /// - Parameters:
    ///   - directory: the model's directory.
    ///   - imageSize: as in ``ALBEFModel/init(_:imageSize:device:computeType:)``.
    ///   - device: the device of the model; the CPU by default.
    ///   - computeType: the type in which the encoders multiply; `float32` by default, which is
    ///     exact.
    /// - Throws: ``ALBEFError`` if the model is for another task or the size does not fit; `TorchError`
    ///   and `VocabularyError`, which name the file.
    public init(
        _ directory: ModelDirectory, imageSize: Int? = nil, device: Device = .cpu,
        computeType: ComputeType = .float32
    ) throws {
        let task = directory.configuration.task
        guard task.classCount != nil || task == .vqa else {
            throw ALBEFError.missingHead("cls_head or text_decoder", task)
        }
        model = try ALBEFModel(
            directory, imageSize: imageSize, device: device, computeType: computeType)
        let vocabulary = try Vocabulary(contentsOf: directory.vocabulary)
        texts = TaskTexts(vocabulary: vocabulary, configuration: model.configuration)
        image =
            ModelPreprocessing(vocabulary: vocabulary, configuration: model.configuration).image
    }

    /// Returns the probability of each class of a sentence.
    ///
    /// - Parameters:
    ///   - sentence: the sentence as typed.
    ///   - images: the image of visual entailment, or the two images of NLVR2.
    /// - Returns: the probabilities of contradiction, neutral and entailment, or of false and true.
    /// - Throws: ``ALBEFError`` if the task has no classes, or another number of images; `TorchError`
    ///   if there is not enough memory.
    public func classProbabilities(_ sentence: String, images: [RGBImage]) throws -> [Double] {
        let (ids, mask) = texts.sentences([sentence]).tensors(on: model.device)
        return try recovering {
            try withoutGradients {
                let tokens = try images.map { try self.tokens(of: $0) }
                return try model.classLogits(ids, mask: mask, images: tokens)
                    .to(.float32).softmax(1).values()
            }
        }
    }

    /// Returns answers to a question about an image, best first.
    ///
    /// - Parameters:
    ///   - question: the question as typed.
    ///   - image: the image.
    ///   - reader: the way in which the model finds answers; see ``AnswerReader``.
    /// - Throws: ``ALBEFError`` if the model is for another task, or if the question is too long;
    ///   `TorchError` if there is not enough memory.
    public func answers(
        to question: String, about image: RGBImage, _ reader: AnswerReader
    ) throws -> [ScoredAnswer] {
        try recovering {
            try withoutGradients {
                try reader.answers(to: [question], tokens: tokens(of: image), model)[0]
            }
        }
    }

    /// Returns the tokens `[1, P + 1, D_v]` of an image.
    private func tokens(of image: RGBImage) throws(ALBEFError) -> Tensor {
        let side = self.image.side
        return try model.encodeTokens(
            Tensor(self.image(image), shape: [1, 3, side, side], device: model.device))
    }
}
