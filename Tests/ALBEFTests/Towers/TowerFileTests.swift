import ALBEF
import Foundation
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Published weights in every container")
struct TowerFileTests {
    @Test(
        "One tower is the same in every container",
        arguments: [
            "pytorch_model.bin", "legacy.pth", "module.pth", "compiled.pth", "both.pth",
            "model.pth",
            "model-prefix.safetensors", "model.safetensors", "namespace.pth", "omegaconf.pth",
            "sharded", "sharded-bin",
        ])
    func containers(_ name: String) throws {
        let fixture = try TowerFixture("containers")
        try fixture.expect(Self.tokens(fixture, name), equals: "tokens")
    }

    @Test(
        "Half precision is read exactly",
        arguments: [
            ("half.safetensors", "expected-half"), ("half.pth", "expected-half"),
            ("bfloat16.safetensors", "expected-bfloat16"),
        ])
    func precision(_ name: String, _ expected: String) throws {
        let fixture = try TowerFixture("containers", expected: expected)
        try fixture.expect(Self.tokens(fixture, name), equals: "tokens")
    }

    @Test(
        "Unsupported weights are rejected with a suggestion",
        arguments: [
            ("calls.pth", "__builtin__.print"), ("mobileclip.safetensors", "OpenCLIP form"),
            ("resnet-chinese-clip.safetensors", "use one with a ViT"),
            ("resnet-clip.safetensors", "use one with a ViT"),
            ("torchscript.pt", "TorchScript"), ("unknown.safetensors", "known layout"),
            ("vit-average-pooled.safetensors", "averages its patches"),
            ("vit-no-configuration.safetensors", "\"architecture\""),
            ("vit-registers.safetensors", "register tokens"), ("vit-swiglu.safetensors", "SwiGLU"),
        ])
    func refused(_ name: String, _ reason: String) throws {
        let file = Fixtures.path("towers/refused/\(name)")
        let error = #expect(throws: (any Error).self) {
            try TowerModel(
                image: file, text: Fixtures.path("towers/minilm"), generator: Generator(seed: 1))
        }
        let message = error.map { "\($0)" } ?? ""
        #expect(message.contains(reason) && message.contains(name), "\(message)")
    }

    @Test("Tied tensors that differ are rejected by name")
    func tied() throws {
        let file = Fixtures.path("towers/bert-tied/differs.safetensors")
        let error = #expect(throws: ModelFileError.self) {
            try TowerModel(
                image: Fixtures.path("towers/timm-vit"), text: file, generator: Generator(seed: 1))
        }
        #expect(error?.description.contains("tied") == true)
    }

    @Test(
        "A missing key that the tensors do not determine is named",
        arguments: [
            ("minilm", "num_attention_heads"), ("minilm", "hidden_act"),
            ("minilm", "layer_norm_eps"), ("minilm", "pad_token_id"),
            ("hf-vit", "num_attention_heads"), ("hf-vit", "layer_norm_eps"),
            ("hf-vit", "hidden_act"),
            ("timm-vit", "architecture"), ("hf-clip", "text_config"), ("hf-siglip", "text_config"),
            ("open-clip", "model_cfg"), ("open-siglip", "text_cfg"),
        ])
    func missingKey(_ name: String, _ key: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let copy = folder.appending("copy")
            try FileManager.default.copyItem(
                atPath: Fixtures.path("towers/\(name)").string, toPath: copy.string)
            let document = copy.appending(
                name.hasPrefix("open") ? "open_clip_config.json" : "config.json")
            let text = try String(contentsOfFile: document.string, encoding: .utf8)
            let changed = text.replacing("\"\(key)\"", with: "\"x_\(key)\"")
            #expect(changed != text)
            try changed.write(toFile: document.string, atomically: true, encoding: .utf8)
            let error = #expect(throws: ModelFileError.self) {
                let isText = name == "minilm"
                if try TowerModel.recognizes(copy), name.contains("clip") || name.contains("siglip")
                {
                    _ = try TowerModel(importing: copy)
                } else {
                    _ = try TowerModel(
                        image: isText ? Fixtures.path("towers/timm-vit") : copy,
                        text: isText ? copy : Fixtures.path("towers/minilm"),
                        generator: Generator(seed: 1))
                }
            }
            #expect(error?.description.contains(key) == true, "\(error?.description ?? "")")
        }
    }

    private static func tokens(_ fixture: TowerFixture, _ name: String) throws -> Tensor {
        // Shards lie in folders of their own, which have no document.
        let path = fixture.path.appending(name)
        let start = try TowerModel(
            image: path, text: Fixtures.path("towers/minilm"), generator: Generator(seed: 1))
        return try start.model().visualEncoder(fixture.input("pixel_values"))
    }
}
