import ALBEF
import TestSupport
import Testing
import Torch

@Suite("Grad-CAM of the match")
struct GradCAMTests {
    @Test("Maps equal the original's")
    func parity() throws {
        let golden = try GoldenSet("albef-retrieval")
        let model = try golden.model(.albef, .retrieval)
        let pair = try Self.pair(golden, model)
        let found = try model.gradCAM(pair.texts, tokens: pair.tokens, layer: 3)
        try golden.expect(found.tokens, equals: "gradcam/per_token")
        try golden.expect(found.sentence, equals: "gradcam/map")
    }

    @Test("The logits equal those of matching, also if gradients are turned off outside")
    func logits() throws {
        for dialect in Dialect.original {
            let golden = try GoldenSet("\(dialect.rawValue)-retrieval")
            let model = try golden.model(dialect, .retrieval)
            let pair = try Self.pair(golden, model)
            let found = try withoutGradients {
                try model.gradCAM(pair.texts, tokens: pair.tokens)
            }
            #expect(found.layer == 2)
            let expected = try model.matchLogits(pair.texts, tokens: pair.tokens)
            #expect(found.logits.isClose(to: expected, relative: 1e-4, absolute: 1e-5))
            #expect(found.tokens.min().scalar() >= 0)
            // In a layer below the last, words have maps of their own; padding has none.
            let heat: [Float] = found.tokens.sum(2, 3).values()
            let mask: [Float] = pair.texts.mask.to(.float32).values()
            #expect(zip(heat, mask).allSatisfy { $0 == 0 || $1 == 1 })
            #expect(heat.count { $0 > 0 } > mask.count { $0 == 1 } / 2)
            #expect(!found.tokens.requiresGrad && !found.logits.requiresGrad)
        }
    }

    @Test("Maps equal finite differences of the match logit", arguments: Dialect.original)
    func differences(_ dialect: Dialect) throws {
        let golden = try GoldenSet("\(dialect.rawValue)-retrieval")
        let model = try golden.model(dialect, .retrieval)
        let pair = try Self.pair(golden, model)
        let texts = pair.texts.rows(Tensor([1]))
        let tokens = pair.tokens[1..<2]
        let found = try model.gradCAM(texts, tokens: tokens)
        var probabilities = Tensor.zeros([0])
        _ = try model.matchLogits(texts, tokens: tokens, layer: found.layer) {
            probabilities = $0
            return $0
        }
        let shape = probabilities.shape
        let attention: [Double] = probabilities.values()
        let (heads, length, places) = (shape[1], shape[2], shape[3])
        let mask: [Double] = texts.mask.values()
        func logit(_ attention: [Double]) throws -> Double {
            try model.matchLogits(texts, tokens: tokens, layer: found.layer) { _ in
                Tensor(attention.map(Float.init), shape: shape)
            }[0, 1].scalar()
        }
        let step = 0.02
        var expected = [Double](repeating: 0, count: length * (places - 1))
        for index in attention.indices where index % places > 0 {
            let token = index / places % length
            guard mask[token] == 1 else { continue }
            var (more, less) = (attention, attention)
            more[index] += step
            less[index] -= step
            let slope = (try logit(more) - logit(less)) / (2 * step)
            expected[token * (places - 1) + index % places - 1] +=
                attention[index] * max(slope, 0) / Double(heads)
        }
        let maps: [Double] = found.tokens.values()
        let largest = maps.max() ?? 0
        #expect(largest > 1e-3)
        for (value, difference) in zip(maps, expected) {
            #expect(abs(value - difference) < 0.02 * largest)
        }
    }

    @Test(
        "Several layers in one pass have the maps that each has alone", arguments: Dialect.original)
    func several(_ dialect: Dialect) throws {
        let golden = try GoldenSet("\(dialect.rawValue)-retrieval")
        let model = try golden.model(dialect, .retrieval)
        let pair = try Self.pair(golden, model)
        let together = try model.gradCAM(pair.texts, tokens: pair.tokens, layers: [3, 2])
        #expect(together.map(\.layer) == [3, 2])
        for found in together {
            let alone = try model.gradCAM(pair.texts, tokens: pair.tokens, layer: found.layer)
            #expect(found.tokens.isClose(to: alone.tokens, relative: 1e-4, absolute: 1e-6))
            #expect(found.logits.isClose(to: alone.logits, relative: 1e-4, absolute: 1e-5))
        }
    }

    @Test("Texts of one image share it")
    func shared() throws {
        let golden = try GoldenSet("albef-retrieval")
        let model = try golden.model(.albef, .retrieval)
        let pair = try Self.pair(golden, model)
        let images = [2, 0, 2, 2]
        let shared = try model.gradCAM(
            pair.texts, tokens: pair.tokens, images: images, layers: [2, 3])
        let copied = try model.gradCAM(
            pair.texts, tokens: pair.tokens[Tensor(images)], layers: [2, 3])
        for (one, other) in zip(shared, copied) {
            #expect(one.tokens.isClose(to: other.tokens, relative: 1e-4, absolute: 1e-6))
        }
        #expect(throws: ALBEFError.self) {
            try model.gradCAM(pair.texts, tokens: pair.tokens, images: [0, 1, 2, 4], layers: [2])
        }
    }

    @Test("A layer that cannot be explained is named")
    func refusals() throws {
        let golden = try GoldenSet("albef-retrieval")
        let model = try golden.model(.albef, .retrieval)
        let pair = try Self.pair(golden, model)
        for layer in [-1, 0, 1, 4] {
            let error = #expect(throws: ALBEFError.self) {
                try model.gradCAM(pair.texts, tokens: pair.tokens, layer: layer)
            }
            #expect(error?.description.contains("layer \(layer)") == true)
            #expect(error?.description.contains("2 to 3") == true)
        }
        #expect(throws: ALBEFError.self) {
            try model.gradCAM(pair.texts, tokens: pair.tokens[.all, 0..<5])
        }
        #expect(throws: ALBEFError.self) {
            try model.gradCAM(pair.texts.rows(Tensor([0])), tokens: pair.tokens)
        }
    }

    @Test(
        "The layer explained by default", arguments: [(12, 6, 8), (4, 2, 2), (3, 0, 1), (4, 3, 3)])
    func defaultLayer(_ depth: Int, _ fusion: Int, _ expected: Int) {
        let text = ALBEFConfiguration.Text(depth: depth, fusionLayer: fusion)
        #expect(text.explainedLayer == expected)
        #expect(ALBEFConfiguration.Text(depth: 4, fusionLayer: 4).explainedLayer == nil)
    }

    private static func pair(
        _ golden: GoldenSet, _ model: ALBEFModel
    ) throws -> (texts: EncodedTexts, tokens: Tensor) {
        let texts = try model.encodeTexts(
            try golden.input("input_ids"), mask: try golden.input("attention_mask"))
        return (texts, try model.encodeImages(try golden.input("image")).tokens)
    }
}
