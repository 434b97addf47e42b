import ALBEF
import ALBEFTraining
import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import SystemPackage

/// `albef predict`: asks a model of a downstream task about one image, or two.
struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Ask a model about one image: answer, entailment, truth, place.",
        subcommands: [
            PredictVQACommand.self, PredictEntailmentCommand.self, PredictNLVRCommand.self,
            PredictGroundingCommand.self,
        ])
}

/// `albef predict vqa`: answers a question about an image.
struct PredictVQACommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vqa",
        abstract: "Answer a question about an image.",
        discussion: """
              albef predict vqa street.jpg "what colour is the coat?" --model vqa-run/best
            """)

    @Argument(help: ArgumentHelp("An image file.", valueName: "image"), completion: .file())
    var image: String

    @Argument(help: "The question.")
    var question: String

    @OptionGroup var model: TaskModelOptions

    @OptionGroup var answers: AnswerOptions

    @Flag(help: "Print the answers as JSON.")
    var json = false

    func run() async throws {
        let loaded = try await model.load(.vqa)
        let found = try loaded.answers(
            to: question, about: PredictionImage.load(image, loaded), answers.reader(loaded))
        if json {
            try Console.json(AnswerOutput(image: image, question: question, answers: found))
        } else {
            Console.result(
                found.map { String(format: "%7.2f  ", $0.score) + $0.text.displayed }
                    .joined(separator: "\n"))
        }
    }
}

/// `albef predict entailment`: decides what a sentence is to an image.
struct PredictEntailmentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entailment",
        abstract: "Decide whether an image entails a sentence, contradicts it, or neither.",
        discussion: """
              albef predict entailment street.jpg "A woman waits for a bus." --model ve-run/best
            """)

    @Argument(help: ArgumentHelp("An image file.", valueName: "image"), completion: .file())
    var image: String

    @Argument(help: "The sentence.")
    var sentence: String

    @OptionGroup var model: TaskModelOptions

    @Flag(help: "Print the probabilities as JSON.")
    var json = false

    func run() async throws {
        let loaded = try await model.load(.entailment)
        try ClassesOutput(
            loaded, sentence: sentence, images: [image]
        ).print(asJSON: json)
    }
}

/// `albef predict nlvr`: decides whether a sentence about two images is true.
struct PredictNLVRCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nlvr",
        abstract: "Decide whether a sentence about two images is true.",
        discussion: """
              albef predict nlvr left.jpg right.jpg "Both images show a dog." --model nlvr-run/best
            """)

    @Argument(help: ArgumentHelp("The first image file.", valueName: "image"), completion: .file())
    var first: String

    @Argument(help: ArgumentHelp("The second image file.", valueName: "image"), completion: .file())
    var second: String

    @Argument(help: "The sentence.")
    var sentence: String

    @OptionGroup var model: TaskModelOptions

    @Flag(help: "Print the probabilities as JSON.")
    var json = false

    func run() async throws {
        let loaded = try await model.load(.nlvr)
        try ClassesOutput(
            loaded, sentence: sentence, images: [first, second]
        ).print(asJSON: json)
    }
}

/// The images of predictions.
private enum PredictionImage {
    /// Loads an image large enough for a model.
    static func load(_ path: String, _ model: TaskModel) throws -> RGBImage {
        try ImageLoader(targetSide: model.image.side).load(FilePath(path))
    }
}

/// The JSON of `albef predict vqa --json`.
private struct AnswerOutput: Encodable {
    let image, question: String
    let answers: [ScoredAnswer]
}

/// The classes of a sentence; also the JSON of `albef predict entailment` and `nlvr`.
private struct ClassesOutput: Encodable {
    let images: [String]
    let sentence, predicted: String
    let probabilities: [String: Double]
    private let names: [String]

    init(_ model: TaskModel, sentence: String, images: [String]) throws {
        self.images = images
        self.sentence = sentence
        let values = try model.classProbabilities(
            sentence, images: images.map { try PredictionImage.load($0, model) })
        names = model.task.classNames ?? []
        let best = values.indices.max { values[$0] < values[$1] } ?? 0
        predicted = names[best]
        probabilities = Dictionary(uniqueKeysWithValues: zip(names, values))
    }

    enum CodingKeys: String, CodingKey { case images, sentence, predicted, probabilities }

    func print(asJSON json: Bool) throws {
        if json { return try Console.json(self) }
        let width = names.map(\.count).max() ?? 0
        Console.result(
            names.map { name in
                name + String(repeating: " ", count: width - name.count)
                    + String(format: "  %5.1f %%", 100 * (probabilities[name] ?? 0))
            }.joined(separator: "\n"))
    }
}
