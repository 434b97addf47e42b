import Torch

/// A convention by which files name the tensors of an EfficientNet.
package enum EfficientNetNaming: CaseIterable {
    /// `efficientnet_pytorch` and `efficientnet_lite_pytorch`: blocks are numbered through.
    case numbered
    /// timm: blocks are numbered within each stage.
    case timm

    /// The tensors of a file from which one convolution is made.
    package struct Recipe: Hashable {
        /// The convolution of the trunk.
        let convolution: EfficientNetPlan.Element
        /// The name of the file's convolution.
        let source: String
        /// The name of the file's batch norm to fold into the convolution; nil if none follows.
        let norm: String?

        /// All tensors of the recipe with their shapes.
        package var tensors: [(name: String, shape: [Int])] {
            let shape = convolution.shape
            let kernel = [("\(source).weight", shape.weight)]
            guard let norm else { return kernel + [("\(source).bias", [shape.outputs])] }
            return kernel + Self.parts.map { ("\(norm).\($0)", [shape.outputs]) }
        }

        private static let parts = ["weight", "bias", "running_mean", "running_var"]
    }

    /// Recognises the naming of a file; returns nil if it holds no EfficientNet.
    package init?(of names: some Sequence<String>) {
        let names = Set(names)
        let found = Self.allCases.first {
            names.contains("\($0.parts(.stem).convolution).weight")
                && names.contains { $0.contains("blocks.0.") }
        }
        guard let found else { return nil }
        self = found
    }

    /// Returns the recipes of all convolutions of a plan, in its order.
    package func recipes(_ plan: EfficientNetPlan) -> [Recipe] {
        let blocks = plan.stages.joined().enumerated().flatMap { number, block in
            block.convolutions.map { element in
                recipe(
                    element, path: self == .timm ? "\(block.name)." : "_blocks.\(number).",
                    isExpanded: block.expansion != nil)
            }
        }
        return [recipe(plan.stem)] + blocks + [plan.head].compactMap(\.self).map { recipe($0) }
    }

    private func recipe(
        _ element: EfficientNetPlan.Element, path: String = "", isExpanded: Bool = true
    ) -> Recipe {
        let (part, norm) = parts(element.role, isExpanded: isExpanded)
        return Recipe(
            convolution: element, source: path + part, norm: norm.map { path + $0 })
    }

    /// Returns why a tensor that the trunk does not have may be left out; nil if it may not.
    func reason(_ name: String, norms: Set<String>, includesHead: Bool) -> String? {
        let classifier = self == .timm ? "classifier" : "_fc"
        if ["\(classifier).weight", "\(classifier).bias"].contains(name) {
            return "the classifier, which a trunk does not use"
        }
        let counter = ".num_batches_tracked"
        if name.hasSuffix(counter), norms.contains(String(name.dropLast(counter.count))) {
            return "a counter of training batches, which no computation uses"
        }
        let (head, norm) = parts(.head)
        if !includesHead,
            name == "\(head).weight" || norm.map({ name.hasPrefix("\($0).") }) == true
        {
            return "the head's convolution, which this trunk omits"
        }
        return nil
    }

    /// Returns the names of a convolution and of its norm, without that of the block.
    private func parts(
        _ role: EfficientNetPlan.Element.Role, isExpanded: Bool = true
    ) -> (convolution: String, norm: String?) {
        switch (self, role) {
        case (.numbered, .stem): ("_conv_stem", "_bn0")
        case (.numbered, .expansion): ("_expand_conv", "_bn0")
        case (.numbered, .depthwise): ("_depthwise_conv", "_bn1")
        case (.numbered, .squeeze): ("_se_reduce", nil)
        case (.numbered, .excitation): ("_se_expand", nil)
        case (.numbered, .projection): ("_project_conv", "_bn2")
        case (.numbered, .head): ("_conv_head", "_bn1")
        case (.timm, .stem): ("conv_stem", "bn1")
        // Inside a block timm numbers only the norms that exist.
        case (.timm, .expansion): ("conv_pw", "bn1")
        case (.timm, .depthwise): ("conv_dw", isExpanded ? "bn2" : "bn1")
        case (.timm, .squeeze): ("se.conv_reduce", nil)
        case (.timm, .excitation): ("se.conv_expand", nil)
        case (.timm, .projection): isExpanded ? ("conv_pwl", "bn3") : ("conv_pw", "bn2")
        case (.timm, .head): ("conv_head", "bn2")
        }
    }
}

/// The facts in timm's name of an architecture, such as `tf_efficientnet_b0.ns_jft_in1k`.
package struct TimmEfficientNetName {
    package let variant: EfficientNetVariant
    package let convention: EfficientNetConfiguration.Convention

    /// Parses a name with or without the tag after its period; returns nil for other architectures.
    package init?(_ name: String) {
        var rest = name.prefix { $0 != "." }
        convention = rest.hasPrefix("tf_") ? .tensorFlow : .timm
        if convention == .tensorFlow {
            rest = rest.dropFirst(3)
            // These tags are from before timm 0.9.
            for tag in ["_ns", "_ap"] where rest.hasSuffix(tag) { rest = rest.dropLast(3) }
        }
        let family = "efficientnet_"
        guard rest.hasPrefix(family),
            let variant = EfficientNetVariant(rawValue: String(rest.dropFirst(family.count)))
        else { return nil }
        self.variant = variant
    }
}
