import ALBEF
import ArgumentParser
import CommandSupport

/// The options for the layers above an EfficientNet, the trunk of an image encoder.
struct TrunkOptions: ParsableArguments {
    /// How to pool the feature of an image.
    enum Pooling: String, ExpressibleByArgument, CaseIterable {
        case mean
        case classToken = "class-token"
        case attention

        var value: ALBEFConfiguration.Vision.Pooling {
            switch self {
            case .mean: .mean
            case .classToken: .classToken
            case .attention: .attention
            }
        }
    }

    @Option(help: ArgumentHelp("Transformer blocks above it, all new; default: 1.", valueName: "n"))
    var imageLayers: Int?

    @Option(
        help: ArgumentHelp("Width of the blocks; default: the text tower's.", valueName: "n"))
    var imageWidth: Int?

    @Option(
        help: ArgumentHelp("Attention heads of the blocks; default: width / 64.", valueName: "n"))
    var imageHeads: Int?

    @Option(help: "How to pool the feature of an image; default: mean.")
    var imagePooling: Pooling?

    @Option(
        help: ArgumentHelp(
            "Average the feature map over grids of these sides, such as 1,6 (WenLan's multi-scale "
                + "patch pooling), instead of reading every position. Heat maps need one grid.",
            valueName: "n,n,…"))
    var poolingGrids: Sides?

    @Flag(
        help: "Leave out the last convolution: Lite0 then has 320 features per position, not 1280.")
    var withoutTrunkHead = false

    /// Whether any option was given.
    var isGiven: Bool { plan != StartingPlan.Trunk() }

    /// The plan that the options describe.
    var plan: StartingPlan.Trunk {
        var plan = StartingPlan.Trunk()
        plan.layers = imageLayers
        plan.width = imageWidth
        plan.heads = imageHeads
        plan.pooling = imagePooling?.value
        plan.poolingGrids = poolingGrids?.values
        if withoutTrunkHead { plan.includesHead = false }
        return plan
    }

    func validate() throws {
        try NumberBounds.check("--image-layers", imageLayers, 0...1000)
        try NumberBounds.check("--image-width", imageWidth, 1...65_536)
        try NumberBounds.check("--image-heads", imageHeads, 1...65_536)
    }

    /// Sides of grids, separated by commas.
    struct Sides: ExpressibleByArgument {
        let values: [Int]

        init?(argument: String) {
            let words = argument.split(separator: ",", omittingEmptySubsequences: false)
            let values = words.compactMap { Int($0) }
            guard values.count == words.count, values.count <= 16,
                values.allSatisfy({ (1...4096).contains($0) })
            else { return nil }
            self.values = values
        }
    }
}
