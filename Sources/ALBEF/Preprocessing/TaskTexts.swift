public import ImageText
package import Torch

/// The texts of the fine-tuning tasks as token ids: sentences, questions and answers.
///
/// Unlike captions, they are not cut in tests: the original cuts only the questions of training,
/// to 25 tokens.
public struct TaskTexts: Sendable {
    /// The words of a question that the original keeps in tests.
    private static let questionWords = 50

    private let sentences: TextInput
    private let questions: TextInput
    private let answers: TextInput
    private let tokenizer: WordPieceTokenizer
    private let rules: TextRules
    private let positions: Int
    /// The token before an answer, `[CLS]`, and the one after it, `[SEP]`.
    public let answerBounds: (start: Int, end: Int)

    /// Creates the input of a model whose text encoder reads word pieces.
    public init(vocabulary: Vocabulary, configuration: ALBEFConfiguration) {
        let common = ModelPreprocessing(vocabulary: vocabulary, configuration: configuration).text
        let special = vocabulary.special
        positions = configuration.text.positions
        var framing = common.framing
        framing.length = positions
        framing.isFixedLength = false
        sentences = TextInput(tokenizer: common.tokenizer, framing: framing)
        tokenizer = WordPieceTokenizer(
            vocabulary: vocabulary, isUncased: configuration.text.lowercases)
        rules = configuration.dialect == .albef ? .albef : .lavis
        framing.cleaning = .none
        questions = TextInput(tokenizer: common.tokenizer, framing: framing)
        // Every dialect frames answers, as the decoder has to learn where they end.
        framing.start = [special.start]
        framing.end = [special.separator]
        answers = TextInput(tokenizer: common.tokenizer, framing: framing)
        answerBounds = (special.start, special.separator)
    }

    /// Returns sentences that are read with images, cleaned like captions, `[N, L]`.
    public func sentences(_ texts: [String]) -> TokenBatch { sentences.batch(texts) }

    /// Returns questions, `[N, L]`.
    ///
    /// - Parameters:
    ///   - texts: The questions as typed or as annotated.
    ///   - maximumTokens: The number of tokens to which questions are cut in training, special ones
    ///     included; nil, the default, for tests, which keep 50 words.
    public func questions(_ texts: [String], maximumTokens: Int? = nil) -> TokenBatch {
        let words = maximumTokens == nil ? Self.questionWords : rules.questionWords
        let cleaned = texts.map { rules.question($0, maximumWords: words) }
        guard let maximumTokens else { return questions.batch(cleaned) }
        var framing = questions.framing
        framing.length = min(positions, maximumTokens)
        return framing.batch(cleaned, by: questions.tokenizer)
    }

    /// Returns answers from `[CLS]` to `[SEP]`, `[N, L]`; they are not cleaned.
    public func answers(_ texts: [String]) -> TokenBatch { answers.batch(texts) }

    /// Returns the text of an answer's tokens, which have neither begin nor end.
    public func answer(of tokens: [Int]) -> String { tokenizer.text(of: tokens) }

    /// Returns the answers of a list with their tokens.
    ///
    /// - Throws: ``ALBEFError`` if the list is empty or if an answer has no token.
    public func list(_ choices: AnswerChoices) throws(ALBEFError) -> AnswerList {
        let tokens = answers(choices.texts).tensors(on: .cpu)
        return try AnswerList(choices.texts, ids: tokens.ids, mask: tokens.mask)
    }
}

extension TokenBatch {
    /// Returns the token ids and the mask as tensors `[B, L]`.
    package func tensors(on device: Device) -> (ids: Tensor, mask: Tensor) {
        (
            Tensor(ids, shape: [count, length], device: device),
            Tensor(mask, shape: [count, length], device: device)
        )
    }
}
