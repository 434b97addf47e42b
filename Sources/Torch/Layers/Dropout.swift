/// Dropout with a generator of its own, so that a run can be continued exactly (Srivastava et al.,
/// 2014).
///
/// A layer drops only when it is handed one: a model without it is in evaluation.
public struct Dropout: Sendable {
    /// Probability with which an element is zeroed.
    public let probability: Double
    private let generator: Generator

    /// Creates dropout; nil for a probability of 0, which changes nothing.
    ///
    /// - Parameter generator: on the device of the tensors.
    public init?(_ probability: Double, generator: Generator) {
        guard probability > 0 else { return nil }
        precondition(probability < 1, "dropout with probability \(probability)")
        self.probability = probability
        self.generator = generator
    }

    /// Drops elements, and scales the others to make up for them.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        x.dropped(probability, generator: generator)
    }
}
