import OrderedCollections
import SystemPackage
import Torch
import WeightFiles

/// A layout in which other projects publish towers, recognised by the names of its tensors.
enum TowerLayout: Hashable {
    /// timm's ViT, which DeiT and the original ALBEF and BLIP also use, and timm's image towers of
    /// CLIP and SigLIP.
    case timm
    /// Hugging Face's ViT and DeiT, with the names up to transformers 5.17.
    case huggingFaceViT
    /// Hugging Face's ViT and DeiT, with the names after transformers 5.17.
    case huggingFaceNewViT
    /// BERT and models of its architecture, such as RoBERTa-wwm and MiniLM.
    case bert
    /// OpenAI's CLIP, and OpenCLIP without a `text.` prefix.
    case openCLIP
    /// OpenCLIP with its text tower under `text.`.
    case openCLIPText
    /// OpenCLIP with an image tower of timm, such as SigLIP.
    case openCLIPTimm
    /// Hugging Face's CLIP.
    case huggingFaceCLIP
    /// The image tower of Hugging Face's CLIP alone.
    case huggingFaceCLIPImage
    /// Hugging Face's SigLIP, and SigLIP 2 of a fixed resolution.
    case huggingFaceSigLIP
    /// The image tower of Hugging Face's SigLIP alone.
    case huggingFaceSigLIPImage
    /// Chinese-CLIP's own layout.
    case chineseCLIP
    /// Hugging Face's Chinese-CLIP.
    case huggingFaceChineseCLIP
    /// BLIP's own layout.
    case blip
    /// Hugging Face's BLIP for retrieval.
    case huggingFaceBLIP

    /// Recognises the layout of a file.
    ///
    /// - Throws: ``ModelFileError`` if the layout is unknown or not supported; if the file is
    ///   recognised, the error names it and suggests another.
    init(_ file: TowerFile) throws {
        guard let layout = try Self.known(file) else {
            throw ModelFileError(
                file.path,
                .configuration(
                    "does not have a known layout; its tensors include "
                        + file.elements.values.prefix(3).map(\.source).joined(separator: ", ")))
        }
        self = layout
    }

    /// Returns the layout of a file; nil if it is unknown.
    ///
    /// - Throws: ``ModelFileError`` if the file is recognised, but not supported.
    static func known(_ file: TowerFile) throws -> TowerLayout? {
        if let refusal = refusal(file) {
            throw ModelFileError(file.path, .configuration(refusal))
        }
        return signs.first { _, names in names.allSatisfy(file.has) }?.layout
    }

    /// Whether the layout has an image tower and a text tower.
    var hasBothTowers: Bool {
        switch self {
        case .timm, .huggingFaceViT, .huggingFaceNewViT, .bert, .huggingFaceCLIPImage,
            .huggingFaceSigLIPImage:
            false
        default: true
        }
    }

    /// The tensors that identify each layout; the first match counts.
    private static let signs: [(layout: TowerLayout, names: [String])] = [
        (
            .blip,
            [
                "text_encoder.encoder.layer.0.crossattention.self.query.weight",
                "visual_encoder.blocks.0.norm1.weight",
            ]
        ),
        (
            .huggingFaceBLIP,
            [
                "text_encoder.encoder.layer.0.crossattention.self.query.weight",
                "vision_model.encoder.layers.0.self_attn.qkv.weight",
            ]
        ),
        (
            .chineseCLIP,
            ["visual.class_embedding", "bert.embeddings.word_embeddings.weight"]
        ),
        (
            .openCLIP,
            ["visual.class_embedding", "transformer.resblocks.0.attn.in_proj_weight"]
        ),
        (.openCLIPText, ["visual.class_embedding", "text.ln_final.weight"]),
        (.openCLIPTimm, ["visual.trunk.patch_embed.proj.weight", "text.ln_final.weight"]),
        (
            .huggingFaceChineseCLIP,
            [
                "vision_model.embeddings.class_embedding",
                "text_model.embeddings.word_embeddings.weight",
            ]
        ),
        (
            .huggingFaceCLIP,
            [
                "vision_model.embeddings.class_embedding",
                "text_model.embeddings.token_embedding.weight",
            ]
        ),
        (
            .huggingFaceSigLIP,
            ["vision_model.head.probe", "text_model.embeddings.token_embedding.weight"]
        ),
        (.huggingFaceCLIPImage, ["vision_model.embeddings.class_embedding"]),
        (
            .huggingFaceCLIPImage,
            ["embeddings.class_embedding", "encoder.layers.0.self_attn.q_proj.weight"]
        ),
        (.huggingFaceSigLIPImage, ["vision_model.head.probe"]),
        (
            .huggingFaceSigLIPImage, ["head.probe", "encoder.layers.0.self_attn.q_proj.weight"]
        ),
        (.timm, ["blocks.0.attn.qkv.weight", "patch_embed.proj.weight"]),
        (
            .huggingFaceViT,
            [
                "embeddings.patch_embeddings.projection.weight",
                "encoder.layer.0.layernorm_before.weight",
            ]
        ),
        (
            .huggingFaceNewViT,
            ["embeddings.patch_embeddings.projection.weight", "layers.0.layernorm_before.weight"]
        ),
        // The words may exist only under the name of the decoder, which is tied to them.
        (.bert, ["embeddings.position_embeddings.weight", "embeddings.LayerNorm.weight"]),
    ]

    /// Returns why a recognised file is not supported, and what to use instead; nil for all others.
    private static func refusal(_ file: TowerFile) -> String? {
        func any(_ matches: (String) -> Bool) -> Bool {
            file.elements.keys.contains(where: matches)
        }
        if file.has("visual.layer1.0.conv1.weight") {
            return "is a CLIP whose image tower is a ResNet, which is not supported; use one with a"
                + " ViT, such as ViT-B-16"
        }
        if any({ $0.hasPrefix("image_encoder.model.patch_emb") }) {
            return "is Apple's own form of MobileCLIP, which is not supported; use the OpenCLIP"
                + " form of MobileCLIP2-B or -L-14"
        }
        if let patches = file.tensor("vision_model.embeddings.patch_embedding.weight"),
            patches.shape.count == 2
        {
            return "is a NaFlex model with images of any aspect ratio, which is not supported; use"
                + " the SigLIP 2 of a fixed resolution, such as google/siglip2-base-patch16-224"
        }
        let strange = [
            ("reg_token", "has register tokens"), ("attn.q_norm.weight", "normalises its queries"),
            ("mlp.w12.weight", "has gated MLPs (SwiGLU)"),
        ]
        for (ending, what) in strange where any({ $0.hasSuffix(ending) }) {
            return "\(what), which is not supported"
        }
        if file.has("fc_norm.weight"), !file.has("norm.weight") {
            return "is a ViT that averages its patches before the last norm, which is not"
                + " supported; use one with a class token"
        }
        return nil
    }
}
