public import Torch

/// The answer decoder of VQA, which writes an answer from the fused states of a question
/// (section 5).
///
/// It has as many layers as the fusion encoder. Each token attends to those before it and to all
/// tokens of the question. The output matrix is that of the decoder's own word embeddings.
public final class AnswerDecoder: Sendable {
    /// The embeddings and layers, whose parameters are named `text_decoder.bert`.
    public let layers: TextEncoder
    /// The language-model head, `text_decoder.cls.predictions`.
    public let head: MaskedLanguageHead

    init(_ scope: ParameterScope, _ text: ALBEFConfiguration.Text) throws {
        layers = try TextEncoder(
            scope, text.decoder, reading: text.width, prefix: "text_decoder.bert")
        head = try MaskedLanguageHead(
            scope, text, words: layers.embeddings.words, prefix: "text_decoder.cls.predictions")
    }

    /// Projects the questions to the keys and values of each layer, which do not depend on the
    /// answer.
    ///
    /// - Parameter questions: N questions, fused with their images.
    public func memory(of questions: EncodedQuestions) -> [KeysAndValues] {
        layers.memory(of: questions.states, mask: questions.mask)
    }

    /// Returns logits `[R, L, V]` of the token that follows each token of R answers.
    ///
    /// - Parameters:
    ///   - ids: token ids `[R, L]`, the begin token first.
    ///   - mask: 1 for tokens, 0 for padding, `[R, L]`.
    ///   - memory: the result of ``memory(of:)`` for N questions.
    ///   - rows: the question of each answer, `[R]` indices.
    ///   - selection: the tokens whose logits are needed; all by default. Index tensors are not
    ///     supported.
    ///   - dropout: nil in evaluation.
    public func callAsFunction(
        _ ids: Tensor, mask: Tensor, answering memory: [KeysAndValues], rows: Tensor,
        _ selection: TokenSelection = .all, dropout: Dropout? = nil
    ) -> Tensor {
        let embedded = layers.encode(ids, mask: mask, dropout: dropout)
        return head(
            layers.fuse(
                embedded, mask: mask, with: memory, ImagePairing(alignedBlocks: 0, chosen: rows),
                selection, dropout: dropout))
    }
}

/// Questions after the fusion encoder has read them with their images.
public struct EncodedQuestions: Sendable {
    /// Fused token states `[N, L, D]`.
    public var states: Tensor
    /// 1 for tokens, 0 for padding, `[N, L]`.
    public var mask: Tensor

    /// Creates questions from states and mask.
    public init(states: Tensor, mask: Tensor) {
        self.states = states
        self.mask = mask
    }

    /// The number of questions N.
    public var count: Int { states.size(0) }
}
