public import Torch

/// An EfficientNet trunk (Tan and Le, 2019), which turns `[B, 3, S, S]` pixels into a feature map
/// `[B, C, h, w]`, or into tokens.
///
/// Batch norms are folded into the convolutions; see ``EfficientNetConfiguration``.
public final class EfficientNet: Sendable {
    /// The sizes and conventions.
    public let configuration: EfficientNetConfiguration
    /// The first convolution, which halves the image's height and width.
    public let stem: Convolution
    /// The blocks of each stage.
    public let stages: [[EfficientNetBlock]]
    /// The convolution after the stages; nil in a trunk without it.
    public let head: Convolution?
    private let activation: EfficientNetArchitecture.Activation
    private let layers: [Convolution]
    private let computeType: ComputeType

    /// Creates a trunk with the parameters of a scope.
    ///
    /// - Parameters:
    ///   - scope: the source of parameters.
    ///   - configuration: the sizes and conventions.
    ///   - prefix: the first part of the parameters' names; `visual_encoder.trunk` by default.
    /// - Throws: ``ALBEFError`` if the configuration is invalid; an error that names a missing or
    ///   misshapen parameter.
    public init(
        _ scope: ParameterScope, _ configuration: EfficientNetConfiguration,
        prefix: String = "visual_encoder.trunk"
    ) throws {
        try configuration.validate()
        self.configuration = configuration
        let plan = EfficientNetPlan(configuration)
        let activation = configuration.architecture.activation
        // Residual blocks divide the added variance among them, so that the sum stays bounded.
        let share = 1 / Double(plan.stages.joined().count)
        var layers: [Convolution] = []
        func layer(
            _ element: EfficientNetPlan.Element, isAdded: Bool = false
        ) throws -> Convolution {
            let layer = try Convolution(
                scope, prefix.isEmpty ? element.name : "\(prefix).\(element.name)", element.shape,
                padding: configuration.convention.padding,
                gain: configuration.architecture.gain(element.role) * (isAdded ? share : 1))
            layers.append(layer)
            return layer
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
        self.layers = layers
        computeType = scope.computeType
    }

    /// Returns the feature map `[B, C, ⌈S / 32⌉, ⌈S / 32⌉]` of normalised pixels `[B, 3, S, S]`.
    ///
    /// Height and width may differ and may have any size.
    ///
    /// - Parameters:
    ///   - pixels: normalised pixels.
    ///   - isCheckpointed: whether to recompute each block in the backward pass, which takes about
    ///     a third more time and stores one tensor per block. The default is `false`.
    public func callAsFunction(_ pixels: Tensor, isCheckpointed: Bool = false) -> Tensor {
        eachImage(pixels) {
            self(stageMap($0, stages: 0), afterStages: 0, isCheckpointed: isCheckpointed)
        }
    }

    /// Applies `body` to one image after another, if nothing of them is kept for a backward pass.
    ///
    /// The maps of one image fit into the cache, and the memory that they take does not grow with
    /// the batch. Kernels that never change are packed for one image.
    private func eachImage(_ images: Tensor, _ body: (Tensor) -> Tensor) -> Tensor {
        let count = images.size(0)
        guard count > 1, images.device == .cpu, !images.requiresGrad,
            !layers.contains(where: \.isTrained)
        else { return body(images) }
        return Tensor.concatenated((0..<count).map { body(images[$0..<$0 + 1]) })
    }

    /// Applies the stem and the first parts to normalised pixels `[B, 3, S, S]`.
    ///
    /// The parts are the stages, and the last convolution if the trunk has one.
    ///
    /// - Parameters:
    ///   - pixels: normalised pixels.
    ///   - count: the number of parts, from 0 to all.
    /// - Returns: a map `[B, C, h, w]`, the input of the next part.
    package func stageMap(_ pixels: Tensor, stages count: Int) -> Tensor {
        let x = stages.prefix(count).joined().reduce(
            stem(pixels.channelsLast(), activation.ending)
        ) { x, block in block(x) }
        return count > stages.count ? head.map { $0(x, activation.ending) } ?? x : x
    }

    /// Applies the rest of the trunk to the result of ``stageMap(_:stages:)``.
    ///
    /// - Parameters:
    ///   - map: the map after the first parts, `[B, C, h, w]`.
    ///   - count: the number of parts already applied.
    ///   - isCheckpointed: whether to recompute each block in the backward pass.
    /// - Returns: the feature map of the trunk.
    package func callAsFunction(
        _ map: Tensor, afterStages count: Int, isCheckpointed: Bool = false
    ) -> Tensor {
        let x = stages.dropFirst(count).joined().reduce(map) { x, block in
            isCheckpointed ? x.checkpointed { block($0) } : block(x)
        }
        let result = count > stages.count ? x : head.map { $0(x, activation.ending) } ?? x
        return computeType == .float32 ? result : result.to(.float32)
    }

    /// Returns the tokens `[B, P, C]` of normalised pixels `[B, 3, S, S]`, in the order of
    /// ``tokens(of:)``.
    public func tokens(_ pixels: Tensor, isCheckpointed: Bool = false) -> Tensor {
        tokens(of: self(pixels, isCheckpointed: isCheckpointed))
    }

    /// Returns the tokens `[B, P, C]` of a feature map `[B, C, h, w]`.
    ///
    /// They are the places of the map row by row. With pooling grids, they are the cells of each
    /// grid in turn, also row by row.
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

/// An EfficientNet block, `[B, I, h, w]` to `[B, O, ⌈h / s⌉, ⌈w / s⌉]`.
///
/// It widens its input, convolves each channel by itself, weighs the channels if the network uses
/// squeeze-and-excitation, and narrows the result.
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

    /// Applies the block to `[B, I, h, w]`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        var inner = expansion.map { $0(x, activation.ending) } ?? x
        inner = depthwise(inner, activation.ending)
        if let (squeeze, excite) = excitation {
            let summary = inner.mean(2, 3, keepingDimensions: true)
            inner = inner * excite(squeeze(summary, activation.ending)).sigmoid()
        }
        return projection(inner, isResidual ? .adding(x) : .none)
    }
}

extension EfficientNetArchitecture {
    /// Returns the variance gain of a fresh convolution.
    ///
    /// No batch norm restores the variance, so the initial weights make up for the activation
    /// before them, which removes about half of it (Swish more), and for the channel weights, which
    /// start at 1/2.
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
    /// The activation as what follows a convolution.
    fileprivate var ending: ConvolutionEnding {
        switch self {
        case .relu6: .relu6
        case .silu: .silu
        }
    }
}
