import ALBEF
import Testing
import TestSupport
import Torch

@Suite("A model that multiplies in a shorter type")
struct ShortProductTests {
    private static let configuration = ALBEFConfiguration(
        vision: .init(imageSize: 64, width: 64, depth: 3, heads: 4, mlpWidth: 128),
        text: .init(
            vocabularySize: 200, width: 64, depth: 4, fusionLayer: 2, heads: 4, mlpWidth: 128,
            positions: 12, maximumTokens: 10),
        embeddingWidth: 32)

    private let exact: ALBEFModel
    private let pixels: Tensor
    private let ids = Tensor([2, 9, 17, 33, 54, 3], shape: [1, 6])
    private let mask = Tensor.ones([1, 6], dtype: .int64)

    init() throws {
        exact = try Self.model(.float32)
        pixels = Tensor.normal([3, 3, 64, 64], generator: try Generator(seed: 6))
    }

    private static func model(_ type: ComputeType) throws -> ALBEFModel {
        try ALBEFModel(
            configuration, parameters: RandomParameters(generator: Generator(seed: 5)),
            computeType: type)
    }

    /// Returns the smallest cosine between rows of two tensors `[N, E]`.
    private func cosine(_ a: Tensor, _ b: Tensor) -> Double {
        (a.normalized() * b.normalized()).sum(-1).min().scalar()
    }

    @Test("Features and tokens keep their direction", arguments: [ComputeType.bfloat16, .int8])
    func features(_ type: ComputeType) throws {
        let short = try Self.model(type)
        try withoutGradients {
            let (reference, found) = (
                try exact.encodeImages(pixels), try short.encodeImages(pixels)
            )
            #expect(found.features.dtype == .float32 && found.tokens.dtype == .float32)
            #expect(cosine(found.features, reference.features) > 0.999)
            #expect(cosine(found.tokens, reference.tokens) > 0.999)
            #expect(found.features.values(as: Float.self) != reference.features.values())
            let (text, shortText) = (
                try exact.encodeTexts(ids, mask: mask), try short.encodeTexts(ids, mask: mask)
            )
            #expect(cosine(shortText.features, text.features) > 0.999)
        }
    }

    @Test(
        "Match logits keep two digits, in each form and with merged tokens",
        arguments: FusionForm.allCases,
        [(ComputeType.bfloat16, false), (.bfloat16, true), (.int8, true)])
    func logits(_ form: FusionForm, _ kind: (type: ComputeType, isMerged: Bool)) throws {
        let (short, isMerged) = (try Self.model(kind.type), kind.isMerged)
        try withoutGradients {
            let text = try exact.encodeTexts(ids, mask: mask)
            let values = try exact.encodeImages(pixels).tokens
            let weights = isMerged ? Tensor.full([3, values.size(1)], 2) : nil
            let reference: [Double] = try exact.matchLogits(
                text, withEach: ImageTokens(values, weights: weights), form: form
            ).flattened().values()
            for type in [DType.float32, .bfloat16] {
                let logits = try short.matchLogits(
                    text, withEach: ImageTokens(values.to(type), weights: weights), form: form)
                #expect(logits.dtype == .float32)
                let found: [Double] = logits.flattened().values()
                for (value, reference) in zip(found, reference) {
                    #expect(abs(value - reference) < 0.02 * max(0.5, abs(reference)))
                }
            }
        }
    }

    @Test(
        "An explanation is nearly that of the exact model",
        arguments: [ComputeType.bfloat16, .int8])
    func explanation(_ type: ComputeType) throws {
        let short = try Self.model(type)
        let text = try withoutGradients { try exact.encodeTexts(ids, mask: mask) }
        let tokens = try withoutGradients { try exact.encodeImages(pixels[0..<1]).tokens }
        let (reference, found) = (
            try exact.gradCAM(text, tokens: tokens), try short.gradCAM(text, tokens: tokens)
        )
        #expect(found.tokens.shape == reference.tokens.shape)
        #expect(cosine(found.tokens.reshaped(1, -1), reference.tokens.reshaped(1, -1)) > 0.99)
    }
}
