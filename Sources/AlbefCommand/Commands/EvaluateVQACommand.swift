import ALBEF
import ALBEFTraining
import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import SystemPackage

/// `albef evaluate vqa`: measures the accuracy of answers, or answers the questions of a test.
struct EvaluateVQACommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vqa",
        abstract: "Measure the accuracy of answers to questions about images: VQAv2.",
        discussion: """
            Files are a JSON list or JSON Lines with image, question and answer, a list of the \
            answers that people gave. With --test they need question_id instead of answers, and \
            --output writes what the evaluation server of VQA takes.

              albef evaluate vqa vqa_val.json --images vqa --answers answer_list.json \
            --model run/best
              albef evaluate vqa vqa_test.json --test --answers answer_list.json \
            --model run/best --output results.json
            """)

    @OptionGroup var data: AnnotationOptions

    @OptionGroup var model: TaskModelOptions

    @OptionGroup var answers: AnswerOptions

    @Option(
        help: ArgumentHelp(
            "Folder of the images of Visual Genome; default: --images.", valueName: "directory"),
        completion: .directory)
    var genomeImages: String?

    @Flag(help: "The questions of a test, which have no answers.")
    var test = false

    @Option(
        help: ArgumentHelp(
            "Write the answers as a JSON list with question_id and answer.", valueName: "file"),
        completion: .file())
    var output: String?

    func validate() throws {
        if test, output == nil {
            throw ValidationError("--test needs --output: the answers are all that it finds.")
        }
    }

    func run() async throws {
        let questions = try QuestionDataset(
            reading: data.paths, imageRoot: data.imageRoot,
            visualGenomeRoot: genomeImages.map { FilePath($0) }, isTest: test, limit: data.limit,
            missing: data.missing)
        if output != nil, let unnamed = questions.items.first(where: { $0.id == nil }) {
            throw ValidationError(
                "\(unnamed.file): \(unnamed.entry): has no question_id, which --output needs.")
        }
        let loaded = try await model.load(.vqa)
        let evaluator = try AnswerEvaluator(
            questions.items, source: data.source,
            reader: answers.reader(loaded), image: loaded.image)
        let skips = data.skipMissing
        let result = try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("answering", unit: "questions")
            defer { bar.finish() }
            return try await evaluator.evaluate(loaded.model, skipsUnreadable: skips) {
                bar.show($0, of: $1)
            }
        }
        if let output {
            try AnswerResult.write(
                result.predictions.compactMap { prediction in
                    questions.items[prediction.item].id.map {
                        AnswerResult(questionID: $0, answer: prediction.answers[0].text)
                    }
                }, to: FilePath(output))
        }
        let summary = AnswersOutput(
            questions: result.predictions.count, accuracy: result.accuracy?.percent,
            standardError: result.accuracy?.standardError,
            leftOut: questions.missingCount + questions.items.count - result.predictions.count)
        if data.json { try Console.json(summary) } else { Console.result(summary.text) }
    }
}

/// The options that choose how a model answers questions.
struct AnswerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A JSON list of answers to choose from; default: the model writes answers freely.",
            valueName: "file"), completion: .file())
    var answers: String?

    @Option(help: ArgumentHelp("Answers of the list to score as a whole.", valueName: "n"))
    var candidates = 128

    @Option(help: ArgumentHelp("Width of the search for a freely written answer.", valueName: "n"))
    var beams = 3

    @Flag(help: "Count the first token of an answer twice, as the original does.")
    var faithful = false

    func validate() throws {
        try NumberBounds.check("--candidates", candidates, 1...1_000_000)
        try NumberBounds.check("--beams", beams, 1...64)
        if faithful, answers == nil {
            throw ValidationError("--faithful needs --answers: it is a rule for lists.")
        }
    }

    /// Returns what finds the answers of a model.
    func reader(_ model: TaskModel) throws -> AnswerReader {
        try AnswerReader(
            model.texts, choices: answers.map { try AnswerChoices(reading: FilePath($0)) },
            candidates: candidates, score: faithful ? .firstTokenTwice : .likelihood, beams: beams)
    }
}

/// The results of `albef evaluate vqa`.
private struct AnswersOutput: Encodable {
    let questions: Int
    /// In percent, with its standard error in percentage points; nil without people's answers.
    let accuracy, standardError: Double?
    let leftOut: Int

    enum CodingKeys: String, CodingKey {
        case questions, accuracy
        case standardError = "standard_error"
        case leftOut = "left_out"
    }

    var text: String {
        var lines: [String] = []
        if let accuracy, let standardError {
            lines.append(
                String(
                    format: "accuracy %.2f %% (standard error %.2f) on %d questions", accuracy,
                    standardError, questions))
        } else {
            lines.append("answered \(questions) questions")
        }
        if leftOut > 0 {
            lines.append("left out \(leftOut) questions whose images are missing or damaged")
        }
        return lines.joined(separator: "\n")
    }
}
