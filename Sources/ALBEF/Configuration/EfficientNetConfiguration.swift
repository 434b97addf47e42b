public import Torch

/// An EfficientNet whose last feature map becomes image tokens.
///
/// Its batch norms are gone: on import each is folded into the convolution before it, so that every
/// convolution has a weight and a bias and nothing else is stored. A frozen norm is an affine map
/// of each channel, hence the fold computes the same; and frozen is how a pretrained trunk is best
/// used in a larger model, as detectors do, because the small batches of a second training give
/// poor statistics. Weights and biases can be trained afterwards.
public struct EfficientNetConfiguration: Sendable, Hashable {
    /// Which sizes the layers have.
    public enum Form: Sendable, Hashable {
        /// Those of a published variant.
        case variant(EfficientNetVariant)
        /// One's own.
        case custom(EfficientNetArchitecture)
    }

    /// Whose arithmetic the weights were trained with, of which the tensors tell nothing.
    public enum Convention: String, Sendable, Hashable, Codable, CaseIterable {
        /// TensorFlow's: the originals, `efficientnet_lite_pytorch`, `efficientnet_pytorch` and
        /// timm's `tf_efficientnet_*`.
        case tensorFlow = "tensorflow"
        /// That of timm's own `efficientnet_*`.
        case timm

        /// Where convolutions put their zeros.
        public var padding: ConvolutionPadding { self == .timm ? .symmetric : .same }

        /// What is added to the variances of batch norms before they are folded.
        public var batchNormEpsilon: Double { self == .timm ? 1e-5 : 1e-3 }
    }

    /// Which sizes the layers have.
    public var form: Form
    /// How the weights were trained.
    public var convention: Convention
    /// Side of the square input, in pixels; default the variant's.
    public var imageSize: Int
    /// Per-channel mean of the input in [0, 1]; default 127 / 255 for Lite weights of TensorFlow,
    /// else ImageNet's.
    public var mean: [Double]
    /// Per-channel standard deviation of the input in [0, 1]; default 128 / 255 for Lite weights of
    /// TensorFlow, else ImageNet's.
    public var standardDeviation: [Double]
    /// Whether the head's convolution belongs to the trunk; default true.
    ///
    /// With it Lite0 has 1280 features a place, without it 320.
    public var includesHead: Bool
    /// Sides of the grids that the feature map is averaged over, as in the multi-scale patch pooling
    /// of BriVL (Huo et al., 2021), where they are 1 and 6; default empty, which keeps every place.
    public var poolingGrids: [Int]
    /// How many stages get no gradients, counted from the image and with the stem; default 0, which
    /// trains the stem, too.
    public var frozenStages: Int

    /// Creates the configuration of a trunk; `nil` stands for what the form and the convention imply.
    ///
    /// The image size of a custom form is 224 unless it is given.
    public init(
        _ form: Form = .variant(.lite0), convention: Convention = .tensorFlow,
        imageSize: Int? = nil, mean: [Double]? = nil, standardDeviation: [Double]? = nil,
        includesHead: Bool = true, poolingGrids: [Int] = [], frozenStages: Int = 0
    ) {
        var isLite = false
        var variantSize = 224
        if case .variant(let variant) = form {
            isLite = variant.isLite
            variantSize = variant.imageSize
        }
        let isRaw = isLite && convention == .tensorFlow
        self.form = form
        self.convention = convention
        self.imageSize = imageSize ?? variantSize
        // The original computes (pixel - 127) / 128 of values from 0 to 255.
        self.mean =
            mean ?? (isRaw ? Array(repeating: 127 / 255, count: 3) : [0.485, 0.456, 0.406])
        self.standardDeviation =
            standardDeviation
            ?? (isRaw ? Array(repeating: 128 / 255, count: 3) : [0.229, 0.224, 0.225])
        self.includesHead = includesHead
        self.poolingGrids = poolingGrids
        self.frozenStages = frozenStages
    }

    /// The sizes of every layer.
    public var architecture: EfficientNetArchitecture {
        switch form {
        case .variant(let variant): EfficientNetArchitecture(variant)
        case .custom(let architecture): architecture
        }
    }

    /// Width of a token: channels of the feature map.
    public var featureWidth: Int {
        let architecture = architecture
        return includesHead
            ? architecture.headWidth : architecture.stages.last?.width ?? architecture.stemWidth
    }

    /// Pixels between neighbours of the feature map; 32 in every published variant.
    public var featureStride: Int { architecture.stages.reduce(2) { $0 * $1.stride } }

    /// Side of the feature map of an image of the configured size, ⌈size / stride⌉.
    public var featureSide: Int { (imageSize + featureStride - 1) / featureStride }

    /// Number of tokens of an image of the configured size.
    public var tokenCount: Int {
        poolingGrids.isEmpty
            ? featureSide * featureSide : poolingGrids.reduce(0) { $0 + $1 * $1 }
    }

    /// Names and shapes of all parameters, in the order of the file, as timm names them:
    /// `conv_stem`, `blocks.S.I.conv_pw`, `…conv_dw`, `…se.conv_reduce`, `…se.conv_expand`,
    /// `…conv_pwl`, `conv_head`, each with a `weight` and a `bias`.
    ///
    /// - Parameter prefix: what stands before each name and a full stop; "" for nothing.
    public func parameters(prefix: String = "") -> [(name: String, shape: [Int])] {
        let start = prefix.isEmpty ? "" : "\(prefix)."
        return EfficientNetPlan(self).convolutions.flatMap { convolution in
            [
                ("\(start)\(convolution.name).weight", convolution.shape.weight),
                ("\(start)\(convolution.name).bias", [convolution.shape.outputs]),
            ]
        }
    }
}

extension EfficientNetConfiguration: Codable {
    /// The keys of the JSON form; `architecture` is there only if `variant` is "custom".
    enum CodingKeys: String, CodingKey, CaseIterable {
        case variant, architecture, convention
        case imageSize = "image_size"
        case mean
        case standardDeviation = "standard_deviation"
        case includesHead = "includes_head"
        case poolingGrids = "pooling_grids"
        case frozenStages = "frozen_stages"
    }

    private static let custom = "custom"

    /// Reads a configuration, all of whose keys must be there.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let name = try container.decode(String.self, forKey: .variant)
        let form: Form
        if name == Self.custom {
            form = .custom(
                try container.decode(EfficientNetArchitecture.self, forKey: .architecture))
        } else if let variant = EfficientNetVariant(rawValue: name) {
            guard !container.contains(.architecture) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .architecture, in: container,
                    debugDescription: "the variant \"\(name)\" has sizes of its own: give an "
                        + "architecture with the variant \"\(Self.custom)\" only")
            }
            form = .variant(variant)
        } else {
            let known = EfficientNetVariant.allCases.map(\.rawValue) + [Self.custom]
            throw DecodingError.dataCorruptedError(
                forKey: .variant, in: container,
                debugDescription: "\"\(name)\" is none of \(known.joined(separator: ", "))")
        }
        self.init(
            form, convention: try container.decode(Convention.self, forKey: .convention),
            imageSize: try container.decode(Int.self, forKey: .imageSize),
            mean: try container.decode([Double].self, forKey: .mean),
            standardDeviation: try container.decode([Double].self, forKey: .standardDeviation),
            includesHead: try container.decode(Bool.self, forKey: .includesHead),
            poolingGrids: try container.decode([Int].self, forKey: .poolingGrids),
            frozenStages: try container.decode(Int.self, forKey: .frozenStages))
    }

    /// Writes a configuration.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch form {
        case .variant(let variant): try container.encode(variant.rawValue, forKey: .variant)
        case .custom(let architecture):
            try container.encode(Self.custom, forKey: .variant)
            try container.encode(architecture, forKey: .architecture)
        }
        try container.encode(convention, forKey: .convention)
        try container.encode(imageSize, forKey: .imageSize)
        try container.encode(mean, forKey: .mean)
        try container.encode(standardDeviation, forKey: .standardDeviation)
        try container.encode(includesHead, forKey: .includesHead)
        try container.encode(poolingGrids, forKey: .poolingGrids)
        try container.encode(frozenStages, forKey: .frozenStages)
    }
}
