public import ALBEF
import ImageText

/// A model for visual question answering (VQA) that a service asks about its images.
///
/// It works beside the model that searches, and needs no index of its own.
public struct QuestionModel: Sendable {
    /// The name of the model, which answers contain.
    public let name: String
    private let model: TaskModel
    private let reader: AnswerReader

    /// Creates the model of a service.
    ///
    /// - Parameters:
    ///   - model: A model for VQA.
    ///   - reader: The way in which the model finds answers: among those of a list, or freely.
    ///   - name: The name of the model.
    /// - Throws: ``ServerError`` if the model is for another task.
    public init(_ model: TaskModel, _ reader: AnswerReader, name: String) throws {
        guard model.task == .vqa else {
            throw ServerError.setting(
                "questions", "\(name) is a model for \(model.task.rawValue), not for vqa")
        }
        self.model = model
        self.reader = reader
        self.name = name
    }

    /// The side of the input in pixels.
    var side: Int { model.image.side }

    /// Returns answers to a question about an image, best first.
    ///
    /// - Throws: `ALBEFError` if the question does not fit the model; `TorchError` if there is not
    ///   enough memory.
    func answers(to question: String, about image: RGBImage) throws -> [ScoredAnswer] {
        try model.answers(to: question, about: image, reader)
    }
}
