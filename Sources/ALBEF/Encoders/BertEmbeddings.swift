public import Torch

/// The sum of word, position and, if the model has them, token-type vectors: `[B, L]` to
/// `[B, L, D]`.
public final class BertEmbeddings: Sendable {
    /// The word vectors `[V, D]`, shared with the MLM head.
    public let words: Embedding
    private let positions: Embedding
    /// Every token has type 0, whose vector the original adds; LAVIS dropped the table.
    private let types: Embedding?
    /// nil if the layers normalise their input.
    private let norm: LayerNorm?

    init(
        _ scope: ParameterScope, _ name: String, _ configuration: ALBEFConfiguration.Text
    ) throws {
        let width = configuration.width
        // BERT does not train padding as an input, even where it replaces a hidden word. The MLM
        // head, which shares the table, does train it as an output.
        words = try Embedding(
            scope, "\(name).word_embeddings", count: configuration.vocabularySize, width: width,
            padding: configuration.paddingToken)
        positions = try Embedding(
            scope, "\(name).position_embeddings", count: configuration.positions, width: width)
        types =
            configuration.hasTokenTypes
            ? try Embedding(scope, "\(name).token_type_embeddings", count: 2, width: width) : nil
        norm =
            configuration.normPlacement == .after
            ? try LayerNorm(
                scope, "\(name).LayerNorm", width: width, epsilon: configuration.layerNormEpsilon)
            : nil
    }

    /// Embeds token ids `[B, L]` as vectors `[B, L, D]`.
    ///
    /// - Parameters:
    ///   - ids: token ids; L is at most the model's number of positions.
    ///   - dropout: nil in evaluation.
    public func callAsFunction(_ ids: Tensor, dropout: Dropout? = nil) -> Tensor {
        var x = words(ids) + positions.weight.value[0..<ids.size(1)]
        if let types { x = x + types.weight.value[0] }
        if let norm { x = norm(x) }
        return dropout?(x) ?? x
    }
}
