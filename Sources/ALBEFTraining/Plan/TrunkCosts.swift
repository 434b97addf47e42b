import ALBEF
import Torch

/// The costs of the parts of a convolutional trunk: its stages, the first with the stem, and its
/// last convolution.
struct TrunkCosts {
    /// The address of each part in the order in which they are applied, with its cost.
    let parts: [(address: String, cost: LayerCost)]
    /// The bytes of the input of each part: the pixels, then a map per part.
    let inputs: [Int]

    /// Computes the costs for B images.
    ///
    /// A convolution keeps its input. The activation works in place, so its result is the input of
    /// the next convolution; SiLU also keeps a copy of its own input.
    init(
        _ configuration: EfficientNetConfiguration, images: Int, imageSize: Int,
        recording: (String) -> Recording
    ) {
        let plan = EfficientNetPlan(configuration)
        let keepsCopies = configuration.architecture.activation == .silu
        var side = imageSize
        var parts: [(address: String, cost: LayerCost)] = []
        var inputs = [4 * images * 3 * side * side]

        func apply(_ shape: Convolution.Shape, _ cost: inout LayerCost, _ record: Recording) {
            let from = 4 * images * side * side * shape.inputs
            side = (side + shape.stride - 1) / shape.stride
            let to = 4 * images * side * side * shape.outputs
            let inner = shape.kernel * shape.kernel * (shape.isDepthwise ? 1 : shape.inputs)
            let operations = 2 * Double(images * side * side * shape.outputs) * Double(inner)
            // A depthwise convolution is bound by memory, like an element-wise operator.
            if shape.isDepthwise {
                cost.elements += record.elementPasses * Double(from + 2 * to)
            } else {
                cost.products += record.productPasses * operations
                cost.elements += record.elementPasses * Double(to)
            }
            cost.passing = max(cost.passing, from + to)
            if record.isRecorded {
                cost.saved += (record.trains ? from : 0) + (keepsCopies ? to : 0)
                cost.returning = max(cost.returning, from + to)
            }
        }

        for (index, stage) in plan.stages.enumerated() {
            let address = "image.trunk.\(index)"
            let record = recording(address)
            var cost = LayerCost()
            if index == 0 { apply(plan.stem.shape, &cost, record) }
            for block in stage {
                for convolution in block.convolutions {
                    // Squeeze and excitation see one place per channel.
                    let isPooled = convolution == block.squeeze || convolution == block.excitation
                    if !isPooled { apply(convolution.shape, &cost, record) }
                }
            }
            parts.append((address, cost))
            let width = stage.last?.projection.shape.outputs ?? plan.stem.shape.outputs
            inputs.append(4 * images * side * side * width)
        }
        if let head = plan.head {
            let address = "image.trunk.head"
            var cost = LayerCost()
            apply(head.shape, &cost, recording(address))
            parts.append((address, cost))
            inputs.append(4 * images * side * side * head.shape.outputs)
        }
        self.parts = parts
        self.inputs = inputs
    }
}
