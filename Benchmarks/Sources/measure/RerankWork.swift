import ALBEF
import Retrieval
import Torch

/// Re-ranking: the fusion encoder reads one text with each of the candidates.
struct RerankWork {
    private let models: Models

    init(_ models: Models) { self.models = models }

    /// Scores a text of `tokens` tokens with `candidates` images of `patches` tokens.
    ///
    /// As in a search, the text is encoded already, and the images' tokens are stored in half
    /// precision.
    func rerank(_ request: Request) throws -> Answer {
        let length = try request.number(.tokens, request.tokens)
        let patches = try request.number(.patches, request.patches)
        let count = try request.number(.candidates, request.candidates)
        let model = try models.reader(patches: patches, request)
        let (ids, mask) = EncoderWork.text(length)
        let text = try withoutGradients { try model.encodeTexts(ids, mask: mask) }
        let kept = Tensor.normal(
            [count, patches, model.configuration.vision.width],
            generator: try Generator(seed: 3)
        ).to(.float16)
        let reranker = Reranker(model)
        return try Answer.timing(request) {
            _ = try reranker.scores(text, count: count) {
                ImageTokens(kept[$0].to(model.computeType.dtype))
            }
        }
    }
}
