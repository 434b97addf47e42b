import ALBEF
import Downloads
import Foundation
import Testing

@Suite("The catalogue of published models")
struct ModelCatalogTests {
    private let catalog = ModelCatalog.published

    @Test("Every entry is listed once, and no two files have the same address")
    func entries() {
        let entries = catalog.entries
        #expect(entries.count == 14 + 4 + 4 + 4 + 2 + 5 + 8)
        #expect(Set(entries.map(\.name)).count == entries.count)
        let files = entries.flatMap(\.parts).flatMap(\.alternatives)
        #expect(Set(files.map(\.address)).count == files.count)
        #expect(files.allSatisfy { $0.address.scheme == "https" })
        #expect(entries.filter { $0.dialect == .albef }.count == 7)
        #expect(entries.filter { $0.dialect == .lavis }.count == 5)
        for entry in entries {
            #expect(!entry.parts.isEmpty && entry.parts.allSatisfy { !$0.alternatives.isEmpty })
            #expect(entry.isFolder == entry.name.contains("/"))
            #expect(!entry.abilities.isEmpty || !entry.isFolder)
            // Only the weights are checkpoints, and they come last.
            let isWeights = entry.parts.map { part in
                part.alternatives.allSatisfy { $0.content == .checkpoint }
            }
            let hasWeights = entry.purpose != .vocabulary
            #expect(isWeights.filter { $0 }.count == (hasWeights ? 1 : 0))
            #expect(isWeights.last == hasWeights)
            #expect((entry.parameters > 0) == hasWeights)
            #expect(entry.downloadSize >= entry.memorySize)
            if let vocabulary = entry.vocabulary {
                #expect(catalog[vocabulary]?.purpose == .vocabulary)
            }
            let hasHash = entry.parts.flatMap(\.alternatives).contains { $0.sha256 != nil }
            #expect(hasHash == !hasWeights, "only vocabularies are published with a digest")
        }
    }

    @Test("Entries list their abilities")
    func abilities() throws {
        let coco = try #require(catalog["albef-coco"])
        #expect(coco.abilities == [.search, .rerank, .classify, .start])
        #expect(coco.parts.first?.alternatives.first?.name == "mscoco.pth")
        #expect(
            coco.parts.first?.alternatives.first?.address.absoluteString
                == "https://storage.googleapis.com/sfr-pcl-data-research/ALBEF/mscoco.pth")
        #expect(catalog["albef-vqa"]?.abilities == [])
        #expect(catalog["openai/clip-vit-base-patch16"]?.abilities.contains(.rerank) == false)
        let blip = try #require(catalog["Salesforce/blip-itm-base-coco"])
        #expect(blip.abilities.contains(.rerank) && blip.vocabulary == nil)
        #expect(catalog["albef"] == nil)
        #expect(catalog["facebook/deit-base-patch16-224"]?.isModel == false)
        #expect(catalog["OFA-Sys/chinese-clip-vit-base-patch16"]?.languages == ["zh"])
    }

    @Test("A mirror has folders under the names of entries, and single files in its root")
    func mirror() throws {
        let base = try #require(URL(string: "http://127.0.0.1:8000/models/"))
        let mirror = catalog.mirrored(at: base)
        func addresses(_ name: String) -> [String] {
            mirror[name]?.parts.flatMap(\.alternatives).map(\.address.absoluteString) ?? []
        }
        #expect(
            addresses("bert-base-chinese")
                == ["http://127.0.0.1:8000/models/bert-base-chinese-vocab.txt"])
        #expect(
            addresses("facebook/deit-base-patch16-224").last
                == "http://127.0.0.1:8000/models/facebook/deit-base-patch16-224/pytorch_model.bin")
        func digests(_ catalog: ModelCatalog) -> [String?] {
            catalog.entries.flatMap(\.parts).flatMap(\.alternatives).map(\.sha256)
        }
        #expect(digests(mirror) == digests(catalog))
    }

    @Test("The environment names mirrors, and a wrong address is an error that names the variable")
    func environment() throws {
        func address(_ name: String, _ environment: [String: String]) throws -> String? {
            try catalog.fetched(in: environment)[name]?.parts.last?.alternatives.first?.address
                .absoluteString
        }
        let clip = "openai/clip-vit-base-patch16"
        let own = "https://huggingface.co/\(clip)/resolve/main/model.safetensors"
        #expect(try address(clip, [:]) == own)
        #expect(try address(clip, ["HF_ENDPOINT": "", "ALBEF_MIRROR": ""]) == own)
        for endpoint in ["https://hf.example", "https://hf.example/"] {
            #expect(
                try address(clip, ["HF_ENDPOINT": endpoint])
                    == "https://hf.example/\(clip)/resolve/main/model.safetensors")
        }
        #expect(
            try address(clip, ["HF_ENDPOINT": "http://proxy.example:80/hf"])
                == "http://proxy.example:80/hf/\(clip)/resolve/main/model.safetensors")
        let coco = try address("albef-coco", ["HF_ENDPOINT": "https://hf.example"])
        #expect(coco?.hasPrefix("https://storage.googleapis.com/") == true)
        let both = ["HF_ENDPOINT": "https://hf.example", "ALBEF_MIRROR": "http://lan/m"]
        #expect(try address(clip, both) == "http://lan/m/\(clip)/model.safetensors")
        #expect(try address("albef-coco", both) == "http://lan/m/mscoco.pth")
        for wrong in ["lan", "ftp://lan", "http://", "/srv/models"] {
            let error = #expect(throws: ModelNameError.self) {
                try catalog.fetched(in: ["ALBEF_MIRROR": wrong])
            }
            #expect(error?.description.contains("ALBEF_MIRROR") == true, "\(wrong)")
        }
    }

    @Test(
        "A name that is nearly right gets the right one",
        arguments: [
            ("clip-vit-base-patch16", "openai/clip-vit-base-patch16"),
            ("openai/clip-vit-base-patch-16", "openai/clip-vit-base-patch16"),
            ("OpenAI/CLIP-ViT-Base-Patch16", "openai/clip-vit-base-patch16"),
            ("albef_coco", "albef-coco"), ("albef-flikr30k", "albef-flickr30k"),
            ("deit-base-patch16-224", "facebook/deit-base-patch16-224"),
            ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"),
            ("siglip2-so400m", "google/siglip2-so400m-patch14-384"),
        ])
    func near(_ typed: String, _ name: String) {
        #expect(catalog.names(near: typed).first == name)
        let error = #expect(throws: ModelNameError.self) { try catalog.entry(named: typed) }
        #expect(error?.description.contains("'\(name)'") == true)
        #expect(error?.description.contains("albef models list") == true)
    }

    @Test(
        "Other names are refused with the reason", arguments: ["", "/", "model", "你好", "..", "x/y"])
    func unknown(_ name: String) {
        #expect(catalog.names(near: name).isEmpty)
        let error = #expect(throws: ModelNameError.self) { try catalog.entry(named: name) }
        #expect(error?.description.contains("albef models list") == true)
    }

    @Test("A model outside the catalogue is not downloaded from anywhere")
    func foreign() {
        for name in ["hf:someone/model", "https://example.com/model.pth", "hf://a/b"] {
            let error = #expect(throws: ModelNameError.self) { try catalog.entry(named: name) }
            #expect(error?.description.contains("not downloaded") == true, "\(name)")
        }
        for prefix in ["hf:", "https://huggingface.co/"] {
            let error = #expect(throws: ModelNameError.self) {
                try catalog.entry(named: prefix + "google/siglip2-base-patch16-224")
            }
            #expect(error?.description.hasPrefix("'google/siglip2-base-patch16-224'") == true)
        }
    }
}
