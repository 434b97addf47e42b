/// AdamW (Loshchilov and Hutter, 2019), through libtorch's fused kernel.
public final class AdamW {
    /// Parameters that share a weight decay.
    public struct Group {
        /// The parameters.
        public var parameters: [Parameter]
        /// Decay per step, relative to the learning rate.
        public var weightDecay: Double

        /// Creates a group.
        public init(_ parameters: [Parameter], weightDecay: Double) {
            self.parameters = parameters
            self.weightDecay = weightDecay
        }
    }

    private struct State {
        let average: Tensor
        let squareAverage: Tensor
        let step: Tensor
    }

    /// The groups of parameters.
    public let groups: [Group]
    /// The learning rate of the next step.
    public var learningRate: Double
    private let betas: (Double, Double)
    private let epsilon: Double
    private var states: [String: State] = [:]

    /// Creates an optimizer; betas (0.9, 0.999) and epsilon 1e-8 are PyTorch's defaults.
    public init(
        _ groups: [Group], learningRate: Double, betas: (Double, Double) = (0.9, 0.999),
        epsilon: Double = 1e-8
    ) {
        self.groups = groups
        self.learningRate = learningRate
        self.betas = betas
        self.epsilon = epsilon
    }

    /// Makes every parameter a leaf that records gradients, and clears what it has recorded.
    public func clearGradients() {
        for parameter in groups.flatMap(\.parameters) {
            if parameter.value.requiresGrad {
                parameter.value.setGrad(nil)
            } else {
                parameter.value = parameter.value.requiringGrad()
            }
        }
    }

    /// Moves every parameter that has a gradient.
    ///
    /// - Throws: ``TorchError`` if libtorch refuses the update, naming the shapes.
    public func step() throws(TorchError) {
        try withoutGradients { () throws(TorchError) in
            for group in groups { try step(group) }
        }
    }

    private func step(_ group: Group) throws(TorchError) {
        let updated = group.parameters.compactMap { parameter in
            parameter.value.grad.map { (parameter.value, $0, state(of: parameter)) }
        }
        guard !updated.isEmpty else { return }
        let steps = updated.map { $0.2.step }
        for step in steps { step.addInPlace(Tensor.ones([], device: step.device)) }
        _ = try Self.fused.call([
            .tensors(updated.map { $0.0 }), .tensors(updated.map { $0.1 }),
            .tensors(updated.map { $0.2.average }), .tensors(updated.map { $0.2.squareAverage }),
            .tensors([]), .tensors(steps), .double(learningRate), .double(betas.0),
            .double(betas.1), .double(group.weightDecay), .double(epsilon), .bool(false),
            .bool(false), .none, .none,
        ])
    }

    private func state(of parameter: Parameter) -> State {
        if let known = states[parameter.name] { return known }
        let value = parameter.value
        let fresh = State(
            average: .zeros(value.shape, dtype: value.dtype, device: value.device),
            squareAverage: .zeros(value.shape, dtype: value.dtype, device: value.device),
            step: .zeros([], device: value.device))
        states[parameter.name] = fresh
        return fresh
    }

    private static let fused = Operator.known("aten::_fused_adamw_")
}
