import ALBEF
import Torch

/// The encoders alone, from tensors to tensors.
struct EncoderWork {
    private let models: Models

    init(_ models: Models) { self.models = models }

    /// Encodes `batch` images of `side` pixels by ViT-B/16.
    func image(_ request: Request) throws -> Answer {
        let model = try models.imageEncoder(request)
        let pixels = try pixels(request)
        return try Answer.timing(request) {
            _ = try withoutGradients { try model.encodeImages(pixels) }
        }
    }

    /// Computes the feature map of `batch` images of `side` pixels by EfficientNet-Lite0.
    func trunk(_ request: Request) throws -> Answer {
        let pixels = try pixels(request)
        let trunk = try models.efficientNet(request)
        return try Answer.timing(request) { _ = withoutGradients { trunk(pixels) } }
    }

    /// Encodes a text of `tokens` tokens by the six layers of the text encoder.
    func text(_ request: Request) throws -> Answer {
        let length = try request.number(.tokens, request.tokens)
        let model = try models.reader(patches: 257, request)
        let (ids, mask) = Self.text(length)
        return try Answer.timing(request) {
            _ = try withoutGradients { try model.encodeTexts(ids, mask: mask) }
        }
    }

    /// One text without padding: `[1, L]` token ids, and their mask.
    static func text(_ length: Int) -> (ids: Tensor, mask: Tensor) {
        (
            Tensor([101] + (0..<length - 1).map { 1000 + $0 * 37 % 900 }, shape: [1, length]),
            .ones([1, length], dtype: .int64)
        )
    }

    private func pixels(_ request: Request) throws -> Tensor {
        let side = try request.number(.side, request.side)
        let batch = try request.number(.batch, request.batch)
        return .normal([batch, 3, side, side], generator: try Generator(seed: 2))
    }
}
