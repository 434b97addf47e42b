public import ALBEF
public import ArgumentParser
import ImageText
import SystemPackage
import Torch

/// `albef models`: what can be had, fetched and made.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the published checkpoints, download one, make or pack a model.",
        subcommands: [
            ModelsListCommand.self, ModelsPullCommand.self, ModelsCreateCommand.self,
            ModelsPackCommand.self,
        ])
}

/// `albef models create`: a model with random weights.
struct ModelsCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a model with random weights, to be trained or to try the program with.",
        discussion: """
              albef models create --preset tiny --vocabulary vocab.txt --output model
            """)

    /// Sizes to choose from.
    enum Preset: String, ExpressibleByArgument, CaseIterable {
        case tiny, small, base

        var sizes: ALBEFConfiguration {
            var sizes = ALBEFConfiguration.base
            switch self {
            case .base: break
            case .small:
                sizes.vision = .init(imageSize: 224, width: 384, heads: 6, mlpWidth: 1536)
                sizes.text = .init(width: 384, heads: 6, mlpWidth: 1536, positions: 128)
            case .tiny:
                sizes.vision = .init(
                    imageSize: 128, width: 192, depth: 6, heads: 3, mlpWidth: 768)
                sizes.text = .init(
                    width: 192, depth: 6, fusionLayer: 3, heads: 3, mlpWidth: 768, positions: 64)
                sizes.embeddingWidth = 128
            }
            return sizes
        }
    }

    @Option(
        help: "tiny (128 pixels, 6 + 3 + 3 layers of 192), small (224, 384) or base (the paper's).")
    var preset: Preset = .base

    @Option(help: ArgumentHelp("A WordPiece vocabulary, one token a line.", valueName: "file"))
    var vocabulary: String

    @Option(help: ArgumentHelp("Where the model will be.", valueName: "directory"))
    var output: String

    @Option(help: "albef (the original) or lavis.")
    var dialect: Dialect = .albef

    @Option(help: "What the weights are drawn from; equal seeds give equal weights.")
    var seed: UInt64 = 42

    func run() async throws {
        let file = FilePath(vocabulary)
        var configuration = preset.sizes
        configuration.dialect = dialect
        configuration.text.vocabularySize = try Vocabulary(contentsOf: file).count
        let model = try ALBEFModel(
            untrained: configuration, generator: Generator(seed: seed))
        try model.write(to: FilePath(output), vocabulary: file)
        Console.result(
            "wrote \(output): an untrained '\(preset.rawValue)' model, \(dialect) dialect")
    }
}

extension Dialect: ExpressibleByArgument {}
