import ALBEF
import ArgumentParser
import SystemPackage

/// `albef import`: makes a model of a checkpoint.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a model directory of an ALBEF or LAVIS checkpoint.",
        discussion: """
            Sizes, task and dialect are read off the tensors. What was mapped, what is new and what \
            was ignored is reported with the reason; anything unexplained is an error. A checkpoint \
            is a pickle, a program: nothing in it is ever run. Tensors and plain values are read, \
            other objects are passed over, and a file that asks for functions of the system is \
            refused by the name of what it asked for.

              albef import ALBEF.pth --vocabulary vocab.txt --output model
            """)

    @Argument(
        help: ArgumentHelp(
            "A .pth, .pt or .safetensors file, or a folder or index of several.",
            valueName: "checkpoint"))
    var checkpoint: String

    @Option(
        help: ArgumentHelp(
            "The WordPiece vocabulary the text encoder was trained with.", valueName: "file"))
    var vocabulary: String

    @Option(help: ArgumentHelp("Where the model will be.", valueName: "directory"))
    var output: String

    @Option(help: ArgumentHelp("albef or lavis; default: as detected.", valueName: "dialect"))
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

    @Flag(help: "Keep momentum twins and queues, to go on training.")
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
        var options = CheckpointImporter.Options()
        options.dialect = dialect
        options.visionHeads = visionHeads
        options.textHeads = textHeads
        options.lowercases = !cased
        options.keepsTrainingState = keepTrainingState
        let model = try CheckpointImporter(options).load(FilePath(checkpoint))
        try model.writeModel(to: FilePath(output), vocabulary: FilePath(vocabulary))
        if json {
            try Console.json(model.report)
        } else {
            Console.result(model.report.description)
            Console.result("wrote \(output)")
        }
    }
}
