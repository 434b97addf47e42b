public import Torch

/// What is left to chance in a training step, so that tests can feed in recorded choices.
public protocol RandomChoices {
    /// For each text the index of an image, drawn in proportion to its row of weights `[N, N]`.
    func images(_ weights: Tensor) -> Tensor
    /// For each image the index of a text, drawn in proportion to its row of weights `[N, N]`.
    func texts(_ weights: Tensor) -> Tensor
    /// Hides tokens of a batch.
    func masking(_ batch: PretrainingBatch, by masking: TokenMasking) -> MaskedTokens
}

/// Choices drawn from a generator, whose state is all there is to save.
public struct GeneratedChoices: RandomChoices, Sendable {
    /// The generator, on the processor.
    public let generator: Generator

    /// Draws from a generator on the processor.
    public init(generator: Generator) { self.generator = generator }

    /// Draws an image for each text.
    public func images(_ weights: Tensor) -> Tensor { draw(weights) }

    /// Draws a text for each image.
    public func texts(_ weights: Tensor) -> Tensor { draw(weights) }

    /// Draws tokens and what becomes of them.
    public func masking(_ batch: PretrainingBatch, by masking: TokenMasking) -> MaskedTokens {
        masking(batch.ids, generator: generator)
    }

    private func draw(_ weights: Tensor) -> Tensor {
        weights.to(.cpu).multinomial(1, generator: generator).reshaped(-1).to(weights.device)
    }
}
