public import Torch

/// Multi-head attention with its output projection, residual and LayerNorm.
///
/// In BERT the LayerNorm follows the residual sum; in CLIP it precedes self-attention. Its
/// parameters have the same names in both.
public final class BertAttention: Sendable {
    private let query: Linear
    private let key: Linear
    private let value: Linear
    /// ``query``, ``key`` and ``value``, for attention of tokens among themselves.
    private let joint: JoinedLinear
    private let dense: Linear
    private let norm: LayerNorm
    private let heads: Int
    private let normalizesInput: Bool

    /// Creates attention from the parameters below a name.
    ///
    /// - Parameter source: the attention whose projections of keys and values it shares; nil for
    ///   its own.
    init(
        _ scope: ParameterScope, _ name: String, _ configuration: ALBEFConfiguration.Text,
        sourceWidth: Int, sharing source: String? = nil
    ) throws {
        let source = source ?? name
        let width = configuration.width
        heads = configuration.heads
        normalizesInput = configuration.normPlacement == .before
        query = try Linear(scope, "\(name).self.query", inputs: width, outputs: width)
        key = try Linear(scope, "\(source).self.key", inputs: sourceWidth, outputs: width)
        value = try Linear(scope, "\(source).self.value", inputs: sourceWidth, outputs: width)
        joint = JoinedLinear([query, key, value])
        dense = try Linear(scope, "\(name).output.dense", inputs: width, outputs: width)
        norm = try LayerNorm(
            scope, "\(name).output.LayerNorm", width: width,
            epsilon: configuration.layerNormEpsilon)
    }

    /// Applies self-attention of some tokens over all tokens.
    ///
    /// - Parameters:
    ///   - x: token states `[R, L, D]`.
    ///   - selection: the tokens whose new states are needed.
    ///   - mask: added to the scores, `[R, 1, 1, L]` or `[1, 1, L, L]`; nil if every token is
    ///     attended to.
    ///   - dropout: the dropout of attention weights and output; nil in evaluation.
    /// - Returns: the states of those tokens, `[R, K, D]`.
    func callAsFunction(
        _ x: Tensor, _ selection: TokenSelection, mask: Tensor?, dropout: Dropout? = nil
    ) -> Tensor {
        let source = normalizesInput ? norm(x) : x
        let (queries, memory) = projected(source, selection)
        let context = attend(queries, memory, mask: selection(mask: mask), dropout: dropout)
        return finish(selection(x), joined(context), dropout)
    }

    /// Applies cross-attention to images whose keys and values are given.
    ///
    /// - Parameters:
    ///   - x: token states `[R, L, D]`.
    ///   - memory: the keys and values of N images.
    ///   - pairing: which image each of the R rows reads.
    ///   - dropout: the dropout of attention weights and output; nil in evaluation.
    /// - Returns: `[R, L, D]`.
    func callAsFunction(
        _ x: Tensor, _ memory: KeysAndValues, _ pairing: ImagePairing, dropout: Dropout? = nil
    ) -> Tensor {
        let queries = split(query(x))
        let (count, length) = (pairing.alignedImages ?? memory.keys.size(0), x.size(1))
        let alignedRows = pairing.alignedBlocks * count
        var parts: [Tensor] = []
        if alignedRows > 0 {
            // One row holds the queries of all blocks that read one image, so that the image's keys
            // and values are shared instead of copied.
            let blocks = queries[0..<alignedRows]
                .reshaped(pairing.alignedBlocks, count, heads, length, -1)
                .permuted(1, 2, 0, 3, 4)
                .reshaped(count, heads, pairing.alignedBlocks * length, -1)
            let aligned = pairing.alignedImages.map { memory.rows(0..<$0) } ?? memory
            let context = attend(blocks, aligned, mask: aligned.mask, dropout: dropout)
                .reshaped(count, heads, pairing.alignedBlocks, length, -1)
                .permuted(2, 0, 3, 1, 4)
            parts.append(context.reshaped(alignedRows, length, x.size(2)))
        }
        if let chosen = pairing.chosen {
            let memory = memory.rows(chosen)
            let context = attend(
                queries[alignedRows...], memory, mask: memory.mask, dropout: dropout)
            parts.append(joined(context))
        }
        let context = parts.count == 1 ? parts[0] : Tensor.concatenated(parts)
        return finish(x, context, dropout)
    }

    /// Applies cross-attention of one text to many images, with the projections moved to the text's
    /// side.
    ///
    /// For head h, `Q_h (E W_k)ᵀ = (Q_h W_kᵀ) Eᵀ` and `A (E W_v) = (A E) W_v`. The values are the
    /// same, but the factor that a weight multiplies is as long as the text instead of the image.
    /// The bias of the keys adds the same number to every score of a row, which softmax ignores.
    /// The bias of the values is added unchanged, because the weights of a row sum to 1.
    ///
    /// - Parameters:
    ///   - x: token states `[N, L, D]`, or `[1, L, D]` if all images have the same.
    ///   - images: the tokens E of N images, `[N, S, D_v]`.
    /// - Returns: `[N, L, D]`.
    func callAsFunction(_ x: Tensor, reading images: ImageTokens) -> Tensor {
        let tokens = images.values
        let (count, rows, length, width) = (tokens.size(0), x.size(0), x.size(1), x.size(2))
        let (size, sourceWidth) = (width / heads, tokens.size(2))
        let keyWeight = key.factor.reshaped(heads, size, sourceWidth)
        let valueWeight = value.factor.reshaped(heads, size, sourceWidth)
        // [H, R · L, D / H], so that one matrix product per head serves all rows.
        let queries = query(x).reshaped(rows * length, heads, size).transposed(0, 1)
        let questions = queries.matmul(keyWeight)
            .reshaped(heads, rows, length, sourceWidth).transposed(0, 1)
            .reshaped(rows, 1, heads * length, sourceWidth)
            .expanded(count, -1, -1, -1)
        // All heads read the same tokens, so their queries are rows of one attention.
        let source = tokens.to(questions.dtype).unsqueezed(1)
        let answers = Tensor.attention(
            questions, source, source, mask: images.scoreBias?[.all, .new, .new],
            scale: 1 / Double(size).squareRoot()
        )
        .reshaped(count, heads, length, sourceWidth).transposed(0, 1)
        .reshaped(heads, count * length, sourceWidth)
        let context = answers.matmul(valueWeight.transposed()).transposed(0, 1)
            .reshaped(count, length, width)
        return finish(x, context + value.bias.value, nil)
    }

    /// Applies cross-attention and passes its weights through a closure, which may replace them.
    ///
    /// - Parameters:
    ///   - x: token states `[B, L, D]`.
    ///   - memory: the keys and values of B images.
    ///   - weights: receives the attention probabilities `[B, H, L, S]` and returns those to use.
    /// - Returns: `[B, L, D]`.
    func callAsFunction(
        _ x: Tensor, _ memory: KeysAndValues, weights: (Tensor) -> Tensor
    ) -> Tensor {
        let queries = split(query(x)).to(memory.keys.dtype)
        let used = weights(memory.probabilities(of: queries, mask: memory.mask))
        return finish(x, joined(used.matmul(memory.values)), nil)
    }

    /// Returns the number of multiplications per image of ``callAsFunction(_:reading:)``, and of
    /// attention to projected keys and values.
    func readingCost(length: Int, patches: Int) -> (textSide: Int, imageSide: Int) {
        let (width, sourceWidth) = (key.weight.value.size(0), key.weight.value.size(1))
        return (
            2 * length * sourceWidth * (heads * patches + width),
            2 * patches * width * (sourceWidth + length)
        )
    }

    /// Returns the queries of some tokens of `[R, L, D]`, and the keys and values of all.
    private func projected(
        _ source: Tensor, _ selection: TokenSelection
    ) -> (queries: Tensor, memory: KeysAndValues) {
        guard case .all = selection else {
            return (split(query(selection(source))), keysAndValues(of: source))
        }
        let parts = joint(source).map(split)
        return (parts[0], KeysAndValues(keys: parts[1], values: parts[2], mask: nil))
    }

    /// Returns the keys and values `[B, H, S, D / H]` of a source `[B, S, D_s]`.
    func keysAndValues(of source: Tensor) -> KeysAndValues {
        KeysAndValues(keys: split(key(source)), values: split(value(source)), mask: nil)
    }

    /// Returns the keys and values of images; merged tokens weigh as much as the tokens they
    /// replace.
    func keysAndValues(of images: ImageTokens) -> KeysAndValues {
        var result = keysAndValues(of: images.values)
        result.mask = images.scoreBias?[.all, .new, .new]
        return result
    }

    private func attend(
        _ queries: Tensor, _ source: KeysAndValues, mask: Tensor?, dropout: Dropout?
    ) -> Tensor {
        guard let dropout else {
            return Tensor.attention(queries, source.keys, source.values, mask: mask)
        }
        return dropout(source.probabilities(of: queries, mask: mask)).matmul(source.values)
    }

    private func finish(_ x: Tensor, _ context: Tensor, _ dropout: Dropout?) -> Tensor {
        let output = dense(context)
        let sum = x + (dropout?(output) ?? output)
        return normalizesInput ? sum : norm(sum)
    }

    /// Splits `[B, L, D]` into heads, `[B, H, L, D / H]`.
    private func split(_ x: Tensor) -> Tensor {
        x.reshaped(x.size(0), x.size(1), heads, x.size(2) / heads).transposed(1, 2)
    }

    /// Joins heads `[B, H, L, D / H]` to `[B, L, D]`.
    private func joined(_ x: Tensor) -> Tensor {
        x.transposed(1, 2).reshaped(x.size(0), x.size(2), -1)
    }
}

/// The tokens of each text whose states a layer computes; the other tokens are only read.
public enum TokenSelection: Sendable {
    /// All tokens.
    case all
    /// `[CLS]` alone.
    case start
    /// K tokens of each text, as `[R, K]` indices into the flattened batch `[R · L]`.
    case at(Tensor)

    /// Returns the states `[R, K, D]` of the selected tokens of `[R, L, D]`.
    func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .all: x
        case .start: x[.all, 0..<1]
        case .at(let indices):
            x.reshaped(-1, x.size(2)).selected(0, indices.reshaped(-1))
                .reshaped(indices.size(0), indices.size(1), x.size(2))
        }
    }

    /// Returns the mask of the selected tokens: a mask `[R, 1, 1, L]`, which all tokens share, is
    /// unchanged; of a causal mask `[1, 1, L, L]`, ``start`` keeps the first row.
    ///
    /// - Precondition: the selection is not ``at(_:)`` if the mask is causal.
    func callAsFunction(mask: Tensor?) -> Tensor? {
        guard let mask, mask.size(2) > 1 else { return mask }
        switch self {
        case .all: return mask
        case .start: return mask[.all, .all, 0..<1]
        case .at: preconditionFailure("a causal text encoder cannot select tokens by index")
        }
    }
}

/// The keys and values of a source, `[B, H, S, D / H]` each.
public struct KeysAndValues: Sendable {
    /// The vectors that queries are compared with.
    public var keys: Tensor
    /// The vectors that attention averages.
    public var values: Tensor
    /// A mask added to the scores, `[B, 1, 1, S]`; nil if every token counts once.
    var mask: Tensor?

    /// Returns the keys and values in another type.
    func to(_ dtype: DType) -> KeysAndValues {
        KeysAndValues(keys: keys.to(dtype), values: values.to(dtype), mask: mask)
    }

    /// Returns softmax(Q Kᵀ / √d + mask), `[B, H, L, S]`, of queries `[B, H, L, D / H]`.
    func probabilities(of queries: Tensor, mask: Tensor? = nil) -> Tensor {
        let scale = 1 / Double(queries.size(3)).squareRoot()
        var scores = (queries * scale).matmul(keys.transposed())
        if let mask { scores = scores + mask }
        return scores.softmax(-1)
    }

    /// Returns the keys and values of some rows in the given order; `indices` is a range or `[N]`.
    func rows(_ indices: some TensorIndex) -> KeysAndValues {
        KeysAndValues(
            keys: keys[indices], values: values[indices], mask: mask.map { $0[indices] })
    }
}

/// The image, of N, that each row of a batch of texts is read with.
///
/// An image's keys and values do not depend on the text, so they are projected once and shared by
/// all rows that read the image.
public struct ImagePairing: Sendable {
    /// The number of leading blocks of N rows; in each of them row i reads image i.
    public var alignedBlocks: Int
    /// The image of each further row, `[K]` indices; nil if there are no further rows.
    public var chosen: Tensor?
    /// The number N of leading images that the aligned blocks read; nil if they read all images.
    var alignedImages: Int?

    /// Creates the pairing of `alignedBlocks` · N aligned rows and K chosen ones.
    public init(alignedBlocks: Int, chosen: Tensor? = nil) {
        self.alignedBlocks = alignedBlocks
        self.chosen = chosen
    }

    init(alignedBlocks: Int, chosen: Tensor? = nil, alignedImages: Int?) {
        self.init(alignedBlocks: alignedBlocks, chosen: chosen)
        self.alignedImages = alignedImages
    }

    /// One block, in which row i reads image i.
    public static let aligned = ImagePairing(alignedBlocks: 1)
}
