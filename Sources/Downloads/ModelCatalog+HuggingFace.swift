import ALBEF
import Foundation

/// The models and towers on Hugging Face, each of which is a folder of files.
///
/// The name of an entry is the name of its folder.
extension ModelCatalog {
    /// The address of Hugging Face.
    static let huggingFace = "https://huggingface.co"

    /// A file that a folder must or may have, with its possible names.
    private struct Need {
        let names: [String]
        let isRequired: Bool

        static func one(of names: String...) -> Need { Need(names: names, isRequired: true) }
        static func maybe(_ name: String) -> Need { Need(names: [name], isRequired: false) }
    }

    /// The files in one kind of folder.
    ///
    /// The weights come last, because they are by far the largest file.
    private enum Layout {
        /// An image encoder of Hugging Face's classes, with the preparation of images.
        case image
        /// A text encoder of Hugging Face's classes, with a vocabulary of word pieces.
        case text
        /// Two encoders, with a vocabulary of word pieces.
        case pair
        /// Two encoders, with a tokenizer of another kind.
        case tokenized
        /// A model of OpenCLIP, which may also have the files of Hugging Face's classes.
        case openCLIP
        /// An image encoder of timm.
        case timm

        var needs: [Need] {
            let weights = Need.one(of: "model.safetensors", "pytorch_model.bin")
            switch self {
            case .image:
                return [
                    .one(of: "config.json"), .maybe("preprocessor_config.json"), weights,
                ]
            case .text:
                return [
                    .one(of: "config.json"), .maybe("tokenizer_config.json"),
                    .one(of: "vocab.txt"), weights,
                ]
            case .pair:
                return [
                    .one(of: "config.json"), .one(of: "preprocessor_config.json"),
                    .maybe("tokenizer_config.json"), .one(of: "vocab.txt"), weights,
                ]
            case .tokenized:
                return [
                    .one(of: "config.json"), .one(of: "preprocessor_config.json"),
                    .maybe("tokenizer_config.json"), .one(of: "tokenizer.json", "spiece.model"),
                    weights,
                ]
            case .openCLIP:
                return [
                    .maybe("config.json"), .maybe("preprocessor_config.json"),
                    .one(of: "open_clip_config.json"), .maybe("tokenizer_config.json"),
                    .one(of: "tokenizer.json"),
                    .one(
                        of: "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
                        "model.safetensors", "pytorch_model.bin"),
                ]
            case .timm: return [.one(of: "config.json"), weights]
            }
        }
    }

    private static func parts(of name: String, _ layout: Layout) -> [Part] {
        layout.needs.map { need in
            let files = need.names.compactMap { file -> File? in
                guard let address = URL(string: "\(huggingFace)/\(name)/resolve/main/\(file)")
                else { return nil }
                let content: DownloadContent =
                    switch file.split(separator: ".").last {
                    case "json": .document
                    case "txt", "model": .text
                    default: .checkpoint
                    }
                return File(name: file, address: address, content: content)
            }
            return Part(files, isRequired: need.isRequired)
        }
    }

    /// The properties that the entries of one kind have in common.
    private struct Family {
        var purpose = Purpose.retrieval
        var abilities: [Ability] = [.search, .classify, .start]
        let licence: String
        var dialect: Dialect?
        let layout: Layout

        func entry(
            _ name: String, _ summary: String, _ language: String?, _ parameters: Int,
            downloadSize: Int64? = nil
        ) -> Entry {
            Entry(
                name: name, summary: summary, purpose: purpose, abilities: abilities,
                languages: language.map { [$0] } ?? [], licence: licence, dialect: dialect,
                parts: ModelCatalog.parts(of: name, layout), isFolder: true,
                parameters: parameters, downloadSize: downloadSize)
        }
    }

    static let blip: [Entry] = {
        let family = Family(
            abilities: [.search, .rerank, .classify], licence: "BSD-3-Clause", dialect: .blip,
            layout: .pair)
        return [
            ("base-coco", "ViT-B/16, fine-tuned on COCO", 223_744_259),
            ("base-flickr", "ViT-B/16, fine-tuned on Flickr30K", 223_744_259),
            ("large-coco", "ViT-L/16, fine-tuned on COCO", 446_128_643),
            ("large-flickr", "ViT-L/16, fine-tuned on Flickr30K", 446_128_643),
        ].map { family.entry("Salesforce/blip-itm-\($0)", $1, "en", $2) }
    }()

    static let chineseCLIP: [Entry] = {
        let family = Family(licence: "MIT", dialect: .clip, layout: .pair)
        return [
            ("base-patch16", "ViT-B/16, 224 pixels", 188_262_913),
            ("large-patch14", "ViT-L/14, 224 pixels", 406_233_089),
            ("large-patch14-336px", "ViT-L/14, 336 pixels", 406_560_769),
            ("huge-patch14", "ViT-H/14, 224 pixels", 957_598_209),
        ].map { family.entry("OFA-Sys/chinese-clip-vit-\($0)", $1, "zh", $2) }
    }()

    static let openAI: [Entry] = {
        let family = Family(licence: "MIT", dialect: .clip, layout: .tokenized)
        return [
            ("base-patch32", "ViT-B/32, 224 pixels", 151_277_313),
            ("base-patch16", "ViT-B/16, 224 pixels", 149_620_737),
            ("large-patch14", "ViT-L/14, 224 pixels", 427_616_513),
            ("large-patch14-336", "ViT-L/14, 336 pixels", 427_944_193),
        ].map { family.entry("openai/clip-vit-\($0)", $1, "en", $2) }
    }()

    static let laion: [Entry] = {
        let family = Family(licence: "MIT", dialect: .clip, layout: .openCLIP)
        return [
            ("B-32-laion2B-s34B-b79K", "ViT-B/32 trained on LAION-2B", 151_277_313),
            ("B-16-laion2B-s34B-b88K", "ViT-B/16 trained on LAION-2B", 149_620_737),
        ].map { family.entry("laion/CLIP-ViT-\($0)", $1, "en", $2) }
    }()

    static let sigLIP: [Entry] = {
        let family = Family(licence: "Apache-2.0", dialect: .siglip, layout: .tokenized)
        return [
            ("siglip-base-patch16-224", "SigLIP B/16, 224 pixels", "en", 203_155_970),
            (
                "siglip-base-patch16-256-multilingual", "SigLIP B/16, 256 pixels", "mul",
                370_626_050
            ),
            ("siglip2-base-patch16-224", "SigLIP 2 B/16, 224 pixels", "mul", 375_187_970),
            ("siglip2-base-patch16-256", "SigLIP 2 B/16, 256 pixels", "mul", 375_234_050),
            ("siglip2-so400m-patch14-384", "SigLIP 2 So400m/14, 384 pixels", "mul", 1_136_008_498),
        ].map { family.entry("google/\($0)", $1, $2, $3) }
    }()

    static let towers: [Entry] = {
        func family(_ purpose: Purpose, _ layout: Layout) -> Family {
            Family(purpose: purpose, abilities: [.start], licence: "Apache-2.0", layout: layout)
        }
        let image = family(.imageTower, .image)
        let text = family(.textTower, .text)
        return [
            image.entry(
                "facebook/deit-base-patch16-224", "DeiT-B/16 of ImageNet-1k", nil, 85_798_656),
            image.entry(
                "facebook/deit-small-patch16-224", "DeiT-S/16 of ImageNet-1k", nil, 21_665_664),
            image.entry(
                "google/vit-base-patch16-224-in21k", "ViT-B/16 of ImageNet-21k", nil, 85_798_656),
            // The number of parameters is without the batch norms, which are folded into the
            // convolutions, and without the classifier. The file has both.
            family(.imageTower, .timm).entry(
                "timm/efficientnet_lite0.ra_in1k", "EfficientNet-Lite0 of ImageNet-1k", nil,
                3_350_000, downloadSize: 18_776_096),
            text.entry("google-bert/bert-base-uncased", "BERT, 12 layers", "en", 108_891_648),
            text.entry("google-bert/bert-base-chinese", "BERT, 12 layers", "zh", 101_677_056),
            text.entry(
                "hfl/chinese-roberta-wwm-ext", "BERT trained on whole words, 12 layers", "zh",
                101_677_056),
            text.entry(
                "sentence-transformers/all-MiniLM-L6-v2", "MiniLM, 6 layers", "en", 22_565_376),
        ]
    }()
}
