import ALBEF
import Foundation
import OrderedCollections
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Published models for search")
struct WholeModelTests {
    @Test(
        "Features, tokens and logits of CLIP and its relatives equal Python's",
        arguments: [
            "hf-clip", "hf-clip-eos2", "open-clip", "open-clip-quick", "open-clip-custom",
            "open-clip-timm", "hf-chinese-clip",
        ])
    func clip(_ name: String) throws {
        let fixture = try TowerFixture(name)
        let imported = try TowerModel(importing: fixture.path)
        #expect(imported.configuration.task == .alignment)
        #expect(imported.configuration.dialect == .clip)
        let logits = try Self.logits(imported, fixture)
        try fixture.expect(logits, equals: "logits_per_text")
        try fixture.expect(logits.softmax(0).transposed(), equals: "probabilities_per_image")
        try fixture.expect(logits.softmax(1), equals: "probabilities_per_text")
    }

    @Test(
        "SigLIP gives each pair a probability of its own", arguments: ["hf-siglip", "open-siglip"])
    func siglip(_ name: String) throws {
        let fixture = try TowerFixture(name)
        let imported = try TowerModel(importing: fixture.path)
        #expect(imported.configuration.dialect == .siglip)
        #expect(imported.configuration.text.paddedLength == 10)
        let logits = try Self.logits(imported, fixture)
        try fixture.expect(logits, equals: "logits_per_text")
        try fixture.expect(logits.sigmoid(), equals: "probabilities")
    }

    @Test("Chinese-CLIP in its own layout, with and without flash attention")
    func chineseCLIP() async throws {
        for file in ["clip_cn.pt", "flash.pt"] {
            try await withDocument("chinese-clip", "hf-chinese-clip") { fixture, folder in
                let imported = try TowerModel(importing: folder.appending(file))
                let logits = try Self.logits(imported, fixture)
                try fixture.expect(logits, equals: "logits_per_text")
            }
        }
    }

    @Test("BLIP reads a pair in all its layers", arguments: ["hf-blip", "blip"])
    func blip(_ name: String) async throws {
        try await withDocument(name, "hf-blip") { fixture, folder in
            let file = name == "blip" ? "model_base_retrieval.pth" : ""
            let imported = try TowerModel(
                importing: file.isEmpty ? folder : folder.appending(file))
            #expect(imported.configuration.dialect == .blip)
            try Self.expectPairs(imported, fixture, "itm_logits_enc")
            // Hugging Face's class and BLIP's demonstration keep the first token.
            var plain = imported.configuration
            plain.text.matchingToken = nil
            try Self.expectPairs(imported, fixture, "itm_logits", plain)
        }
    }

    private static func expectPairs(
        _ imported: TowerModel, _ fixture: TowerFixture, _ name: String,
        _ configuration: ALBEFConfiguration? = nil
    ) throws {
        let model = try ALBEFModel(
            configuration ?? imported.configuration, parameters: Given(imported))
        let images = try model.encodeImages(fixture.input("pixel_values"))
        let texts = try model.encodeTexts(
            fixture.input("input_ids"), mask: fixture.input("attention_mask"))
        try fixture.expect(images.tokens, equals: "image_tokens")
        try fixture.expect(
            images.features.matmul(texts.features.transposed()), equals: "cosine")
        let rows = (0..<images.tokens.size(0)).map { image in
            Result {
                try model.matchLogits(each: texts, withOne: images.tokens[image..<image + 1])
            }
        }
        try fixture.expect(Tensor.stacked(try rows.map { try $0.get() }), equals: name)
        for form in FusionForm.allCases {
            let first = try model.matchLogits(
                texts.rows(Tensor([0])), withEach: ImageTokens(images.tokens), form: form)
            let wanted = try fixture.output(name)[.all, 0]
            #expect((first - wanted).abs().max().scalar() < 2e-5, "\(form)")
        }
    }

    private static func logits(_ imported: TowerModel, _ fixture: TowerFixture) throws -> Tensor {
        let model = try imported.model()
        let images = try model.encodeImages(fixture.input("pixel_values"))
        let (ids, mask) = (try fixture.input("input_ids"), try fixture.input("attention_mask"))
        let texts = try model.encodeTexts(ids, mask: mask)
        try fixture.expect(images.features, equals: "image_features_normalised")
        try fixture.expect(texts.features, equals: "text_features_normalised")
        if imported.configuration.vision.normalizesTokens, fixture.has("image_tokens") {
            try fixture.expect(images.tokens, equals: "image_tokens")
        }
        // What padding attends to is the models' own affair behind a padding mask.
        let rows =
            imported.configuration.text.attention == .unpadded
            ? mask.unsqueezed(-1).to(.float32) : nil
        try fixture.expect(texts.states, equals: "text_tokens", where: rows)
        return try model.similarityLogits(texts.features, images.features)
    }
}

/// Gives a body a copy of a fixture's folder with the document of another one beside the weights.
func withDocument(
    _ name: String, _ other: String, _ body: (TowerFixture, FilePath) throws -> Void
) async throws {
    let fixture = try TowerFixture(name)
    try await Fixtures.withTemporaryFolder { folder in
        let copy = folder.appending("copy")
        let manager = FileManager.default
        try manager.copyItem(atPath: fixture.path.string, toPath: copy.string)
        let document = copy.appending("config.json").string
        if !manager.fileExists(atPath: document) {
            try manager.copyItem(
                atPath: Fixtures.path("towers/\(other)/config.json").string, toPath: document)
        }
        try body(fixture, copy)
    }
}

private struct Given: ParameterSource {
    let model: TowerModel

    init(_ model: TowerModel) { self.model = model }

    func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
        try #require(model.parameters[name])
    }
}
