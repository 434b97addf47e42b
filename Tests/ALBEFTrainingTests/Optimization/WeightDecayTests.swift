import ALBEF
import ALBEFTraining
import OrderedCollections
import Testing
import Torch

@Suite("Weight decay")
struct WeightDecayTests {
    private func model(_ dialect: Dialect) throws -> ALBEFModel {
        try ALBEFModel(
            ALBEFConfiguration(
                dialect: dialect,
                vision: .init(imageSize: 32, width: 16, depth: 1, heads: 2, mlpWidth: 32),
                text: .init(
                    vocabularySize: 20, width: 16, depth: 2, fusionLayer: 1, heads: 2,
                    mlpWidth: 32, positions: 12, maximumTokens: 10),
                embeddingWidth: 8),
            parameters: RandomParameters(generator: Generator(seed: 1)))
    }

    /// Parameters that only some of the rules let decay.
    private static let disputed: Set = [
        "temp", "visual_encoder.cls_token", "visual_encoder.pos_embed",
    ]

    @Test(
        "Every rule spares biases and norms; the rules differ in three parameters",
        arguments: WeightDecay.allCases, Dialect.original)
    func names(rule: WeightDecay, dialect: Dialect) throws {
        let model = try model(dialect)
        let groups = rule.groups(of: model, decay: 0.02)
        #expect(groups.map(\.weightDecay) == [0.02, 0])
        let (decaying, spared) = (
            groups[0].parameters.map(\.name), groups[1].parameters.map(\.name)
        )
        #expect((decaying + spared).sorted() == model.parameters.keys.sorted())
        let matrices = model.parameters.keys.filter {
            $0.hasSuffix(".weight") && !$0.contains("LayerNorm") && !$0.contains(".norm")
        }
        let expected: Set<String> =
            switch rule {
            case .matrices: []
            case .original: Self.disputed
            case .lavis: Self.disputed.subtracting(["temp"])
            }
        #expect(Set(decaying) == Set(matrices).union(expected))
        #expect(decaying.contains("text_encoder.bert.embeddings.position_embeddings.weight"))
        #expect(decaying.contains("visual_encoder.patch_embed.proj.weight"))
        #expect(spared.contains("text_encoder.bert.embeddings.LayerNorm.weight"))
        #expect(spared.contains("visual_encoder.norm.weight"))
        #expect(spared.contains("text_encoder.cls.predictions.bias"))
    }

    @Test("A parameter without a gradient does not decay")
    func unused() throws {
        let model = try model(.albef)
        let optimizer = AdamW(
            WeightDecay.matrices.groups(of: model, decay: 0.5), learningRate: 0.1)
        let before = try #require(model.parameters["itm_head.weight"]).value.values() as [Float]
        optimizer.clearGradients()
        let used = try #require(model.parameters["vision_proj.weight"])
        let old = used.value.values() as [Float]
        try (used.value * 0).sum().backward()
        try optimizer.step()
        #expect(model.parameters["itm_head.weight"]?.value.values() == before)
        let found = used.value.values() as [Float]
        #expect(zip(found, old).allSatisfy { abs($0 - $1 * 0.95) < 1e-6 })
    }
}
