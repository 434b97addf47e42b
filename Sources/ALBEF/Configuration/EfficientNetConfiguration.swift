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
    /// Whether the head's convolution belongs to the trunk; default true.
    ///
    /// With it Lite0 has 1280 features a place, without it 320.
    public var includesHead: Bool
    /// Sides of the grids that the feature map is averaged over, as in the multi-scale patch pooling
    /// of BriVL (Huo et al., 2021), where they are 1 and 6; default empty, which keeps every place.
    public var poolingGrids: [Int]

    /// Creates the configuration of a trunk.
    public init(
        _ form: Form = .variant(.lite0), convention: Convention = .tensorFlow,
        includesHead: Bool = true, poolingGrids: [Int] = []
    ) {
        self.form = form
        self.convention = convention
        self.includesHead = includesHead
        self.poolingGrids = poolingGrids
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

    /// Side of the feature map of a square image, ⌈size / stride⌉.
    public func featureSide(imageSize: Int) -> Int {
        (imageSize + featureStride - 1) / featureStride
    }

    /// Number of tokens of a square image, which depends on its size only without
    /// ``poolingGrids``.
    public func tokenCount(imageSize: Int) -> Int {
        let grids = poolingGrids.isEmpty ? [featureSide(imageSize: imageSize)] : poolingGrids
        return grids.reduce(0) { $0 + $1 * $1 }
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
        case includesHead = "includes_head"
        case poolingGrids = "pooling_grids"
    }

    /// The variant's name in a form of one's own.
    static let custom = "custom"

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
            includesHead: try container.decode(Bool.self, forKey: .includesHead),
            poolingGrids: try container.decode([Int].self, forKey: .poolingGrids))
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
        try container.encode(includesHead, forKey: .includesHead)
        try container.encode(poolingGrids, forKey: .poolingGrids)
    }
}
