public import Torch

/// Hides tokens for MLM: of those chosen 80% become `[MASK]`, 10% a random token, 10% stay.
public struct TokenMasking: Sendable, Hashable {
    /// Probability with which a token is chosen; BERT's and the original's is 0.15.
    public var probability: Double
    /// Number of tokens (V) that a random one is drawn from, special ones included.
    public var vocabularySize: Int
    /// The id of `[MASK]`.
    public var mask: Int
    /// Ids that are never chosen, which are those of `[PAD]` and `[CLS]`.
    ///
    /// A closing `[SEP]` can be chosen, as in the original.
    public var kept: Set<Int>

    /// Describes the masking of a vocabulary.
    public init(probability: Double = 0.15, vocabularySize: Int, mask: Int, kept: Set<Int>) {
        self.probability = probability
        self.vocabularySize = vocabularySize
        self.mask = mask
        self.kept = kept
    }

    /// Hides tokens of ids `[N, L]`.
    public func callAsFunction(_ ids: Tensor, generator: Generator) -> MaskedTokens {
        var hidden: [Int] = ids.values()
        let original = hidden
        // Three numbers for each token, needed or not: the sequence stays in step with the batch.
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
    /// Token ids `[N, L]` with the chosen ones replaced.
    public var ids: Tensor
    /// Where the K chosen tokens stand in the flattened batch, `[K]`.
    public var positions: Tensor
    /// What stood there, `[K]`.
    public var labels: Tensor
    /// The hidden tokens of each text, `[N, k]` indices into the flattened batch; texts with fewer
    /// than k have others among them.
    let columns: Tensor
    /// Where the hidden tokens stand in the flattened ``columns``, `[K]`.
    let places: Tensor

    /// Takes hidden tokens as they are.
    ///
    /// - Parameter positions: in rising order.
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
