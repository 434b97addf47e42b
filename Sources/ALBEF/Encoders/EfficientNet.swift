public import Torch

/// An EfficientNet trunk (Tan and Le, 2019): `[B, 3, S, S]` pixels become a feature map
/// `[B, C, h, w]`, or tokens.
///
/// Batch norms are part of the convolutions; ``EfficientNetConfiguration`` says why.
public final class EfficientNet: Sendable {
    /// The sizes and conventions.
    public let configuration: EfficientNetConfiguration
    /// The first convolution, which halves the image's sides.
    public let stem: Convolution
    /// The blocks, stage by stage.
    public let stages: [[EfficientNetBlock]]
    /// The convolution behind the stages; nil in a trunk without it.
    public let head: Convolution?
    private let activation: EfficientNetArchitecture.Activation

    /// Takes the parameters under a prefix from a scope.
    ///
    /// - Throws: ``ALBEFError`` for a configuration that cannot be built; an error that names a
    ///   missing or misshapen parameter.
    public init(
        _ scope: ParameterScope, _ configuration: EfficientNetConfiguration,
        prefix: String = "visual_encoder.trunk"
    ) throws {
        try configuration.validate()
        self.configuration = configuration
        let plan = EfficientNetPlan(configuration)
        let activation = configuration.architecture.activation
        // Blocks that add to their input share what they add, so that its size stays bounded.
        let share = 1 / Double(plan.stages.joined().count)
        func layer(
            _ element: EfficientNetPlan.Element, isAdded: Bool = false
        ) throws -> Convolution {
            try Convolution(
                scope, prefix.isEmpty ? element.name : "\(prefix).\(element.name)", element.shape,
                padding: configuration.convention.padding,
                gain: configuration.architecture.gain(element.role) * (isAdded ? share : 1))
        }
        stem = try layer(plan.stem)
        stages = try plan.stages.map { stage in
            try stage.map { block in
                try EfficientNetBlock(block, activation) {
                    try layer($0, isAdded: block.isResidual && $0 == block.projection)
                }
            }
        }
        head = try plan.head.map { try layer($0) }
        self.activation = activation
    }

    /// Computes the feature map `[B, C, ⌈S / 32⌉, ⌈S / 32⌉]` of normalised pixels `[B, 3, S, S]`.
    ///
    /// The sides may be any, and need not be the same.
    ///
    /// - Parameter isCheckpointed: whether each block that is trained is computed again for its
    ///   gradients, which costs a third more time and keeps one tensor a block.
    public func callAsFunction(_ pixels: Tensor, isCheckpointed: Bool = false) -> Tensor {
        self(stageMap(pixels, stages: 0), afterStages: 0, isCheckpointed: isCheckpointed)
    }

    /// How many parts the trunk can be cut behind: the stages, and the last convolution where there
    /// is one.
    package var partCount: Int { stages.count + (head == nil ? 0 : 1) }

    /// What the stem and the first parts make of normalised pixels `[B, 3, S, S]`.
    ///
    /// - Parameter count: how many parts, from 0 to ``partCount``.
    package func stageMap(_ pixels: Tensor, stages count: Int) -> Tensor {
        let x = stages.prefix(count).joined().reduce(activation(stem(pixels.channelsLast()))) {
            x, block in block(x)
        }
        return count > stages.count ? head.map { activation($0(x)) } ?? x : x
    }

    /// The feature map of what ``stageMap(_:stages:)`` gives: the rest of the trunk.
    package func callAsFunction(
        _ map: Tensor, afterStages count: Int, isCheckpointed: Bool = false
    ) -> Tensor {
        let x = stages.dropFirst(count).joined().reduce(map) { x, block in
            isCheckpointed ? x.checkpointed { block($0) } : block(x)
        }
        return count > stages.count ? x : head.map { activation($0(x)) } ?? x
    }

    /// The tokens of normalised pixels `[B, 3, S, S]`: `[B, P, C]`, as ``tokens(of:)`` orders them.
    public func tokens(_ pixels: Tensor, isCheckpointed: Bool = false) -> Tensor {
        tokens(of: self(pixels, isCheckpointed: isCheckpointed))
    }

    /// The tokens `[B, P, C]` of a feature map `[B, C, h, w]`: its places row by row; or, grid by
    /// grid, the cells of the configured pooling grids, also row by row.
    public func tokens(of map: Tensor) -> Tensor {
        let grids = configuration.poolingGrids
        guard !grids.isEmpty else { return Self.places(map) }
        return Tensor.concatenated(
            grids.map { Self.places(map.averagePooled(rows: $0, columns: $0)) }, 1)
    }

    private static func places(_ map: Tensor) -> Tensor {
        map.permuted(0, 2, 3, 1).reshaped(map.size(0), map.size(2) * map.size(3), map.size(1))
    }
}

/// A block of an EfficientNet: widens, convolves each channel by itself, weighs the channels if the
/// network squeezes, and narrows (`[B, I, h, w]` to `[B, O, ⌈h / s⌉, ⌈w / s⌉]`).
public final class EfficientNetBlock: Sendable {
    private let expansion: Convolution?
    private let depthwise: Convolution
    private let excitation: (squeeze: Convolution, excite: Convolution)?
    private let projection: Convolution
    private let isResidual: Bool
    private let activation: EfficientNetArchitecture.Activation

    fileprivate init(
        _ plan: EfficientNetPlan.Block, _ activation: EfficientNetArchitecture.Activation,
        layer: (EfficientNetPlan.Element) throws -> Convolution
    ) throws {
        expansion = try plan.expansion.map(layer)
        depthwise = try layer(plan.depthwise)
        if let squeeze = plan.squeeze, let excite = plan.excitation {
            excitation = (try layer(squeeze), try layer(excite))
        } else {
            excitation = nil
        }
        projection = try layer(plan.projection)
        isResidual = plan.isResidual
        self.activation = activation
    }

    /// Applies the block.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        var inner = expansion.map { activation($0(x)) } ?? x
        inner = activation(depthwise(inner))
        if let (squeeze, excite) = excitation {
            let summary = inner.mean(2, 3, keepingDimensions: true)
            inner = inner * excite(activation(squeeze(summary))).sigmoid()
        }
        let output = projection(inner)
        return isResidual ? output + x : output
    }
}

extension EfficientNetArchitecture {
    /// What a fresh convolution makes up for, as no batch norm does: the activation before it, which
    /// takes about half of the variance (Swish more), and weights of channels, which start at 1/2.
    fileprivate func gain(_ role: EfficientNetPlan.Element.Role) -> Double {
        let activated = activation == .relu6 ? 2.0 : 2.8
        return switch role {
        case .depthwise: activated
        case .projection: squeezes ? 4 * activated : activated
        case .stem, .expansion, .squeeze, .excitation, .head: 1
        }
    }
}

extension EfficientNetArchitecture.Activation {
    /// Applies it to what a convolution has just made, in place.
    fileprivate func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .relu6: x.relu6InPlace()
        case .silu: x.siluInPlace()
        }
    }
}
