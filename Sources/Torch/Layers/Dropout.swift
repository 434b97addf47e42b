/// Dropout with its own generator, so that a run can be resumed exactly (Srivastava et al., 2014).
///
/// A layer drops elements only if a caller passes this value to it. Without it, a model evaluates.
public struct Dropout: Sendable {
    /// The probability with which an element is zeroed.
    public let probability: Double
    private let generator: Generator

    /// Creates dropout; nil if the probability is 0, because nothing would be dropped.
    ///
    /// - Parameters:
    ///   - probability: the probability with which an element is zeroed, below 1.
    ///   - generator: a generator on the device of the tensors.
    public init?(_ probability: Double, generator: Generator) {
        guard probability > 0 else { return nil }
        precondition(probability < 1, "the dropout probability \(probability) must be below 1")
        self.probability = probability
        self.generator = generator
    }

    /// Zeroes random elements and scales the others to keep the expected value.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        x.dropped(probability, generator: generator)
    }
}
