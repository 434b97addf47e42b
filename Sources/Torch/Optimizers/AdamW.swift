import SystemPackage

/// The optimizer AdamW (Loshchilov and Hutter, 2019), which runs libtorch's fused kernel.
///
/// ```swift
/// optimizer.clearGradients()
/// try loss(batch).backward()
/// try optimizer.step()
/// ```
public final class AdamW {
    /// Parameters that share a weight decay and a learning rate.
    public struct Group {
        /// The parameters.
        public var parameters: [Parameter]
        /// The decay per step, divided by the group's learning rate.
        public var weightDecay: Double
        /// The group's learning rate, divided by the optimizer's.
        public var rateFactor: Double

        /// Creates a group.
        ///
        /// - Parameters:
        ///   - parameters: the parameters of the group.
        ///   - weightDecay: the decay per step, divided by the group's learning rate.
        ///   - rateFactor: the group's learning rate, divided by the optimizer's; 1 by default.
        public init(_ parameters: [Parameter], weightDecay: Double, rateFactor: Double = 1) {
            self.parameters = parameters
            self.weightDecay = weightDecay
            self.rateFactor = rateFactor
        }
    }

    /// The state of one parameter: PyTorch's `exp_avg`, `exp_avg_sq` and `step`.
    package struct State {
        package let average: Tensor
        package let squareAverage: Tensor
        package let step: Tensor

        package init(average: Tensor, squareAverage: Tensor, step: Tensor) {
            self.average = average
            self.squareAverage = squareAverage
            self.step = step
        }
    }

    /// The groups of parameters.
    public let groups: [Group]
    /// The learning rate of the next step, which each group multiplies by its factor.
    public var learningRate: Double
    private let betas: (Double, Double)
    private let epsilon: Double
    /// The states of the parameters that have been updated, by name.
    package var states: [String: State] = [:]
    /// The names of the parameters that this process updates; nil for all.
    package var owned: Set<String>?

    /// Creates an optimizer.
    ///
    /// - Parameters:
    ///   - groups: the parameters.
    ///   - learningRate: the learning rate of the first step.
    ///   - betas: the decay rates of both averages; (0.9, 0.999) by default, as in PyTorch.
    ///   - epsilon: the number that is added to the denominator; 1e-8 by default, as in PyTorch.
    public init(
        _ groups: [Group], learningRate: Double, betas: (Double, Double) = (0.9, 0.999),
        epsilon: Double = 1e-8
    ) {
        self.groups = groups
        self.learningRate = learningRate
        self.betas = betas
        self.epsilon = epsilon
    }

    /// Makes every parameter a leaf that records gradients, and clears its gradient.
    public func clearGradients() {
        for parameter in groups.flatMap(\.parameters) {
            if parameter.value.requiresGrad {
                parameter.value.setGrad(nil)
            } else {
                parameter.value = parameter.value.requiringGrad()
            }
        }
    }

    /// The gradients of the parameters that have one.
    package var gradients: [Tensor] { groups.flatMap(\.parameters).compactMap(\.value.grad) }

    /// Updates every parameter that has a gradient.
    ///
    /// All memory is allocated before the first update. If there is not enough, no parameter
    /// changes.
    ///
    /// - Throws: ``TorchError`` if there is not enough memory, or if libtorch refuses the update;
    ///   its text then includes the shapes.
    public func step() throws {
        states.merge(try recovering { freshStates() }) { known, _ in known }
        try withoutGradients {
            for group in groups { try step(group) }
        }
    }

    private func step(_ group: Group) throws {
        let updated = group.parameters.filter(isOwned).compactMap { parameter in
            parameter.value.grad.flatMap { gradient in
                states[parameter.name].map { (parameter.value, gradient, $0) }
            }
        }
        guard !updated.isEmpty else { return }
        let steps = updated.map { $0.2.step }
        _ = try Self.count.call([.tensors(steps), .double(1)], room: steps.count)
        _ = try Self.fused.call([
            .tensors(updated.map { $0.0 }), .tensors(updated.map { $0.1 }),
            .tensors(updated.map { $0.2.average }), .tensors(updated.map { $0.2.squareAverage }),
            .tensors([]), .tensors(steps), .double(learningRate * group.rateFactor),
            .double(betas.0), .double(betas.1), .double(group.weightDecay), .double(epsilon),
            .bool(false), .bool(false), .none, .none,
        ])
    }

    private func isOwned(_ parameter: Parameter) -> Bool {
        owned?.contains(parameter.name) ?? true
    }

    /// The initial states of the parameters that are updated for the first time.
    private func freshStates() -> [String: State] {
        var fresh: [String: State] = [:]
        for parameter in groups.flatMap(\.parameters)
        where states[parameter.name] == nil && isOwned(parameter) {
            let value = parameter.value
            guard value.grad != nil else { continue }
            fresh[parameter.name] = State(
                average: .zeros(value.shape, dtype: value.dtype, device: value.device),
                squareAverage: .zeros(value.shape, dtype: value.dtype, device: value.device),
                step: .zeros([], device: value.device))
        }
        return fresh
    }

    private static let fused = Operator.known("aten::_fused_adamw_")
    private static let count = Operator.known("aten::_foreach_add_", "Scalar")
}
