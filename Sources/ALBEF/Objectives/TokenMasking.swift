public import Torch

/// The hiding of tokens for MLM: of the chosen tokens 80% become `[MASK]`, 10% a random token, and
/// 10% stay.
public struct TokenMasking: Sendable, Hashable {
    /// The probability that a token is chosen; 0.15 in BERT and the original.
    public var probability: Double
    /// The number of tokens (V) from which a random one is drawn, including special ones.
    public var vocabularySize: Int
    /// The id of `[MASK]`.
    public var mask: Int
    /// The ids that are never chosen: those of `[PAD]` and `[CLS]`.
    ///
    /// A closing `[SEP]` can be chosen, as in the original.
    public var kept: Set<Int>

    /// Creates the masking of a vocabulary.
    ///
    /// - Parameters:
    ///   - probability: the probability that a token is chosen; 0.15 by default.
    ///   - vocabularySize: the number of tokens from which a random one is drawn.
    ///   - mask: the id of `[MASK]`.
    ///   - kept: the ids that are never chosen.
    public init(probability: Double = 0.15, vocabularySize: Int, mask: Int, kept: Set<Int>) {
        self.probability = probability
        self.vocabularySize = vocabularySize
        self.mask = mask
        self.kept = kept
    }

    /// Hides tokens of ids `[N, L]`.
    ///
    /// - Complexity: O(N · L).
    public func callAsFunction(_ ids: Tensor, generator: Generator) -> MaskedTokens {
        var hidden: [Int] = ids.values()
        let original = hidden
        // Every token draws three numbers, so that the generator's state depends only on the shape.
        let draws: [Float] = Tensor.uniform([3, hidden.count], generator: generator).values()
        let count = hidden.count
        var positions: [Int] = []
        for index in hidden.indices where Double(draws[index]) < probability {
            if kept.contains(original[index]) { continue }
            positions.append(index)
            switch draws[count + index] {
            case ..<0.8: hidden[index] = mask
            case ..<0.9:
                let random = Int(draws[2 * count + index] * Float(vocabularySize))
                hidden[index] = min(random, vocabularySize - 1)
            default: break
            }
        }
        return MaskedTokens(
            ids: Tensor(hidden, shape: ids.shape, device: ids.device),
            positions: Tensor(positions, device: ids.device),
            labels: Tensor(positions.map { original[$0] }, device: ids.device))
    }
}

/// A batch of texts with some tokens hidden.
public struct MaskedTokens: Sendable {
    /// Token ids `[N, L]`, with the chosen ones replaced.
    public var ids: Tensor
    /// The indices of the K chosen tokens in the flattened batch, `[K]`.
    public var positions: Tensor
    /// The original ids of the chosen tokens, `[K]`.
    public var labels: Tensor
    /// The hidden tokens of each text, `[N, k]` indices into the flattened batch; texts with fewer
    /// than k are filled with their first token.
    let columns: Tensor
    /// The indices of the hidden tokens in the flattened ``columns``, `[K]`.
    let places: Tensor

    /// Creates masked tokens.
    ///
    /// - Parameters:
    ///   - ids: token ids `[N, L]`, with the chosen ones replaced.
    ///   - positions: the indices of the chosen tokens in the flattened batch, `[K]`, ascending.
    ///   - labels: the original ids of the chosen tokens, `[K]`.
    public init(ids: Tensor, positions: Tensor, labels: Tensor) {
        self.ids = ids
        self.positions = positions
        self.labels = labels
        let (count, length) = (ids.size(0), ids.size(1))
        let flat: [Int] = positions.values()
        var hidden = [[Int]](repeating: [], count: count)
        for position in flat { hidden[position / length].append(position) }
        let width = max(1, hidden.map(\.count).max() ?? 1)
        columns = Tensor(
            hidden.enumerated().flatMap { row, positions in
                positions + repeatElement(row * length, count: width - positions.count)
            }, shape: [count, width], device: ids.device)
        places = Tensor(
            hidden.enumerated().flatMap { row, positions in
                positions.indices.map { row * width + $0 }
            }, device: ids.device)
    }
}
