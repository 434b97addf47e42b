import ALBEF
import ArgumentParser
import CommandSupport
import Foundation
import SystemPackage

/// `albef import`: makes a model from a checkpoint.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a model directory from published weights.",
        discussion: """
            Reads checkpoints of ALBEF and LAVIS, BLIP's retrieval models, and Chinese-CLIP, in \
            their own layouts and in Hugging Face's. BLIP re-ranks as ALBEF does; Chinese-CLIP has \
            no fusion encoder, so its searches keep the order of recall.

            Sizes come from the shapes of the tensors; the config.json beside them supplies the \
            rest. The report lists what was mapped, added and ignored, with the reason; anything \
            unexplained is an error. A checkpoint is a pickle, which is a program, but nothing in \
            it is ever run: the importer reads tensors and plain values, skips other objects, and \
            refuses a file that asks for functions of the system, naming the function.

              albef import ALBEF.pth --vocabulary vocab.txt --output model
              albef import chinese-clip-vit-base-patch16 --output model
            """)

    @Argument(
        help: ArgumentHelp(
            "A .pth, .pt or .safetensors file, or a folder or index of several.",
            valueName: "checkpoint"), completion: .file())
    var checkpoint: String

    @Option(
        help: ArgumentHelp(
            "The WordPiece vocabulary the text encoder was trained with; default: the vocab.txt "
                + "beside the weights.", valueName: "file"), completion: .file())
    var vocabulary: String?

    @Option(
        help: ArgumentHelp("Where to write the model.", valueName: "directory"),
        completion: .directory)
    var output: String

    @Option(
        help: ArgumentHelp(
            "albef or lavis; default: detected from the weights.", valueName: "dialect"))
    var dialect: Dialect?

    @Option(
        help: ArgumentHelp(
            "Attention heads of the image encoder; default: width / 64.", valueName: "n"))
    var visionHeads: Int?

    @Option(
        help: ArgumentHelp(
            "Attention heads of the text encoder; default: width / 64.", valueName: "n"))
    var textHeads: Int?

    @Flag(help: "The vocabulary distinguishes upper and lower case.")
    var cased = false

    @Flag(help: "Keep the momentum teacher and its queues, to resume training.")
    var keepTrainingState = false

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        for (name, heads) in [("vision", visionHeads), ("text", textHeads)] {
            if let heads, !(1...65_536).contains(heads) {
                throw ValidationError("--\(name)-heads must be from 1 to 65536.")
            }
        }
    }

    func run() async throws {
        if try TowerModel.recognizes(FilePath(checkpoint)) {
            try importTowers()
        } else {
            try importCheckpoint()
        }
    }

    private func importTowers() throws {
        let chosen = [
            ("--dialect", dialect != nil), ("--vision-heads", visionHeads != nil),
            ("--text-heads", textHeads != nil), ("--cased", cased),
            ("--keep-training-state", keepTrainingState),
        ]
        if let (name, _) = chosen.first(where: \.1) {
            throw ValidationError(
                "\(name) is for checkpoints of ALBEF and LAVIS; leave it out for these weights.")
        }
        let model = try TowerModel(importing: FilePath(checkpoint))
        guard
            let tokenizer = vocabulary.map({ TokenizerFiles(vocabulary: FilePath($0)) })
                ?? model.tokenizer
        else { throw noVocabulary }
        try model.write(to: FilePath(output), tokenizer: tokenizer)
        if json {
            try Console.json(model.reports[0])
        } else {
            Console.result(model.reports[0].description)
            if !model.configuration.task.matches {
                Console.result(
                    "  note     no fusion encoder: searches keep the order of recall, without"
                        + " re-ranking")
            }
            Console.result("wrote \(output)")
        }
    }

    /// Returns the named vocabulary, or else the one found beside the weights.
    private func vocabularyFile(_ found: FilePath?) throws -> FilePath {
        guard let file = vocabulary.map({ FilePath($0) }) ?? found else { throw noVocabulary }
        return file
    }

    private var noVocabulary: ValidationError {
        ValidationError(
            "There is no vocab.txt or tokenizer.json beside the weights; name a vocabulary with"
                + " --vocabulary. 'albef models list' shows the published ones.")
    }

    private func importCheckpoint() throws {
        var options = CheckpointImporter.Options()
        options.dialect = dialect
        options.visionHeads = visionHeads
        options.textHeads = textHeads
        options.lowercases = !cased
        options.keepsTrainingState = keepTrainingState
        let source = FilePath(checkpoint)
        let model = try CheckpointImporter(options).load(source)
        let beside = source.removingLastComponent().appending("vocab.txt")
        try model.writeModel(
            to: FilePath(output),
            vocabulary: try vocabularyFile(
                FileManager.default.fileExists(atPath: beside.string) ? beside : nil))
        if json {
            try Console.json(model.report)
        } else {
            Console.result(model.report.description)
            Console.result("wrote \(output)")
        }
    }
}
