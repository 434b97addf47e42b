/// The rules that map each layout's image tower to `visual_encoder`.
extension TowerLayout {
    /// The rules of the image tower; empty for a text model.
    var imageRules: [TensorRule] {
        let rules: [TensorRule]
        switch self {
        case .bert: return []
        case .timm: rules = Self.timmImage
        case .blip:
            rules = TensorRule.prefixed(Self.timmImage, source: "visual_encoder.", target: "")
        case .openCLIPTimm:
            rules = TensorRule.prefixed(Self.timmImage, source: "visual.trunk.", target: "")
        case .huggingFaceViT: rules = Self.huggingFaceImage
        case .huggingFaceNewViT: rules = Self.newHuggingFaceImage
        case .openCLIP, .openCLIPText, .chineseCLIP: rules = Self.openAIImage
        case .huggingFaceCLIP, .huggingFaceChineseCLIP, .huggingFaceSigLIP, .huggingFaceCLIPImage,
            .huggingFaceSigLIPImage:
            // transformers 5.6 and later save a tower alone without the prefix.
            rules =
                TensorRule.prefixed(Self.modernImage, source: "vision_model.", target: "")
                + (hasBothTowers ? [] : Self.modernImage)
        case .huggingFaceBLIP:
            rules = TensorRule.prefixed(Self.blipImage, source: "vision_model.", target: "")
        }
        return TensorRule.prefixed(rules, source: "", target: "visual_encoder.")
    }

    private static let timmImage: [TensorRule] =
        [
            "cls_token", "pos_embed", "patch_embed.proj.@", "norm_pre.@", "blocks.#.norm1.@",
            "blocks.#.norm2.@", "blocks.#.attn.qkv.@", "blocks.#.attn.proj.@",
            "blocks.#.mlp.fc1.@", "blocks.#.mlp.fc2.@", "norm.@", "attn_pool.latent",
            "attn_pool.q.@", "attn_pool.kv.@", "attn_pool.proj.@", "attn_pool.norm.@",
            "attn_pool.mlp.fc1.@", "attn_pool.mlp.fc2.@",
        ].map { TensorRule($0, $0) } + [
            // LayerScale, which is folded into the preceding projection.
            TensorRule("blocks.#.ls1.gamma", "blocks.#.attn.proj.scale"),
            TensorRule("blocks.#.gamma_1", "blocks.#.attn.proj.scale"),
            TensorRule("blocks.#.ls2.gamma", "blocks.#.mlp.fc2.scale"),
            TensorRule("blocks.#.gamma_2", "blocks.#.mlp.fc2.scale"),
        ]

    private static let huggingFaceEmbeddings = [
        TensorRule("embeddings.cls_token", "cls_token"),
        TensorRule("embeddings.position_embeddings", "pos_embed"),
        TensorRule("embeddings.patch_embeddings.projection.@", "patch_embed.proj.@"),
        TensorRule("layernorm.@", "norm.@"),
    ]

    private static let huggingFaceImage =
        huggingFaceEmbeddings
        + parts("encoder.layer.#.attention.attention.", ["query", "key", "value"])
        + [
            TensorRule("encoder.layer.#.layernorm_before.@", "blocks.#.norm1.@"),
            TensorRule("encoder.layer.#.layernorm_after.@", "blocks.#.norm2.@"),
            TensorRule("encoder.layer.#.attention.output.dense.@", "blocks.#.attn.proj.@"),
            TensorRule("encoder.layer.#.intermediate.dense.@", "blocks.#.mlp.fc1.@"),
            TensorRule("encoder.layer.#.output.dense.@", "blocks.#.mlp.fc2.@"),
        ]

    private static let newHuggingFaceImage =
        huggingFaceEmbeddings + parts("layers.#.attention.", ["q_proj", "k_proj", "v_proj"]) + [
            TensorRule("layers.#.layernorm_before.@", "blocks.#.norm1.@"),
            TensorRule("layers.#.layernorm_after.@", "blocks.#.norm2.@"),
            TensorRule("layers.#.attention.o_proj.@", "blocks.#.attn.proj.@"),
            TensorRule("layers.#.mlp.fc1.@", "blocks.#.mlp.fc1.@"),
            TensorRule("layers.#.mlp.fc2.@", "blocks.#.mlp.fc2.@"),
        ]

    private static let openAIImage = TensorRule.prefixed(
        [
            TensorRule("class_embedding", "cls_token"),
            TensorRule("positional_embedding", "pos_embed"),
            TensorRule("conv1.@", "patch_embed.proj.@"),
            TensorRule("ln_pre.@", "norm_pre.@"),
            TensorRule("transformer.resblocks.#.ln_1.@", "blocks.#.norm1.@"),
            TensorRule("transformer.resblocks.#.ln_2.@", "blocks.#.norm2.@"),
            TensorRule("transformer.resblocks.#.attn.in_proj_@", "blocks.#.attn.qkv.@"),
            // The name with flash attention.
            TensorRule("transformer.resblocks.#.attn.Wqkv.@", "blocks.#.attn.qkv.@"),
            TensorRule("transformer.resblocks.#.attn.out_proj.@", "blocks.#.attn.proj.@"),
            TensorRule("transformer.resblocks.#.mlp.c_fc.@", "blocks.#.mlp.fc1.@"),
            TensorRule("transformer.resblocks.#.mlp.c_proj.@", "blocks.#.mlp.fc2.@"),
            TensorRule("ln_post.@", "norm.@"),
        ], source: "visual.", target: "")

    /// CLIP, Chinese-CLIP and SigLIP in Hugging Face's layout.
    private static let modernImage =
        parts("encoder.layers.#.self_attn.", ["q_proj", "k_proj", "v_proj"]) + [
            TensorRule("embeddings.class_embedding", "cls_token"),
            TensorRule("embeddings.patch_embedding.@", "patch_embed.proj.@"),
            TensorRule("embeddings.position_embedding.weight", "pos_embed"),
            // The misspelling is Hugging Face's.
            TensorRule("pre_layrnorm.@", "norm_pre.@"),
            TensorRule("encoder.layers.#.layer_norm1.@", "blocks.#.norm1.@"),
            TensorRule("encoder.layers.#.layer_norm2.@", "blocks.#.norm2.@"),
            TensorRule("encoder.layers.#.self_attn.out_proj.@", "blocks.#.attn.proj.@"),
            TensorRule("encoder.layers.#.mlp.fc1.@", "blocks.#.mlp.fc1.@"),
            TensorRule("encoder.layers.#.mlp.fc2.@", "blocks.#.mlp.fc2.@"),
            TensorRule("post_layernorm.@", "norm.@"),
            TensorRule("head.probe", "attn_pool.latent"),
            TensorRule("head.attention.in_proj_@", "attn_pool.?.@", .split(["q", "kv", "kv"])),
            TensorRule("head.attention.out_proj.@", "attn_pool.proj.@"),
            TensorRule("head.layernorm.@", "attn_pool.norm.@"),
            TensorRule("head.mlp.fc1.@", "attn_pool.mlp.fc1.@"),
            TensorRule("head.mlp.fc2.@", "attn_pool.mlp.fc2.@"),
        ]

    private static let blipImage = [
        TensorRule("embeddings.class_embedding", "cls_token"),
        TensorRule("embeddings.patch_embedding.@", "patch_embed.proj.@"),
        TensorRule("embeddings.position_embedding", "pos_embed"),
        TensorRule("encoder.layers.#.layer_norm1.@", "blocks.#.norm1.@"),
        TensorRule("encoder.layers.#.layer_norm2.@", "blocks.#.norm2.@"),
        TensorRule("encoder.layers.#.self_attn.qkv.@", "blocks.#.attn.qkv.@"),
        TensorRule("encoder.layers.#.self_attn.projection.@", "blocks.#.attn.proj.@"),
        TensorRule("encoder.layers.#.mlp.fc1.@", "blocks.#.mlp.fc1.@"),
        TensorRule("encoder.layers.#.mlp.fc2.@", "blocks.#.mlp.fc2.@"),
        TensorRule("post_layernorm.@", "norm.@"),
    ]

    /// Returns rules that join separate queries, keys and values to one tensor.
    private static func parts(_ prefix: String, _ names: [String]) -> [TensorRule] {
        names.enumerated().map { index, name in
            TensorRule(
                "\(prefix)\(name).@", "blocks.#.attn.qkv.@", .part(index, of: names.count))
        }
    }
}
