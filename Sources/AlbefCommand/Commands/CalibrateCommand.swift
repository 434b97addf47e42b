import ALBEF
import ALBEFTraining
import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Retrieval
import SystemPackage

/// `albef calibrate`: fits match probabilities to the measured share of matches.
struct CalibrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Calibrate a model's match probabilities, and store the result with the model.",
        discussion: """
            Reads every caption with its best candidates among the images, as a search does, and \
            fits a temperature and a bias, so that the probability shown equals the share of right \
            candidates. Give --recall if searches do: it only chooses the candidates, but better \
            ones are harder to tell from right ones. Half of the images serve to fit, the other \
            half to evaluate, over all captions and for each file. Also measures the probability \
            below which a search reports that nothing matches well. Writes calibration.json into \
            the model's directory; indexes stay valid.

              albef calibrate validation.json --model run/best
              albef calibrate english.json chinese.json --model run/best
              albef calibrate validation.json --recall siglip2 --model blip
              albef search "a dog" --model run/best --index photos.index --min-probability 0.5
            """)

    @Argument(
        help: ArgumentHelp(
            "Annotations, in any format that 'albef pretrain' reads.", valueName: "file"),
        completion: .file())
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "Folder that relative image paths start from; default: each file's own.",
            valueName: "directory"),
        completion: .directory)
    var images: String?

    @OptionGroup var model: ModelOptions

    @Option(
        help: ArgumentHelp("Candidates per caption, as many as searches re-rank.", valueName: "k"))
    var candidates = 64

    @Option(help: ArgumentHelp("Use only the first n images; 0 for all.", valueName: "n"))
    var limit = 0

    @Flag(help: "Measure only; write nothing.")
    var dryRun = false

    @Flag(help: "Print the results as JSON.")
    var json = false

    func validate() throws {
        guard (1...1_000_000).contains(candidates) else {
            throw ValidationError("--candidates must be from 1 to 1000000.")
        }
        guard (0...1_000_000_000).contains(limit) else {
            throw ValidationError("--limit must be from 0 to 1000000000.")
        }
    }

    func run() async throws {
        let paths = files.map { FilePath($0) }
        let root = images.map { FilePath($0) }
        let dataset = try CaptionDataset(reading: paths, imageRoot: root)
        let parts =
            try paths.count < 2
            ? []
            : paths.map {
                try MatchCalibrator.Part($0.displayed, .read($0, imageRoot: root))
            }
        let search = try await model.load()
        guard search.matches else {
            throw ValidationError(
                "this model was not trained to match; there is nothing to calibrate")
        }
        let calibrator = try MatchCalibrator(
            dataset, parts: parts, source: files.joined(separator: ", "), limit: limit,
            preprocessing: search.reader.preprocessing,
            recall: search.recall.map(RecallModel.init))
        let found = try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("reading", unit: "captions")
            defer { bar.finish() }
            return try await calibrator.calibrate(search.model, candidates: candidates) {
                bar.show($0, of: $1)
            }
        }
        guard let found else {
            throw ValidationError(
                "cannot calibrate: the candidates are all right, all wrong, or the model does not"
                    + " tell them apart")
        }
        if !dryRun {
            try ModelDirectory.open(search.reader.path).write(found.calibration)
        }
        if json {
            try Console.json(CalibrationOutput(found))
        } else {
            Console.result(Self.text(found))
        }
    }

    private static func text(_ found: MatchCalibrator.Result) -> String {
        func padded(_ text: String) -> String {
            text + String(repeating: " ", count: max(0, 34 - text.count))
        }
        func line(_ name: String, _ quality: MatchCalibration.Quality) -> String {
            padded(name)
                + String(format: "  %10.4f  %15.2f %%", quality.loss, quality.error * 100)
        }
        var lines = [
            String(
                format: "temperature %.3f, bias %.3f", found.calibration.temperature,
                found.calibration.bias)
        ]
        if let least = found.calibration.least {
            lines.append(
                String(
                    format: "searches report 'nothing here matches well' below %.1f %%", least * 100
                ))
        }
        lines.append(padded("on the candidates held out") + "  loss, nats  calibration error")
        for evaluation in [found.all] + found.parts {
            lines.append("\(evaluation.name ?? "all"): \(evaluation.count)")
            lines.append(line("  the softmax as it is", evaluation.before))
            lines.append(line("  calibrated", evaluation.after))
            if let missed = evaluation.missed {
                lines.append(
                    padded("  captions reported unmatched")
                        + String(format: "  %10.1f %%", missed * 100))
            }
        }
        return lines.joined(separator: "\n")
    }
}

/// The JSON of `albef calibrate --json`.
private struct CalibrationOutput: Encodable {
    struct File: Encodable {
        let file: String
        let judged: Int
        let before, after: MatchCalibration.Quality
        let missed: Double?

        init(_ evaluation: MatchCalibrator.Evaluation) {
            file = evaluation.name ?? ""
            judged = evaluation.count
            before = evaluation.before
            after = evaluation.after
            missed = evaluation.missed
        }
    }

    let temperature, bias: Double
    let least: Double?
    let fitted, judged: Int
    let before, after: MatchCalibration.Quality
    let missed: Double?
    let files: [File]

    init(_ found: MatchCalibrator.Result) {
        temperature = found.calibration.temperature
        bias = found.calibration.bias
        least = found.calibration.least
        fitted = found.fitted
        judged = found.all.count
        before = found.all.before
        after = found.all.after
        missed = found.all.missed
        files = found.parts.map(File.init)
    }
}
