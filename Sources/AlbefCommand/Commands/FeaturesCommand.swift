public import ArgumentParser
import CommandSupport
import Foundation
import ImageText
public import Retrieval
import Storage
import SystemPackage
import WeightFiles

/// `albef features`: exports features of images and texts for other programs.
struct FeaturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Export the features of images and texts for Python.",
        discussion: """
            Each input is an image, a folder of images, an annotation file whose images to use, or \
            an index, whose features are exported as it stores them. Every row of an array has the \
            path of its image, or its text.

              albef features ~/Pictures --output features.npz
              albef features test.json --texts test.json --model blip --output test.npz
              albef features pictures.index --output features.npy --dtype float16
              albef features captions.json --kind fused --output pairs.safetensors

            A .npz file holds image_features and image_paths, text_features and texts; \
            numpy.load opens it without pickle. A .npy file holds one array, and a .safetensors \
            file any of them; the paths and texts of their rows are then in a file of the same name \
            that ends in .jsonl, one line per row.

            Rows are written as they are computed. An interruption leaves no file.
            """)

    @Argument(
        help: ArgumentHelp(
            "Images, folders of images, annotation files or indexes.", valueName: "input"),
        completion: .file())
    var inputs: [String] = []

    @Option(
        help: ArgumentHelp(
            "Texts to export too: one per line in a .txt file, or the captions of an annotation "
                + "file.",
            valueName: "file"), completion: .file())
    var texts: String?

    @Option(
        help: ArgumentHelp(
            "Where to write, a name that ends in .npz, .npy or .safetensors.", valueName: "file"),
        completion: .file(extensions: ArrayFileFormat.allCases.map(\.rawValue)))
    var output: String

    @Option(
        help: ArgumentHelp(
            "aligned: the unit-length features that searches compare; image: the state of [CLS] "
                + "before the projection; tokens: all tokens of the image; fused: the state of "
                + "[CLS] for each image with each of its captions.",
            valueName: "kind"))
    var kind = FeatureKind.aligned

    @Option(help: ArgumentHelp("The type of the numbers.", valueName: "type"))
    var dtype = Precision.float32

    @Option(
        help: ArgumentHelp(
            "Folder that relative image paths of annotation files start from; default: each file's "
                + "own.",
            valueName: "directory"), completion: .directory)
    var images: String?

    @Option(
        help: ArgumentHelp(
            "Images to encode at once; default: by the size of the model.", valueName: "n"))
    var batchSize: Int?

    @Flag(help: "Fail if an image cannot be read, instead of leaving it out.")
    var strict = false

    @Flag(help: "Print a summary as JSON.")
    var json = false

    @OptionGroup var options: ModelOptions

    /// The value of `--dtype`.
    enum Precision: String, ExpressibleByArgument, CaseIterable, Sendable {
        case float32, float16
    }

    func validate() throws {
        guard !inputs.isEmpty || texts != nil else {
            throw ValidationError("Name images, folders, annotation files or indexes, or --texts.")
        }
        guard kind == .aligned || texts == nil else {
            throw ValidationError(
                "--texts has features of the kind aligned alone; name an annotation file as input"
                    + " for pairs of the kind fused.")
        }
        guard let format = ArrayFileFormat(of: FilePath(output)) else {
            throw ValidationError("--output must end in .npz, .npy or .safetensors.")
        }
        if format == .npy, !inputs.isEmpty, texts != nil {
            throw ValidationError(
                "A .npy file holds one array, of images or of texts; use .npz or .safetensors for"
                    + " both.")
        }
        try NumberBounds.check("--batch-size", batchSize, 1...4096)
    }

    func run() async throws {
        // Report simple mistakes before loading the model.
        var sources = try inputs.map { try source(FilePath($0)) }
        if let texts { sources.append(.texts(try CaptionTexts.read(FilePath(texts)))) }
        let export = FeatureExport(sources, kind: kind, dtype: dtype.type, isStrict: strict)
        let signature = sources.lazy.compactMap { source in
            if case .index(let index) = source { index.model } else { nil }
        }.first
        let model = export.needsModel ? try await options.load(of: signature, isExact: true) : nil
        let clock = ContinuousClock.now
        let (path, batchSize) = (FilePath(output), batchSize)
        let unit = kind == .fused ? "images" : "rows"
        let report = try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("encoding", unit: unit)
            defer { bar.finish() }
            return try await export.write(to: path, model: model, batchSize: batchSize) { row in
                bar.finish()
                Console.note("skipped \(row.description.displayed)")
            } progress: {
                bar.show($0, of: $1)
            }
        }
        let seconds = (ContinuousClock.now - clock).seconds
        if json {
            try Console.json(FeaturesOutput(self, report, model, seconds: seconds))
            return
        }
        for array in report.arrays {
            Console.result("\(array.name) \(array.shape) \(dtype.rawValue)")
        }
        let left = report.skipped.isEmpty ? "" : ", \(report.skipped.count) left out"
        let labels = report.labelPath.map { " and \($0.displayed)" } ?? ""
        Console.result(
            "wrote \(path.displayed)\(labels) in \(NumberText.time(seconds))\(left)")
    }

    /// Finds out what an input is.
    private func source(_ path: FilePath) throws -> FeatureExport.Source {
        if ForwardIndex.isPresent(in: path) { return .index(try ForwardIndex(path)) }
        let isImages =
            FileSystem.isDirectory(path)
            || FolderScan.extensions.contains(path.extension?.lowercased() ?? "")
            || !FileSystem.exists(path)
        if isImages, kind != .fused {
            let scan = try FolderScan(path)
            for failure in scan.failures {
                Console.note("skipped \(failure.path.displayed): \(failure.reason.displayed)")
            }
            if let kinds = IndexOutput.passedOver(scan) {
                Console.note("note: passed over \(kinds)")
            }
            return .images(scan.files.map(\.path))
        }
        let dataset = try CaptionDataset.read(path, imageRoot: images.map { FilePath($0) })
        return kind == .fused
            ? .pairs(dataset.images.map(\.absolute))
            : .images(dataset.images.map(\.absolute.path))
    }
}

extension FeatureKind: ExpressibleByArgument {}

extension CaptionedImage {
    /// The same image by its absolute path, as indexes name images.
    fileprivate var absolute: CaptionedImage {
        var image = self
        image.path = path.absolute
        return image
    }
}
