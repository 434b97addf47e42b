public import Torch

/// The random choices of a training step; tests can replay recorded ones.
public protocol RandomChoices {
    /// Draws for each text the index of an image by its row of weights `[N, N]`; returns `[N]`.
    func images(_ weights: Tensor) -> Tensor
    /// Draws for each image the index of a text by its row of weights `[N, N]`; returns `[N]`.
    func texts(_ weights: Tensor) -> Tensor
    /// Hides tokens of a batch.
    func masking(_ batch: PretrainingBatch, by masking: TokenMasking) -> MaskedTokens
}

/// Choices drawn from a generator, whose state is their only state.
public struct GeneratedChoices: RandomChoices, Sendable {
    /// The generator, on the CPU.
    public let generator: Generator

    /// Creates choices drawn from a generator on the CPU.
    public init(generator: Generator) { self.generator = generator }

    /// Draws an image for each text.
    public func images(_ weights: Tensor) -> Tensor { draw(weights) }

    /// Draws a text for each image.
    public func texts(_ weights: Tensor) -> Tensor { draw(weights) }

    /// Hides tokens of a batch, drawn by the generator.
    public func masking(_ batch: PretrainingBatch, by masking: TokenMasking) -> MaskedTokens {
        masking(batch.ids, generator: generator)
    }

    private func draw(_ weights: Tensor) -> Tensor {
        weights.to(.cpu).multinomial(1, generator: generator).reshaped(-1).to(weights.device)
    }
}
