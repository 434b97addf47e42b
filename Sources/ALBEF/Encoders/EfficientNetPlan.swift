package import Torch

/// The convolutions of an EfficientNet by name.
///
/// The trunk's parameters, its layers and the import of checkpoints all follow from this plan.
package struct EfficientNetPlan {
    /// A convolution and its role.
    package struct Element: Hashable {
        package enum Role: Hashable {
            case stem, expansion, depthwise, squeeze, excitation, projection, head
        }

        let role: Role
        /// The name without a prefix, as in timm.
        let name: String
        package let shape: Convolution.Shape
    }

    /// An inverted residual block (Sandler et al., 2018).
    package struct Block {
        package let name: String
        /// nil if the block is no wider inside than its input.
        package let expansion: Element?
        package let depthwise: Element
        /// nil without squeeze-and-excitation.
        package let squeeze: Element?
        package let excitation: Element?
        package let projection: Element
        /// Whether the block's input is added to its output.
        let isResidual: Bool

        package var convolutions: [Element] {
            [expansion, depthwise, squeeze, excitation, projection].compactMap(\.self)
        }
    }

    package let stem: Element
    package let stages: [[Block]]
    /// nil in a trunk without its head.
    package let head: Element?

    /// All convolutions in the order in which they are applied.
    var convolutions: [Element] {
        [stem] + stages.joined().flatMap(\.convolutions) + [head].compactMap(\.self)
    }

    package init(_ configuration: EfficientNetConfiguration) {
        self.init(configuration.architecture, includesHead: configuration.includesHead)
    }

    init(_ architecture: EfficientNetArchitecture, includesHead: Bool) {
        var width = architecture.stemWidth
        stem = Element(
            role: .stem, name: "conv_stem",
            shape: .init(inputs: 3, outputs: width, kernel: 3, stride: 2))
        stages = architecture.stages.enumerated().map { stageIndex, stage in
            (0..<stage.depth).map { index in
                defer { width = stage.width }
                return Self.block(
                    "blocks.\(stageIndex).\(index)", stage, inputs: width,
                    stride: index == 0 ? stage.stride : 1, squeezes: architecture.squeezes)
            }
        }
        head =
            includesHead
            ? Element(
                role: .head, name: "conv_head",
                shape: .init(inputs: width, outputs: architecture.headWidth)) : nil
    }

    private static func block(
        _ name: String, _ stage: EfficientNetArchitecture.Stage, inputs: Int, stride: Int,
        squeezes: Bool
    ) -> Block {
        let inner = inputs * stage.expansion
        let isExpanded = stage.expansion > 1
        let squeezed = max(1, inputs / 4)
        func element(
            _ role: Element.Role, _ part: String, _ shape: Convolution.Shape
        ) -> Element {
            Element(role: role, name: "\(name).\(part)", shape: shape)
        }
        return Block(
            name: name,
            expansion: isExpanded
                ? element(.expansion, "conv_pw", .init(inputs: inputs, outputs: inner)) : nil,
            depthwise: element(
                .depthwise, "conv_dw",
                .init(
                    inputs: inner, outputs: inner, kernel: stage.kernel, stride: stride,
                    isDepthwise: true)),
            squeeze: squeezes
                ? element(.squeeze, "se.conv_reduce", .init(inputs: inner, outputs: squeezed))
                : nil,
            excitation: squeezes
                ? element(.excitation, "se.conv_expand", .init(inputs: squeezed, outputs: inner))
                : nil,
            // In timm the last map is called `conv_pw` if the block has no expansion.
            projection: element(
                .projection, isExpanded ? "conv_pwl" : "conv_pw",
                .init(inputs: inner, outputs: stage.width)),
            isResidual: stride == 1 && inputs == stage.width)
    }
}
