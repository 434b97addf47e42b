import ArgumentParser
import Foundation
import ImageText
import SystemPackage

/// `albef data`: what can be done with a training set.
struct DataCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "Check the captioned pictures that a model is to be trained on.",
        subcommands: [DataValidateCommand.self])
}

/// `albef data validate`: everything that is wrong with a training set.
struct DataValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Look for missing and damaged pictures, empty and repeated captions.",
        discussion: """
            Reads ALBEF's JSON lists, JSON Lines, COCO's and Karpathy's JSON, CSV and TSV with a \
            header, and folders of pictures with a .txt each, and decodes every picture. The exit \
            status is 1 when training could not use something; what is merely there twice is only \
            reported.

              albef data validate train.json --images photos
              albef data validate karpathy.json --images coco --split train
            """)

    @Argument(help: ArgumentHelp("Annotation files or folders.", valueName: "file"))
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "Where relative picture paths start; default: the annotations' folder.",
            valueName: "directory"))
    var images: String?

    @Option(
        help: ArgumentHelp(
            "A split to check, where files have them; may repeat.", valueName: "name"))
    var split: [String] = []

    @Option(
        help: ArgumentHelp("Pictures decoded at once; default: one a processor.", valueName: "n"))
    var workers: Int?

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        if let workers, workers < 1 { throw ValidationError("--workers must be at least 1.") }
    }

    func run() async throws {
        let dataset = try CaptionDataset(
            reading: files.map { FilePath($0) }, imageRoot: images.map { FilePath($0) },
            splits: Set(split))
        let validator = DatasetValidator(workers: workers)
        let report: DatasetReport
        do {
            report = try await Interrupts.cancelling("stopping") {
                var bar = ProgressBar("checking", unit: "pictures")
                defer { bar.finish() }
                return try await validator.validate(dataset) { progress in
                    bar.show(progress.done, of: progress.total)
                }
            }
        } catch is CancellationError {
            throw Interrupts.exitCode
        }
        if json {
            try Console.json(ValidationOutput(report))
        } else {
            Console.result(ValidationTable.text(report))
        }
        if report.isBroken { throw ExitCode.failure }
    }
}
