import ALBEF
import Testing
import Torch

@Suite("Reading one text with many images")
struct FusionFormTests {
    /// A model with three fusion layers, three heads, and different widths on both sides.
    private static let configuration = ALBEFConfiguration(
        vision: .init(imageSize: 64, width: 20, depth: 1, heads: 2, mlpWidth: 32),
        text: .init(
            vocabularySize: 200, width: 24, depth: 4, fusionLayer: 1, heads: 3, mlpWidth: 32,
            positions: 12, maximumTokens: 10),
        embeddingWidth: 8)

    private let model: ALBEFModel
    private let tokens: Tensor

    init() throws {
        model = try ALBEFModel(
            Self.configuration, parameters: LargeParameters(generator: Generator(seed: 5)))
        tokens = Tensor.normal([5, 17, 20], generator: try Generator(seed: 6))
    }

    private func text(_ ids: [Int], mask: [Int]) throws -> EncodedTexts {
        try model.encodeTexts(
            Tensor(ids, shape: [1, ids.count]), mask: Tensor(mask, shape: [1, mask.count]))
    }

    @Test(
        "Both forms equal the pairs read one by one",
        arguments: [FusionForm?.none, .textSide, .imageSide])
    func forms(_ form: FusionForm?) throws {
        for (ids, mask) in [
            ([2, 9], [1, 1]), ([2, 9, 17, 33, 54, 8], [1, 1, 1, 1, 1, 1]),
            ([2, 9, 17, 33, 0, 0], [1, 1, 1, 1, 0, 0]),
        ] {
            let text = try text(ids, mask: mask)
            let logits: [Double] = try model.matchLogits(
                text, withEach: ImageTokens(tokens), form: form
            ).flattened().values()
            var expected: [Double] = []
            for image in 0..<5 {
                expected += try model.matchLogits(text, tokens: tokens[image..<image + 1])
                    .flattened().values()
            }
            for (value, reference) in zip(logits, expected) {
                #expect(abs(value - reference) <= 1e-4 * max(1, abs(reference)))
            }
            // The images must affect the result, or any form would pass.
            #expect(abs(expected[1] - expected[3]) > 1e-2)
        }
    }

    @Test("The states of all tokens are equal in both forms")
    func allTokens() throws {
        let text = try text([2, 9, 17, 33, 54], mask: [1, 1, 1, 1, 1])
        let states = FusionForm.allCases.map { form in
            model.textEncoder.fuse(
                text.states, mask: text.mask, withEach: ImageTokens(tokens), .all, form: form)
        }
        #expect(states[0].shape == [5, 5, 24])
        #expect(states[0].isClose(to: states[1], relative: 1e-4, absolute: 1e-5))
    }

    @Test("A token that replaces two counts as two", arguments: FusionForm.allCases)
    func weights(_ form: FusionForm) throws {
        let text = try text([2, 9, 17, 33], mask: [1, 1, 1, 1])
        let twice = Tensor.concatenated([tokens, tokens[.all, 3..<4]], 1)
        var weights = [Float](repeating: 1, count: 5 * 17)
        for image in 0..<5 { weights[image * 17 + 3] = 2 }
        let weighted = ImageTokens(tokens, weights: Tensor(weights, shape: [5, 17]))
        let logits = try model.matchLogits(text, withEach: weighted, form: form)
        let expected = try model.matchLogits(text, withEach: ImageTokens(twice), form: form)
        #expect(logits.isClose(to: expected, relative: 1e-4, absolute: 1e-5))
        let unweighted = try model.matchLogits(
            text, withEach: ImageTokens(tokens), form: form)
        #expect(!logits.isClose(to: unweighted, relative: 1e-4, absolute: 1e-5))
    }

    @Test(
        "One text per image equals the pairs read one by one",
        arguments: [FusionForm?.none, .textSide, .imageSide])
    func textEach(_ form: FusionForm?) throws {
        let ids = [2, 9, 0, 0, 2, 9, 17, 33, 2, 7, 8, 0, 2, 54, 17, 9, 2, 3, 0, 0]
        let texts = try model.encodeTexts(
            Tensor(ids, shape: [5, 4]), mask: Tensor(ids.map { $0 > 0 ? 1 : 0 }, shape: [5, 4]))
        let logits: [Double] = try model.matchLogits(
            texts, withEach: ImageTokens(tokens), form: form
        ).flattened().values()
        let expected: [Double] = try model.matchLogits(texts, tokens: tokens).flattened().values()
        for (value, reference) in zip(logits, expected) {
            #expect(abs(value - reference) <= 1e-4 * max(1, abs(reference)))
        }
    }

    @Test("A number of texts other than one, or one per image, is rejected")
    func otherCounts() throws {
        let batch = try model.encodeTexts(
            Tensor([2, 9, 2, 8], shape: [2, 2]), mask: Tensor([1, 1, 1, 1], shape: [2, 2]))
        #expect(throws: ALBEFError.self) {
            try model.matchLogits(batch, withEach: ImageTokens(tokens))
        }
    }
}

/// Random parameters ten times as large as a new model's, so that attention is far from uniform;
/// biases are not zero.
private struct LargeParameters: ParameterSource {
    let generator: Generator

    func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
        let base = Tensor.normal(shape, generator: generator) * 0.3
        return name.hasSuffix("LayerNorm.weight") ? base + 1 : base
    }
}
