/// The published sizes of EfficientNet (Tan and Le, 2019) and of its Lite form.
public enum EfficientNetVariant: String, Sendable, Hashable, Codable, CaseIterable {
    /// EfficientNet-Lite0: 4.7 million parameters with its classifier.
    case lite0
    /// EfficientNet-Lite1.
    case lite1
    /// EfficientNet-Lite2.
    case lite2
    /// EfficientNet-Lite3.
    case lite3
    /// EfficientNet-Lite4.
    case lite4
    /// EfficientNet-B0: 5.3 million parameters with its classifier.
    case b0
    /// EfficientNet-B1.
    case b1
    /// EfficientNet-B2.
    case b2
    /// EfficientNet-B3.
    case b3
    /// EfficientNet-B4.
    case b4
    /// EfficientNet-B5.
    case b5
    /// EfficientNet-B6.
    case b6
    /// EfficientNet-B7: 66 million parameters with its classifier.
    case b7

    /// Whether the variant is Lite: without squeeze-and-excitation, with ReLU6 instead of Swish,
    /// and with a stem and head of one size for all.
    public var isLite: Bool { rawValue.hasPrefix("lite") }

    /// The side of the square input for which the variant was made, in pixels.
    public var imageSize: Int { scaling.imageSize }

    /// The factors of B0's widths and depths, and the side of the input.
    var scaling: (width: Double, depth: Double, imageSize: Int) {
        switch self {
        case .lite0, .b0: (1.0, 1.0, 224)
        case .lite1, .b1: (1.0, 1.1, 240)
        case .lite2, .b2: (1.1, 1.2, 260)
        case .lite3: (1.2, 1.4, 280)
        case .b3: (1.2, 1.4, 300)
        case .lite4: (1.4, 1.8, 300)
        case .b4: (1.4, 1.8, 380)
        case .b5: (1.6, 2.2, 456)
        case .b6: (1.8, 2.6, 528)
        case .b7: (2.0, 3.1, 600)
        }
    }
}

/// The sizes of all layers of an EfficientNet.
public struct EfficientNetArchitecture: Sendable, Hashable, Codable {
    /// The activation after convolutions.
    public enum Activation: String, Sendable, Hashable, Codable, CaseIterable {
        /// min(max(x, 0), 6).
        case relu6
        /// x · σ(x), called Swish in the paper.
        case silu
    }

    /// A sequence of blocks of one width.
    public struct Stage: Sendable, Hashable, Codable {
        /// The side of the depthwise window; odd.
        public var kernel: Int
        /// The stride of the first block; that of the others is 1.
        public var stride: Int
        /// The factor by which a block widens its input; 1 omits the expanding convolution.
        public var expansion: Int
        /// The number of output channels.
        public var width: Int
        /// The number of blocks.
        public var depth: Int

        /// Creates a stage.
        public init(kernel: Int, stride: Int, expansion: Int, width: Int, depth: Int) {
            self.kernel = kernel
            self.stride = stride
            self.expansion = expansion
            self.width = width
            self.depth = depth
        }

        enum CodingKeys: String, CodingKey, CaseIterable {
            case kernel, stride, expansion, width, depth
        }
    }

    /// The number of channels of the first convolution, whose stride is 2.
    public var stemWidth: Int
    /// The stages, first to last.
    public var stages: [Stage]
    /// The number of channels of the convolution after the stages.
    public var headWidth: Int
    /// The activation after convolutions.
    public var activation: Activation
    /// Whether blocks weigh their channels by squeeze-and-excitation (Hu et al., 2018).
    ///
    /// The squeeze has a quarter of the block's input channels.
    public var squeezes: Bool

    /// Creates a custom architecture.
    public init(
        stemWidth: Int, stages: [Stage], headWidth: Int, activation: Activation, squeezes: Bool
    ) {
        self.stemWidth = stemWidth
        self.stages = stages
        self.headWidth = headWidth
        self.activation = activation
        self.squeezes = squeezes
    }

    /// Creates the architecture of a published variant.
    public init(_ variant: EfficientNetVariant) {
        let (width, depth, _) = variant.scaling
        let isLite = variant.isLite
        let last = Self.base.count - 1
        self.init(
            stemWidth: isLite ? 32 : Self.scaled(32, by: width),
            stages: Self.base.enumerated().map { index, stage in
                var stage = stage
                stage.width = Self.scaled(stage.width, by: width)
                if !isLite || (index > 0 && index < last) {
                    stage.depth = Int((depth * Double(stage.depth)).rounded(.up))
                }
                return stage
            },
            headWidth: isLite ? 1280 : Self.scaled(1280, by: width),
            activation: isLite ? .relu6 : .silu, squeezes: !isLite)
    }

    /// The stages of B0 (table 1 of the paper).
    private static let base = [
        Stage(kernel: 3, stride: 1, expansion: 1, width: 16, depth: 1),
        Stage(kernel: 3, stride: 2, expansion: 6, width: 24, depth: 2),
        Stage(kernel: 5, stride: 2, expansion: 6, width: 40, depth: 2),
        Stage(kernel: 3, stride: 2, expansion: 6, width: 80, depth: 3),
        Stage(kernel: 5, stride: 1, expansion: 6, width: 112, depth: 3),
        Stage(kernel: 5, stride: 2, expansion: 6, width: 192, depth: 4),
        Stage(kernel: 3, stride: 1, expansion: 6, width: 320, depth: 1),
    ]

    /// Returns the nearest multiple of 8, or the next one if the nearest is over a tenth smaller.
    private static func scaled(_ width: Int, by multiplier: Double) -> Int {
        let wanted = Double(width) * multiplier
        let nearest = max(8, Int(wanted + 4) / 8 * 8)
        return Double(nearest) < 0.9 * wanted ? nearest + 8 : nearest
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case stemWidth = "stem_width"
        case stages
        case headWidth = "head_width"
        case activation, squeezes
    }
}
