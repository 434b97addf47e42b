import ALBEF
import TestSupport
import Testing
import Torch

@Suite("Parity with the Python implementations")
struct GoldenParityTests {
    @Test("Layer by layer", arguments: Dialect.original)
    func trace(_ dialect: Dialect) throws {
        let golden = try GoldenSet("\(dialect.rawValue)-pretraining")
        let model = try golden.model(dialect, .pretraining)
        let vision = model.visualEncoder
        let patches = vision.patchEmbedding(try golden.input("step0/image"))
        try golden.expect(patches, equals: "trace/visual_encoder.patch_embed")
        var x = vision.embedded(patches)
        for (index, block) in vision.blocks.enumerated() {
            x = block(x)
            try golden.expect(x, equals: "trace/visual_encoder.blocks.\(index)")
        }
        let image = vision.norm(x)
        try golden.expect(image, equals: "trace/visual_encoder.norm")

        let text = model.textEncoder
        let mask = TextEncoder.additive(try golden.input("step0/attention_mask"))
        var y = text.embeddings(try golden.input("step0/input_ids"))
        try golden.expect(y, equals: "trace/text_encoder.bert.embeddings")
        for (index, layer) in (text.textLayers + text.fusionLayers).enumerated() {
            y = layer(y, mask: mask, image: image)
            try golden.expect(y, equals: "trace/text_encoder.bert.encoder.layer.\(index)")
        }
        let head = try #require(model.maskedLanguage)
        try golden.expect(head(y), equals: "trace/text_encoder.cls")
    }

    @Test("Features, matching and masked words", arguments: Dialect.original)
    func pretraining(_ dialect: Dialect) throws {
        let golden = try GoldenSet("\(dialect.rawValue)-pretraining")
        let model = try golden.model(dialect, .pretraining)
        let mask = try golden.input("step0/attention_mask")
        let images = try model.encodeImages(try golden.input("step0/image"))
        let texts = try model.encodeTexts(try golden.input("step0/input_ids"), mask: mask)
        try golden.expect(images.tokens, equals: "step0/image_embeds")
        try golden.expect(images.features, equals: "step0/image_feat")
        try golden.expect(texts.features, equals: "step0/text_feat")
        if dialect == .lavis { try golden.expect(texts.states, equals: "step0/text_embeds") }

        // Positives, then each text with its hard image, then each image with its hard text.
        let hardImages = try golden.output("step0/neg_image_idx")
        let hardTexts = try golden.output("step0/neg_text_idx")
        let logits = [
            try model.matchLogits(texts, tokens: images.tokens),
            try model.matchLogits(texts, tokens: images.tokens[hardImages]),
            try model.matchLogits(texts.rows(hardTexts), tokens: images.tokens),
        ]
        try golden.expect(Tensor.concatenated(logits), equals: "step0/itm_logits")

        // The same positives, each text read on its own in both forms.
        for form in FusionForm.allCases {
            let ones = try (0..<texts.states.size(0)).map { index in
                try model.matchLogits(
                    texts.rows(Tensor([index])),
                    withEach: ImageTokens(images.tokens[index..<index + 1]),
                    form: form)
            }
            #expect(
                Tensor.concatenated(ones).isClose(to: logits[0], relative: 1e-4, absolute: 1e-5))
        }

        let masked = model.textEncoder.encode(try golden.output("step0/mlm_input_ids"), mask: mask)
        let fused = model.textEncoder.fuse(masked, mask: mask, image: images.tokens)
        let head = try #require(model.maskedLanguage)
        try golden.expect(head(fused), equals: "step0/mlm_logits")
    }

    @Test("Every token's projection equals that of LAVIS's feature extractor")
    func featureExtractor() throws {
        let golden = try GoldenSet("lavis-features")
        let model = try GoldenSet("lavis-pretraining").model(.lavis, .pretraining)
        let mask = try golden.input("attention_mask")
        let images = try model.encodeImages(try golden.input("image"))
        let texts = try model.encodeTexts(try golden.input("input_ids"), mask: mask)
        let alignment = try #require(model.alignment)
        try golden.expect(images.tokens, equals: "image_embeds")
        try golden.expect(
            alignment.visionProjection(images.tokens).normalized(), equals: "image_embeds_proj")
        try golden.expect(texts.states, equals: "text_embeds")
        try golden.expect(
            alignment.textProjection(texts.states).normalized(), equals: "text_embeds_proj")
        let fused = model.textEncoder.fuse(texts.states, mask: mask, image: images.tokens)
        try golden.expect(fused, equals: "multimodal_embeds")
    }
}

@Suite("Position embeddings for another image size")
struct PositionInterpolationTests {
    @Test(arguments: ["3to5", "14to16", "16to24", "24to16"])
    func asTheReferenceResizesThem(_ name: String) throws {
        let golden = try GoldenSet("positions")
        let positions = try golden.input("pos_\(name)/in")
        let expected = try golden.output("pos_\(name)/out")
        let resized = CheckpointParameters.interpolated(
            positions, to: .init(imageSize: 16 * side(of: expected)))
        try golden.expect(resized, equals: "pos_\(name)/out")
    }

    /// The number of patches along one side for positions `[1, P + 1, D]`.
    private func side(of positions: Tensor) -> Int {
        Int(Double(positions.size(1) - 1).squareRoot().rounded())
    }
}
