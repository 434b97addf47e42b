import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import SystemPackage

/// `albef data`: works on training sets.
struct DataCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "Check captioned images before a model is trained on them, and pack them.",
        subcommands: [DataValidateCommand.self, DataPackCommand.self, DataListCommand.self])
}

/// `albef data validate`: reports every problem of a training set.
struct DataValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Find missing and damaged images, and empty and repeated captions.",
        discussion: """
            Reads ALBEF's JSON lists, JSON Lines such as metadata.jsonl, COCO's and Karpathy's \
            JSON, CSV (with commas or semicolons) and TSV with a header, and folders of images \
            with one .txt file per image, and decodes every image. Shards of WebDataset are read \
            by path, pattern, command or address. The exit status is 1 if training could not use \
            some of the data; duplicates are only reported.

              albef data validate train.json --images photos
              albef data validate karpathy.json --images coco --split train
              albef data validate shop.csv --image-column photo --caption-column name
              albef data validate 'shards/train-{000000..000127}.tar'
            """)

    @Argument(
        help: ArgumentHelp("Annotation files or folders, or shards.", valueName: "file"),
        completion: .file())
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "Folder that relative image paths start from; default: that of the annotations.",
            valueName: "directory"), completion: .directory)
    var images: String?

    @Option(
        help: ArgumentHelp(
            "A split to check, if the files have splits; may be repeated.", valueName: "name"))
    var split: [String] = []

    @Option(
        help: ArgumentHelp(
            "Column or key of the image file in a table or a JSON list; default: image, path, "
                + "file_name and the like.",
            valueName: "name"))
    var imageColumn: String?

    @Option(
        help: ArgumentHelp(
            "Column or key of the caption; default: caption, title or text.", valueName: "name"))
    var captionColumn: String?

    @Option(
        help: ArgumentHelp(
            "Images to decode at once, from 1 to 1024; default: one per processor.", valueName: "n")
    )
    var workers: Int?

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        if let workers, !(1...1024).contains(workers) {
            throw ValidationError("--workers must be from 1 to 1024.")
        }
        let shards = files.filter(ShardList.isShards)
        guard shards.isEmpty || shards.count == files.count else {
            throw ValidationError("Check shards and annotations one after the other.")
        }
        if !shards.isEmpty, images != nil || imageColumn != nil || !split.isEmpty {
            throw ValidationError(
                "--images, --image-column and --split are for annotations, not for shards.")
        }
    }

    func run() async throws {
        let report =
            files.allSatisfy(ShardList.isShards) ? try await ofShards() : try await ofAnnotations()
        if json {
            try Console.json(ValidationOutput(report))
        } else {
            Console.result(ValidationTable.text(report))
        }
        if report.isBroken { throw ExitCode.failure }
    }

    private func ofAnnotations() async throws -> DatasetReport {
        let dataset = try CaptionDataset(
            reading: files.map { FilePath($0) }, imageRoot: images.map { FilePath($0) },
            splits: Set(split),
            columns: CaptionColumns(image: imageColumn, caption: captionColumn))
        let validator = DatasetValidator(workers: workers)
        return try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("checking", unit: "images")
            defer { bar.finish() }
            return try await validator.validate(dataset) { progress in
                bar.show(progress.done, of: progress.total)
            }
        }
    }

    private func ofShards() async throws -> DatasetReport {
        let fields = ShardFields(columns: CaptionColumns(caption: captionColumn))
        let shards = try ShardSet(files, opener: .standard)
        let validator = DatasetValidator(workers: workers)
        return try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("checking", unit: "samples")
            defer { bar.finish() }
            return try await validator.validate(shards, fields: fields, opener: .standard) {
                bar.show($0, of: max($0, $1))
            }
        }
    }
}
