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
    /// A convolution keeps its input, an activation a copy of its own, and the weights of channels
    /// what they multiply. A trunk of which nothing trains has the maps of one image at a time.
    init(
        _ configuration: EfficientNetConfiguration, images: Int, imageSize: Int,
        recording: (String) -> Recording
    ) {
        let plan = EfficientNetPlan(configuration)
        let addresses =
            plan.stages.indices.map { "image.trunk.\($0)" }
            + (plan.head == nil ? [] : ["image.trunk.head"])
        let records = addresses.map(recording)
        let together = records.contains(where: \.isRecorded) ? images : 1
        var side = imageSize
        var costs: [LayerCost] = []
        var inputs = [4 * images * 3 * side * side]

        func apply(
            _ shape: Convolution.Shape, _ cost: inout LayerCost, _ record: Recording, copies: Int
        ) {
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
            cost.passing = max(cost.passing, (from + to) / images * together)
            if record.isRecorded {
                cost.saved += (record.trains ? from : 0) + copies * to
                cost.returning = max(cost.returning, from + to)
            }
        }

        for (index, stage) in plan.stages.enumerated() {
            var cost = LayerCost()
            if index == 0 { apply(plan.stem.shape, &cost, records[index], copies: 1) }
            for block in stage {
                if let expansion = block.expansion {
                    apply(expansion.shape, &cost, records[index], copies: 1)
                }
                // Squeeze and excitation see one place per channel.
                apply(
                    block.depthwise.shape, &cost, records[index],
                    copies: block.squeeze == nil ? 1 : 2)
                apply(block.projection.shape, &cost, records[index], copies: 0)
            }
            costs.append(cost)
            let width = stage.last?.projection.shape.outputs ?? plan.stem.shape.outputs
            inputs.append(4 * images * side * side * width)
        }
        if let head = plan.head {
            var cost = LayerCost()
            apply(head.shape, &cost, records[plan.stages.count], copies: 1)
            costs.append(cost)
            inputs.append(4 * images * side * side * head.shape.outputs)
        }
        parts = zip(addresses, costs).map { (address: $0, cost: $1) }
        self.inputs = inputs
    }
}
