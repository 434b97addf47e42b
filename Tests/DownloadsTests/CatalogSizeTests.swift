import ALBEF
import Downloads
import Testing

/// Compares the catalogue's numbers of parameters with the shapes of the architectures.
@Suite("Sizes of the catalogue")
struct CatalogSizeTests {
    private static func count(_ configuration: ALBEFConfiguration) -> Int {
        ParameterLayout(configuration).parameters.reduce(0) { sum, parameter in
            sum + parameter.shape.reduce(1, *)
        }
    }

    private static func expect(
        _ name: String, _ configuration: ALBEFConfiguration,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            ModelCatalog.published[name]?.parameters == count(configuration), "\(name)",
            sourceLocation: sourceLocation)
    }

    @Test("ALBEF and LAVIS", arguments: [Dialect.albef, .lavis])
    func original(_ dialect: Dialect) {
        func model(
            _ task: ALBEFConfiguration.Task, side: Int = 384, layers: Int = 12
        ) -> ALBEFConfiguration {
            ALBEFConfiguration(
                dialect: dialect, task: task, vision: .init(imageSize: side),
                text: .init(depth: layers))
        }
        if dialect == .lavis {
            Self.expect("lavis-coco", model(.retrieval))
            Self.expect("lavis-flickr30k", model(.retrieval))
            Self.expect("lavis-ve", model(.entailment))
            Self.expect("lavis-nlvr", model(.nlvr, layers: 18))
            Self.expect("lavis-vqa", model(.vqa))
            return
        }
        Self.expect("albef-14m", model(.pretraining, side: 256))
        Self.expect("albef-4m", model(.pretraining, side: 256))
        Self.expect("albef-coco", model(.retrieval))
        Self.expect("albef-flickr30k", model(.retrieval))
        Self.expect("albef-refcoco", model(.grounding))
        Self.expect("albef-vqa", model(.vqa))
        // Entailment has three classes, and so needs three texts.
        let three = Self.count(model(.nlvr, side: 256, layers: 18)) + 769
        #expect(ModelCatalog.published["albef-nlvr-ta"]?.parameters == three)
    }

    private static func vision(
        _ patch: Int, _ side: Int, width: Int = 768, depth: Int = 12, mlp: Int? = nil
    ) -> ALBEFConfiguration.Vision {
        .init(
            imageSize: side, patchSize: patch, width: width, depth: depth, heads: 1,
            mlpWidth: mlp ?? 4 * width)
    }

    private static func clip(
        _ vision: ALBEFConfiguration.Vision, _ text: ALBEFConfiguration.Text, _ width: Int
    ) -> ALBEFConfiguration {
        var (vision, text) = (vision, text)
        vision.hasPatchBias = false
        vision.normalizesEmbeddings = true
        vision.projection = .matrix
        text.projection = .matrix
        text.fusionLayer = text.depth
        var model = ALBEFConfiguration(
            dialect: .clip, task: .alignment, vision: vision, text: text, embeddingWidth: width)
        model.text.hasTokenTypes = text.hasTokenTypes
        return model
    }

    private static func words(_ width: Int) -> ALBEFConfiguration.Text {
        var text = ALBEFConfiguration.Text(
            vocabularySize: 49_408, width: width, heads: 1, mlpWidth: 4 * width, positions: 77)
        text.normPlacement = .before
        text.hasTokenTypes = false
        return text
    }

    @Test("CLIP") func clip() {
        let small = Self.clip(Self.vision(32, 224), Self.words(512), 512)
        let base = Self.clip(Self.vision(16, 224), Self.words(512), 512)
        Self.expect("openai/clip-vit-base-patch32", small)
        Self.expect("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", small)
        Self.expect("openai/clip-vit-base-patch16", base)
        Self.expect("laion/CLIP-ViT-B-16-laion2B-s34B-b88K", base)
        for (name, side) in [("large-patch14", 224), ("large-patch14-336", 336)] {
            Self.expect(
                "openai/clip-vit-\(name)",
                Self.clip(Self.vision(14, side, width: 1024, depth: 24), Self.words(768), 768))
        }
    }

    @Test("Chinese-CLIP") func chineseCLIP() {
        let text = ALBEFConfiguration.Text(vocabularySize: 21_128)
        let wide = ALBEFConfiguration.Text(
            vocabularySize: 21_128, width: 1024, depth: 24, heads: 16, mlpWidth: 4096)
        let prefix = "OFA-Sys/chinese-clip-vit-"
        Self.expect("\(prefix)base-patch16", Self.clip(Self.vision(16, 224), text, 512))
        for (name, side) in [("large-patch14", 224), ("large-patch14-336px", 336)] {
            Self.expect(
                prefix + name,
                Self.clip(Self.vision(14, side, width: 1024, depth: 24), text, 768))
        }
        Self.expect(
            "\(prefix)huge-patch14",
            Self.clip(Self.vision(14, 224, width: 1280, depth: 32), wide, 1024))
    }

    @Test(
        "SigLIP",
        arguments: [
            ("siglip-base-patch16-224", 224, 32_000),
            ("siglip-base-patch16-256-multilingual", 256, 250_000),
            ("siglip2-base-patch16-224", 224, 256_000), ("siglip2-base-patch16-256", 256, 256_000),
            ("siglip2-so400m-patch14-384", 384, 256_000),
        ])
    func siglip(_ name: String, _ side: Int, _ words: Int) {
        let isLarge = name.contains("so400m")
        let (width, depth, mlp) = isLarge ? (1152, 27, 4304) : (768, 12, 3072)
        // 384 is not a multiple of 14, so the patches are those of 378 pixels.
        var vision = Self.vision(
            isLarge ? 14 : 16, isLarge ? 378 : side, width: width, depth: depth, mlp: mlp)
        vision.hasClassToken = false
        vision.pooling = .attention
        vision.projection = .none
        var text = ALBEFConfiguration.Text(
            vocabularySize: words, width: width, depth: depth, fusionLayer: depth, heads: 1,
            mlpWidth: mlp, positions: 64)
        text.normPlacement = .before
        Self.expect(
            "google/\(name)",
            ALBEFConfiguration(
                dialect: .siglip, task: .alignment, vision: vision, text: text,
                embeddingWidth: width))
    }

    @Test("BLIP", arguments: [("base", 768, 12), ("large", 1024, 24)])
    func blip(_ size: String, _ width: Int, _ depth: Int) {
        let model = ALBEFConfiguration(
            dialect: .blip, task: .retrieval,
            vision: Self.vision(16, 384, width: width, depth: depth),
            text: .init(vocabularySize: 30_524, fusionLayer: 0))
        Self.expect("Salesforce/blip-itm-\(size)-coco", model)
        Self.expect("Salesforce/blip-itm-\(size)-flickr", model)
    }

    @Test("Towers") func towers() {
        func tower(_ part: String, _ model: ALBEFConfiguration) -> Int {
            ParameterLayout(model).parameters.filter { $0.name.hasPrefix(part) }
                .reduce(0) { $0 + $1.shape.reduce(1, *) }
        }
        func expect(_ name: String, _ count: Int) {
            #expect(ModelCatalog.published[name]?.parameters == count, "\(name)")
        }
        let base = ALBEFConfiguration(vision: Self.vision(16, 224))
        let small = ALBEFConfiguration(vision: Self.vision(16, 224, width: 384))
        expect("facebook/deit-base-patch16-224", tower("visual_encoder", base))
        expect("google/vit-base-patch16-224-in21k", tower("visual_encoder", base))
        expect("facebook/deit-small-patch16-224", tower("visual_encoder", small))
        func bert(_ text: ALBEFConfiguration.Text) -> Int {
            var text = text
            text.fusionLayer = text.depth
            return tower("text_encoder", ALBEFConfiguration(task: .retrieval, text: text))
        }
        expect("google-bert/bert-base-uncased", bert(.init()))
        expect("google-bert/bert-base-chinese", bert(.init(vocabularySize: 21_128)))
        expect("hfl/chinese-roberta-wwm-ext", bert(.init(vocabularySize: 21_128)))
        expect(
            "sentence-transformers/all-MiniLM-L6-v2",
            bert(.init(width: 384, depth: 6, mlpWidth: 1536)))
        expect(
            "timm/efficientnet_lite0.ra_in1k",
            EfficientNetConfiguration(.variant(.lite0), convention: .timm).parameters()
                .reduce(0) { $0 + $1.shape.reduce(1, *) })
    }
}
