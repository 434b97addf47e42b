import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Retrieval
import Storage
import SystemPackage

/// `albef probe`: measures what a linear classifier finds in the features of images.
struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Measure features by a linear classifier: the linear probe.",
        discussion: """
            Encodes labelled images, trains multinomial logistic regression on those of TRAIN, and \
            reports how often it is right on those of TEST. The encoder does not change.

            Each is a folder with one subfolder per class, or a JSON list, JSON Lines, CSV or TSV \
            file with the fields image and label.

              albef probe flowers/train flowers/test --model albef-coco
              albef probe train.csv test.csv --kind aligned --output probe.safetensors

            The strength of the L2 regularization is chosen by a fifth of the training images; \
            --l2 sets it instead. Equal images give equal results.
            """)

    @Argument(
        help: ArgumentHelp("Labelled images to train on.", valueName: "train"),
        completion: .file())
    var train: String

    @Argument(
        help: ArgumentHelp("Labelled images to measure on.", valueName: "test"),
        completion: .file())
    var test: String

    @Option(
        help: ArgumentHelp(
            "Use only the images of these classes, separated by commas; default: the classes of "
                + "TRAIN.",
            valueName: "names"))
    var labels: String?

    @Option(
        help: ArgumentHelp(
            "image: the state of [CLS] before the projection; aligned: the unit-length features "
                + "that searches compare.",
            valueName: "kind"))
    var kind = Kind.image

    @Option(
        help: ArgumentHelp(
            "The strength of the L2 regularization: the mean cross-entropy plus half of this times "
                + "the squared weights is minimized. scikit-learn's C for n images is 1 / (l2 n).",
            valueName: "strength"))
    var l2: Double?

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

    @Option(
        help: ArgumentHelp(
            "Write the classifier as safetensors: weight, bias, and the labels in the metadata.",
            valueName: "file"), completion: .file(extensions: ["safetensors"]))
    var output: String?

    @Flag(help: "Fail if an image cannot be read, instead of leaving it out.")
    var strict = false

    @Flag(help: "Print the results as JSON, with the confusion of all classes.")
    var json = false

    @OptionGroup var options: ModelOptions

    /// The value of `--kind`: a kind of one vector per image.
    enum Kind: String, ExpressibleByArgument, CaseIterable, Sendable {
        case image, aligned

        var features: FeatureKind { self == .image ? .image : .aligned }
    }

    func validate() throws {
        try NumberBounds.check("--l2", l2, 1e-12...1e12)
        try NumberBounds.check("--batch-size", batchSize, 1...4096)
    }

    func run() async throws {
        // Report simple mistakes before loading the model.
        var (training, testing) = (try dataset(train), try dataset(test))
        let names = labels.map(Self.names) ?? Set(training.images.map(\.label)).sorted()
        if labels == nil {
            let known = Set(names)
            if let other = testing.images.first(where: { !known.contains($0.label) }) {
                throw ProbeError.unknown(other.label, of: test)
            }
        } else {
            try keep(names, of: &training, train)
            try keep(names, of: &testing, test)
        }
        let model = try await options.load()
        let extractor = FeatureExtractor(model, kind: kind.features, batchSize: batchSize)
        let (sets, strict, l2) = ([training, testing], strict, l2)
        let clock = ContinuousClock.now
        let result = try await Interrupts.cancelling("stopping") {
            var left: [FeatureExport.Skipped] = []
            let total = sets.reduce(0) { $0 + $1.images.count }
            var bar = ProgressBar("encoding", unit: "images")
            var features: [LabelledFeatures] = []
            for set in sets {
                let start = features.reduce(0) { $0 + $1.classes.count } + left.count
                let found = try await LabelledFeatures(
                    encoding: set, labels: names, by: extractor
                ) { image, error in
                    let row = FeatureExport.Skipped(image: image.path, reason: error.reason)
                    if strict { throw FeatureExportError.skipped(row) }
                    bar.finish()
                    Console.note("skipped \(row.description.displayed)")
                    left.append(row)
                } progress: {
                    bar.show(start + $0, of: total)
                }
                features.append(found)
            }
            bar.finish()
            let fit = try LinearProbe.fit(features[0], l2: l2) { done in
                if Console.isInteractive {
                    Console.write("\r\u{1B}[2Ktraining \(done + 1)", to: .standardError)
                }
            }
            bar.finish()
            let report = ClassificationReport(
                logits: fit.probe.logits(features[1].features), truths: features[1].classes,
                labels: names, majority: features[0].majority)
            return ProbeResult(
                fit: fit, report: report, kind: extractor.kind, model: model,
                trainingCount: features[0].classes.count, skipped: left,
                seconds: (ContinuousClock.now - clock).seconds)
        }
        if !result.fit.isConverged {
            Console.note(
                "note: the training ended with a gradient of \(result.fit.gradientSize); a stronger"
                    + " regularization (--l2) converges sooner")
        }
        if let output {
            try result.fit.probe.write(
                to: FilePath(output),
                metadata: [
                    "kind": kind.rawValue, "model": model.signature.title,
                    "model_sha256": model.signature.fingerprint,
                ])
        }
        if json {
            try Console.json(ProbeOutput(result))
        } else {
            Console.result(result.text)
            if let output { Console.result("wrote \(output.displayed)") }
        }
    }

    private static func names(_ list: String) -> [String] {
        var known: Set<String> = []
        return list.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty && known.insert($0).inserted }
    }

    /// Reads the names of images and their classes.
    private func dataset(_ input: String) throws -> LabelledDataset {
        let path = FilePath(input)
        guard FileSystem.isDirectory(path) else {
            return try LabelledDataset(reading: path, imageRoot: images.map { FilePath($0) })
        }
        let scan = try FolderScan(path)
        let dataset = LabelledDataset(scan)
        let loose = scan.files.count - dataset.images.count
        guard !dataset.images.isEmpty else {
            throw ValidationError(
                "\(input) has no subfolders with images; name a folder with one subfolder per class,"
                    + " or a file with the fields image and label.")
        }
        if loose > 0 {
            Console.note("note: left out \(loose) images outside the subfolders of \(input)")
        }
        return dataset
    }

    /// Keeps the images of some classes.
    private func keep(
        _ names: [String], of dataset: inout LabelledDataset, _ input: String
    ) throws {
        let known = Set(names)
        dataset.images.removeAll { !known.contains($0.label) }
        let present = Set(dataset.images.map(\.label))
        if let missing = names.first(where: { !present.contains($0) }) {
            throw ValidationError("\(input) has no image of the class '\(missing)' of --labels.")
        }
    }
}
