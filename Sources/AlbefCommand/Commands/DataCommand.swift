import ArgumentParser
import Foundation
import ImageText
import SystemPackage

/// `albef data`: what can be done with a training set.
struct DataCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "Check the captioned images that a model is to be trained on.",
        subcommands: [DataValidateCommand.self])
}

/// `albef data validate`: everything that is wrong with a training set.
struct DataValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Look for missing and damaged images, empty and repeated captions.",
        discussion: """
            Reads ALBEF's JSON lists, JSON Lines such as metadata.jsonl, COCO's and Karpathy's JSON, \
            CSV and TSV with a header, also with semicolons, and folders of images with a .txt each, \
            and decodes every image. The exit status is 1 when training could not use something; what \
            is merely there twice is only reported.

              albef data validate train.json --images photos
              albef data validate karpathy.json --images coco --split train
              albef data validate shop.csv --image-column photo --caption-column name
            """)

    @Argument(
        help: ArgumentHelp("Annotation files or folders.", valueName: "file"), completion: .file())
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "Where relative image paths start; default: the annotations' folder.",
            valueName: "directory"), completion: .directory)
    var images: String?

    @Option(
        help: ArgumentHelp(
            "A split to check, where files have them; may repeat.", valueName: "name"))
    var split: [String] = []

    @Option(
        help: ArgumentHelp(
            "What a table or a JSON list calls the file of an image; default: image, path, file_name and the like.",
            valueName: "name"))
    var imageColumn: String?

    @Option(
        help: ArgumentHelp(
            "What it calls a caption; default: caption, title or text.", valueName: "name"))
    var captionColumn: String?

    @Option(
        help: ArgumentHelp(
            "Images decoded at once, 1 to 1024; default: one per processor.", valueName: "n"))
    var workers: Int?

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        if let workers, !(1...1024).contains(workers) {
            throw ValidationError("--workers must be from 1 to 1024.")
        }
    }

    func run() async throws {
        let dataset = try CaptionDataset(
            reading: files.map { FilePath($0) }, imageRoot: images.map { FilePath($0) },
            splits: Set(split),
            columns: CaptionColumns(image: imageColumn, caption: captionColumn))
        let validator = DatasetValidator(workers: workers)
        let report = try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("checking", unit: "images")
            defer { bar.finish() }
            return try await validator.validate(dataset) { progress in
                bar.show(progress.done, of: progress.total)
            }
        }
        if json {
            try Console.json(ValidationOutput(report))
        } else {
            Console.result(ValidationTable.text(report))
        }
        if report.isBroken { throw ExitCode.failure }
    }
}
