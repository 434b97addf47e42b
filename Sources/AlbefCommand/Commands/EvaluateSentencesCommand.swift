import ALBEF
import ALBEFTraining
import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import SystemPackage

/// `albef evaluate entailment`: measures the accuracy of visual entailment.
struct EvaluateEntailmentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entailment",
        abstract: "Measure whether a model finds what a sentence is to an image: SNLI-VE.",
        discussion: """
            Files are a JSON list or JSON Lines with image, sentence and label: entailment, neutral \
            or contradiction.

              albef evaluate entailment ve_test.json --images flickr30k --model run/best
            """)

    @OptionGroup var options: SentenceOptions

    func run() async throws {
        let data = try EntailmentDataset(
            reading: options.data.paths, imageRoot: options.data.imageRoot,
            limit: options.data.limit, missing: options.data.missing)
        try await options.evaluate(
            .entailment, data.items.map(ClassificationItem.init), missing: data.missingCount)
    }
}

/// `albef evaluate nlvr`: measures the accuracy of sentences about two images.
struct EvaluateNLVRCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nlvr",
        abstract: "Measure whether a model finds if a sentence about two images is true: NLVR2.",
        discussion: """
            Files are a JSON list or JSON Lines with images (two), sentence and label: True or False.

              albef evaluate nlvr nlvr_test.json --images nlvr2 --model run/best
            """)

    @OptionGroup var options: SentenceOptions

    func run() async throws {
        let data = try NLVRDataset(
            reading: options.data.paths, imageRoot: options.data.imageRoot,
            limit: options.data.limit, missing: options.data.missing)
        try await options.evaluate(
            .nlvr, data.items.map(ClassificationItem.init), missing: data.missingCount)
    }
}

/// The options of the commands that evaluate sentences.
struct SentenceOptions: ParsableArguments {
    @OptionGroup var data: AnnotationOptions

    @OptionGroup var model: TaskModelOptions

    @Option(
        help: ArgumentHelp(
            "Write every sentence with its probabilities, as JSON Lines.", valueName: "file"),
        completion: .file())
    var output: String?

    /// Evaluates items and prints the accuracy.
    ///
    /// - Parameters:
    ///   - task: the task of the items.
    ///   - missing: the number of items that were left out because their image is missing.
    func evaluate(
        _ task: ALBEFConfiguration.Task, _ items: [ClassificationItem], missing: Int
    ) async throws {
        let details = try output.map { try DetailsFile(FilePath($0)) }
        let loaded = try await model.load(task)
        let evaluator = try ClassificationEvaluator(
            items, source: data.source, image: loaded.image, texts: loaded.texts)
        let skips = data.skipMissing
        let result = try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("classifying", unit: "sentences")
            defer { bar.finish() }
            return try await evaluator.evaluate(loaded.model, skipsUnreadable: skips) {
                bar.show($0, of: $1)
            }
        }
        let names = task.classNames ?? []
        try details?.write(
            result.predictions.lazy.map { SentenceDetail($0, items[$0.item], names) })
        let leftOut = missing + items.count - result.predictions.count
        if leftOut > 0 {
            Console.note("note: left out \(leftOut) sentences whose images are missing or damaged")
        }
        let output = SentencesOutput(result, names: names, leftOut: leftOut)
        if data.json {
            try Console.json(output)
        } else {
            Console.result(output.text)
        }
    }
}

/// A sentence with its probabilities, as one line of `--output`.
private struct SentenceDetail: Encodable {
    let file, entry: String
    let images: [String]
    let sentence, label, predicted: String
    let probabilities: [String: Float]

    init(
        _ prediction: ClassificationEvaluator.Prediction, _ item: ClassificationItem,
        _ names: [String]
    ) {
        file = item.file.string
        entry = item.entry
        images = item.images.map(\.string)
        sentence = item.sentence
        label = names[item.label]
        predicted = names[prediction.label]
        probabilities = Dictionary(
            uniqueKeysWithValues: zip(names, prediction.probabilities))
    }
}

/// The results of `albef evaluate entailment` and `albef evaluate nlvr`.
private struct SentencesOutput: Encodable {
    let sentences: Int
    /// In percent, with its standard error in percentage points.
    let accuracy, standardError: Double
    /// The share of the most frequent class, in percent.
    let majority: Double
    /// The number of sentences by class, and then by predicted class.
    let confusion: [String: [String: Int]]
    let leftOut: Int
    private let names: [String]

    init(_ result: ClassificationEvaluator.Result, names: [String], leftOut: Int) {
        sentences = result.predictions.count
        accuracy = result.accuracy.percent
        standardError = result.accuracy.standardError
        majority = result.majority
        confusion = Dictionary(
            uniqueKeysWithValues: zip(
                names,
                result.confusion.map { Dictionary(uniqueKeysWithValues: zip(names, $0)) }))
        self.leftOut = leftOut
        self.names = names
    }

    enum CodingKeys: String, CodingKey {
        case sentences, accuracy
        case standardError = "standard_error"
        case majority, confusion
        case leftOut = "left_out"
    }

    /// The accuracy in a sentence, and the confusion as a table.
    var text: String {
        let width = (names.map(\.count).max() ?? 0) + 2
        func cell(_ text: String) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        let header = "class \\ predicted"
        let first = max(header.count, width)
        func name(_ text: String) -> String {
            text + String(repeating: " ", count: max(0, first - text.count))
        }
        let lines = names.map { label in
            name(label) + names.map { cell("\(confusion[label]?[$0] ?? 0)") }.joined()
        }
        return
            ([
                String(
                    format: "accuracy %.1f %% (standard error %.1f) on %d sentences; the most"
                        + " frequent class is %.1f %%", accuracy, standardError, sentences,
                    majority), "",
                name(header) + names.map(cell).joined(),
            ] + lines).joined(separator: "\n")
    }
}
