public import Torch

/// An EfficientNet whose last feature map becomes image tokens.
///
/// It has no batch norms: on import each is folded into the preceding convolution, so that only the
/// weight and bias of each convolution are stored. A frozen norm is an affine map of each channel,
/// so the fold is exact. Detectors also freeze the norms of a pretrained trunk, because the small
/// batches of a second training yield poor statistics. Weights and biases remain trainable.
public struct EfficientNetConfiguration: Sendable, Hashable {
    /// The source of the layers' sizes.
    public enum Form: Sendable, Hashable {
        /// A published variant.
        case variant(EfficientNetVariant)
        /// A custom architecture.
        case custom(EfficientNetArchitecture)
    }

    /// The arithmetic with which the weights were trained, which the tensors do not determine.
    public enum Convention: String, Sendable, Hashable, Codable, CaseIterable {
        /// That of TensorFlow: the originals, `efficientnet_lite_pytorch`, `efficientnet_pytorch`
        /// and timm's `tf_efficientnet_*`.
        case tensorFlow = "tensorflow"
        /// That of timm's own `efficientnet_*`.
        case timm

        /// The padding of convolutions.
        public var padding: ConvolutionPadding { self == .timm ? .symmetric : .same }

        /// The number added to batch-norm variances in the fold.
        public var batchNormEpsilon: Double { self == .timm ? 1e-5 : 1e-3 }
    }

    /// The source of the layers' sizes.
    public var form: Form
    /// The arithmetic with which the weights were trained.
    public var convention: Convention
    /// Whether the head's convolution belongs to the trunk; `true` by default.
    ///
    /// Lite0 has 1280 features per place with it, and 320 without it.
    public var includesHead: Bool
    /// The sides of the grids over which the feature map is averaged; empty by default, which keeps
    /// every place.
    ///
    /// BriVL's multi-scale patch pooling (Huo et al., 2021) has grids of sides 1 and 6.
    public var poolingGrids: [Int]

    /// Creates the configuration of a trunk.
    ///
    /// - Parameters:
    ///   - form: the source of the layers' sizes; Lite0 by default.
    ///   - convention: the arithmetic of training; that of TensorFlow by default.
    ///   - includesHead: whether the head's convolution belongs to the trunk; `true` by default.
    ///   - poolingGrids: the sides of pooling grids; empty by default.
    public init(
        _ form: Form = .variant(.lite0), convention: Convention = .tensorFlow,
        includesHead: Bool = true, poolingGrids: [Int] = []
    ) {
        self.form = form
        self.convention = convention
        self.includesHead = includesHead
        self.poolingGrids = poolingGrids
    }

    /// The sizes of all layers.
    public var architecture: EfficientNetArchitecture {
        switch form {
        case .variant(let variant): EfficientNetArchitecture(variant)
        case .custom(let architecture): architecture
        }
    }

    /// The width of a token: the number of channels of the feature map.
    public var featureWidth: Int {
        let architecture = architecture
        return includesHead
            ? architecture.headWidth : architecture.stages.last?.width ?? architecture.stemWidth
    }

    /// The number of pixels between neighbours of the feature map; 32 in all published variants.
    public var featureStride: Int { architecture.stages.reduce(2) { $0 * $1.stride } }

    /// Returns the side of the feature map of a square image, ⌈size / stride⌉.
    public func featureSide(imageSize: Int) -> Int {
        (imageSize + featureStride - 1) / featureStride
    }

    /// Returns the number of tokens of a square image.
    ///
    /// It depends on the image size only if ``poolingGrids`` is empty.
    public func tokenCount(imageSize: Int) -> Int {
        let grids = poolingGrids.isEmpty ? [featureSide(imageSize: imageSize)] : poolingGrids
        return grids.reduce(0) { $0 + $1 * $1 }
    }

    /// Returns the names and shapes of all parameters, in the order of the file.
    ///
    /// The names are timm's: `conv_stem`, `blocks.S.I.conv_pw`, `…conv_dw`, `…se.conv_reduce`,
    /// `…se.conv_expand`, `…conv_pwl` and `conv_head`, each with a `weight` and a `bias`.
    ///
    /// - Parameter prefix: precedes each name and a period; "" for nothing.
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
    /// The keys of the JSON form; `architecture` exists only if `variant` is "custom".
    enum CodingKeys: String, CodingKey, CaseIterable {
        case variant, architecture, convention
        case includesHead = "includes_head"
        case poolingGrids = "pooling_grids"
    }

    /// The name of the variant if the architecture is custom.
    static let custom = "custom"

    /// Decodes a configuration; all keys are required.
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
                    debugDescription: "the variant \"\(name)\" has fixed sizes; give an "
                        + "architecture only with the variant \"\(Self.custom)\"")
            }
            form = .variant(variant)
        } else {
            let known = EfficientNetVariant.allCases.map(\.rawValue) + [Self.custom]
            throw DecodingError.dataCorruptedError(
                forKey: .variant, in: container,
                debugDescription: "\"\(name)\" is unknown; known are "
                    + known.joined(separator: ", "))
        }
        self.init(
            form, convention: try container.decode(Convention.self, forKey: .convention),
            includesHead: try container.decode(Bool.self, forKey: .includesHead),
            poolingGrids: try container.decode([Int].self, forKey: .poolingGrids))
    }

    /// Encodes a configuration.
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
