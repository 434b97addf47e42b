import ALBEF
import ArgumentParser
import CommandSupport
import ImageText
import SystemPackage
import Torch

/// `albef models create`: makes a model to train, from pretrained towers or from nothing.
struct ModelsCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a model to train, from an image and a text tower or from nothing.",
        discussion: """
            With --image and --text, the model starts as the paper's does: its image encoder is \
            the image tower, its text encoder the first layers of the text tower, its fusion \
            encoder the layers after those. Cross-attention, projections and the ITM head are new. \
            Image towers: DeiT and ViT of timm or Hugging Face, CLIP, SigLIP, Chinese-CLIP. Text \
            towers: BERT, RoBERTa-wwm, MiniLM. The config.json beside the weights has to supply \
            what the tensors do not.

            An EfficientNet (of timm, efficientnet_pytorch or efficientnet_lite_pytorch) outputs \
            only a feature map. It becomes the trunk of the image encoder, and options describe \
            the layers above it. WenLan's model (BriVL) is made this way.

            --vocabulary replaces the vocabulary of a WordPiece text tower. A token of both keeps \
            its embedding. A token that the tower lacks starts as the mean of the embeddings of \
            its gloss, if --glosses has one (each line is a token, a tab and a text, such as 狗, \
            dog), or else as the mean of all embeddings with a little noise.

              albef models create --image facebook/deit-base-patch16-224 \\
                --text google-bert/bert-base-uncased --output model
              albef models create --image lite0.pth --text minilm --output model
              albef models create --image lite0.pth --text minilm --vocabulary both.txt \\
                --glosses glosses.tsv --output model
              albef models create --preset tiny --vocabulary vocab.txt --output model
            """)

    /// The sizes of a model that starts from nothing.
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
        help: ArgumentHelp(
            "The image tower, or its name in 'albef models list'.", valueName: "file or folder"),
        completion: .file())
    var image: String?

    @Option(
        help: ArgumentHelp(
            "The text tower, or its name in 'albef models list'.", valueName: "file or folder"),
        completion: .file())
    var text: String?

    @Option(
        help: """
            tiny (128 pixels, 6 + 3 + 3 layers of 192), small (224, 384) or base (the paper's); \
            with towers, only the length of the features.
            """)
    var preset: Preset = .base

    @Option(
        help: ArgumentHelp(
            "Side of the input images in pixels, to which a tower's positions are resized; default: "
                + "the tower's.", valueName: "pixels"))
    var imageSize: Int?

    @OptionGroup(title: "Above an EfficientNet")
    var trunk: TrunkOptions

    @Option(
        help: ArgumentHelp(
            "Layers of the text tower that become the text encoder; default: half.", valueName: "n")
    )
    var textLayers: Int?

    @Option(
        help: ArgumentHelp(
            "Layers of the fusion encoder; those beyond the text tower's are new; default: the "
                + "tower's remaining layers.", valueName: "n"))
    var fusionLayers: Int?

    @Option(
        help: ArgumentHelp(
            "Hidden units to keep in the MLP of each text and fusion layer, those with the largest "
                + "weights; default: all of the text tower's.", valueName: "n"))
    var textMlpWidth: Int?

    @Option(
        help: ArgumentHelp(
            "A WordPiece vocabulary, one token per line, which replaces the text tower's; default: "
                + "the vocab.txt beside the text tower.",
            valueName: "file"), completion: .file())
    var vocabulary: String?

    @Option(
        help: ArgumentHelp(
            "Meanings of those tokens of --vocabulary that the text tower lacks, in words that it "
                + "has.",
            valueName: "file"), completion: .file())
    var glosses: String?

    @Option(
        help: ArgumentHelp("Where to write the model.", valueName: "directory"),
        completion: .directory)
    var output: String

    @Option(help: "albef (the original) or lavis.")
    var dialect: Dialect = .albef

    @Flag(
        help: """
            Draw every weight at random, at the sizes of the towers, to measure the effect of \
            their weights.
            """)
    var randomWeights = false

    @Option(help: "Seed of new weights; equal seeds give equal weights.")
    var seed: UInt64 = 42

    @Flag(help: "Print the origin of every tensor as JSON.")
    var json = false

    func validate() throws {
        guard (image == nil) == (text == nil) else {
            throw ValidationError(
                "--image and --text belong together; give both towers or neither.")
        }
        if image == nil, vocabulary == nil {
            throw ValidationError(
                "--vocabulary is missing; only a model that starts from towers can do without it.")
        }
        for (name, value) in [
            ("--image-size", imageSize), ("--text-layers", textLayers),
            ("--fusion-layers", fusionLayers), ("--text-mlp-width", textMlpWidth),
        ] where value != nil && image == nil {
            throw ValidationError("\(name) is for models that start from towers.")
        }
        if image == nil, trunk.isGiven {
            throw ValidationError(
                "--image-layers, --image-width, --image-heads, --image-pooling, --pooling-grids and "
                    + "--without-trunk-head are for models that start from an EfficientNet.")
        }
        if glosses != nil, image == nil || vocabulary == nil {
            throw ValidationError(
                "--glosses is for models that start from towers with another --vocabulary.")
        }
        if randomWeights, image == nil {
            throw ValidationError("--random-weights is for models that start from towers.")
        }
        try NumberBounds.check("--image-size", imageSize, 1...4096)
        try NumberBounds.check("--text-layers", textLayers, 1...1000)
        try NumberBounds.check("--fusion-layers", fusionLayers, 1...1000)
        try NumberBounds.check("--text-mlp-width", textMlpWidth, 1...1_000_000)
    }

    func run() async throws {
        if let image, let text {
            let fetch = ModelFetch()
            try start(from: try await fetch.tower(image), try await fetch.tower(text))
        } else if let vocabulary {
            try createUntrained(FilePath(vocabulary))
        }
    }

    private func start(from image: FilePath, _ text: FilePath) throws {
        var plan = StartingPlan()
        plan.textLayers = textLayers
        plan.fusionLayers = fusionLayers
        plan.textMLPWidth = textMlpWidth
        plan.imageSize = imageSize
        plan.embeddingWidth = preset.sizes.embeddingWidth
        plan.dialect = dialect
        plan.takesWeights = !randomWeights
        plan.trunk = trunk.plan
        let words = try vocabulary.map { file in
            try TowerVocabulary(
                FilePath(file), glosses: glosses.map { FilePath($0) }, textTower: text)
        }
        plan.words = words?.words
        let model = try TowerModel(
            image: image, text: text, plan: plan, generator: Generator(seed: seed))
        try words?.check(model.configuration)
        guard let tokenizer = words?.tokenizer ?? model.tokenizer else {
            throw ValidationError(
                "There is no vocab.txt beside the text tower; name one with --vocabulary.")
        }
        try model.write(to: FilePath(output), tokenizer: tokenizer)
        if json {
            try Console.json(model.reports)
            return
        }
        for report in model.reports { Console.result(report.account) }
        if let words = plan.words, plan.takesWeights {
            Console.result("word embeddings: \(words.account)")
        }
        Console.result("wrote \(output): \(Self.summary(model.configuration))")
    }

    private static func summary(_ configuration: ALBEFConfiguration) -> String {
        let (vision, text) = (configuration.vision, configuration.text)
        let trunk = vision.trunk.map { "a trunk of \($0.featureWidth) features, " } ?? ""
        return "\(vision.imageSize) pixels, \(trunk)\(vision.depth) + \(text.fusionLayer) +"
            + " \(text.depth - text.fusionLayer) layers of image, text and fusion; train it with"
            + " 'albef pretrain --set model.start=…'"
    }

    private func createUntrained(_ vocabulary: FilePath) throws {
        var configuration = preset.sizes
        configuration.dialect = dialect
        configuration.text.hasTokenTypes = dialect.hasTokenTypes
        configuration.text.vocabularySize = try Vocabulary(contentsOf: vocabulary).count
        let model = try ALBEFModel(
            untrained: configuration, generator: Generator(seed: seed))
        try model.write(to: FilePath(output), vocabulary: vocabulary)
        Console.result(
            "wrote \(output): an untrained '\(preset.rawValue)' model, \(dialect) dialect")
    }
}
