/// The rules that map each layout's text tower to `text_encoder`, and its projections and scores.
extension TowerLayout {
    /// The rules of the text tower; empty for an image model.
    var textRules: [TensorRule] {
        switch self {
        case .timm, .huggingFaceViT, .huggingFaceNewViT, .huggingFaceCLIPImage,
            .huggingFaceSigLIPImage:
            []
        case .bert: Self.bertText("") + Self.languageHead("cls.predictions.")
        case .chineseCLIP: Self.bertText("bert.")
        case .huggingFaceChineseCLIP: Self.bertText("text_model.")
        case .blip, .huggingFaceBLIP: Self.bertText("text_encoder.")
        case .openCLIP: Self.openAIText
        case .openCLIPText, .openCLIPTimm:
            TensorRule.prefixed(Self.openAIText, source: "text.", target: "")
        case .huggingFaceCLIP, .huggingFaceSigLIP: Self.modernText
        }
    }

    /// The rules of projections, temperature and matching head.
    var scoreRules: [TensorRule] {
        switch self {
        case .timm, .huggingFaceViT, .huggingFaceNewViT, .bert: []
        case .openCLIP, .chineseCLIP:
            [
                TensorRule("visual.proj", "vision_proj.weight", .transposed),
                TensorRule("text_projection", "text_proj.weight", .transposed),
                TensorRule("logit_scale", "logit_scale"),
            ]
        case .openCLIPText, .openCLIPTimm:
            [
                TensorRule("visual.proj", "vision_proj.weight", .transposed),
                TensorRule("visual.head.proj.weight", "vision_proj.weight"),
                TensorRule("text.text_projection", "text_proj.weight", .transposed),
                TensorRule("text.text_projection.@", "text_proj.@"),
                TensorRule("logit_scale", "logit_scale"), TensorRule("logit_bias", "logit_bias"),
            ]
        case .huggingFaceCLIP, .huggingFaceChineseCLIP, .huggingFaceCLIPImage:
            [
                TensorRule("visual_projection.weight", "vision_proj.weight"),
                TensorRule("text_projection.weight", "text_proj.weight"),
                TensorRule("logit_scale", "logit_scale"),
            ]
        case .huggingFaceSigLIP, .huggingFaceSigLIPImage:
            [
                TensorRule("text_model.head.@", "text_proj.@"),
                TensorRule("logit_scale", "logit_scale"), TensorRule("logit_bias", "logit_bias"),
            ]
        case .blip, .huggingFaceBLIP:
            ["vision_proj.@", "text_proj.@", "itm_head.@", "temp"].map { TensorRule($0, $0) }
        }
    }

    private static let stack = "text_encoder.bert."

    private static func bertText(_ prefix: String) -> [TensorRule] {
        var names = [
            "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight",
            "embeddings.token_type_embeddings.weight", "embeddings.LayerNorm.@",
            "encoder.layer.#.intermediate.dense.@", "encoder.layer.#.output.dense.@",
            "encoder.layer.#.output.LayerNorm.@",
        ]
        for attention in ["attention", "crossattention"] {
            for part in [
                "self.query", "self.key", "self.value", "output.dense", "output.LayerNorm",
            ] {
                names.append("encoder.layer.#.\(attention).\(part).@")
            }
        }
        var rules = names.map { TensorRule(prefix + $0, stack + $0) }
        // The names with flash attention.
        let attention = "encoder.layer.#.attention."
        rules += [
            TensorRule(
                "\(prefix)\(attention)self.Wqkv.@", "\(stack)\(attention)self.?.@",
                .split(["query", "key", "value"])),
            TensorRule(
                "\(prefix)\(attention)self.out_proj.@", "\(stack)\(attention)output.dense.@"),
        ]
        return rules
    }

    private static func languageHead(_ prefix: String) -> [TensorRule] {
        let target = "text_encoder.cls.predictions."
        return ["bias", "transform.dense.@", "transform.LayerNorm.@"].map {
            TensorRule(prefix + $0, target + $0)
        } + [
            // Tied to the words and to the bias: either tensor of a pair suffices.
            TensorRule("\(prefix)decoder.weight", "\(stack)embeddings.word_embeddings.weight"),
            TensorRule("\(prefix)decoder.bias", "\(target)bias"),
        ]
    }

    private static let openAIText: [TensorRule] = {
        let layer = "transformer.resblocks.#."
        let target = "\(stack)encoder.layer.#."
        return [
            TensorRule("token_embedding.weight", "\(stack)embeddings.word_embeddings.weight"),
            TensorRule("positional_embedding", "\(stack)embeddings.position_embeddings.weight"),
            TensorRule("\(layer)ln_1.@", "\(target)attention.output.LayerNorm.@"),
            TensorRule("\(layer)ln_2.@", "\(target)output.LayerNorm.@"),
            TensorRule(
                "\(layer)attn.in_proj_@", "\(target)attention.self.?.@",
                .split(["query", "key", "value"])),
            TensorRule("\(layer)attn.out_proj.@", "\(target)attention.output.dense.@"),
            TensorRule("\(layer)mlp.c_fc.@", "\(target)intermediate.dense.@"),
            TensorRule("\(layer)mlp.c_proj.@", "\(target)output.dense.@"),
            TensorRule("ln_final.@", "\(stack)norm.@"),
        ]
    }()

    /// CLIP and SigLIP in Hugging Face's layout.
    private static let modernText: [TensorRule] = {
        let layer = "text_model.encoder.layers.#."
        let target = "\(stack)encoder.layer.#."
        return [
            TensorRule(
                "text_model.embeddings.token_embedding.weight",
                "\(stack)embeddings.word_embeddings.weight"),
            TensorRule(
                "text_model.embeddings.position_embedding.weight",
                "\(stack)embeddings.position_embeddings.weight"),
            TensorRule("\(layer)layer_norm1.@", "\(target)attention.output.LayerNorm.@"),
            TensorRule("\(layer)layer_norm2.@", "\(target)output.LayerNorm.@"),
            TensorRule("\(layer)self_attn.q_proj.@", "\(target)attention.self.query.@"),
            TensorRule("\(layer)self_attn.k_proj.@", "\(target)attention.self.key.@"),
            TensorRule("\(layer)self_attn.v_proj.@", "\(target)attention.self.value.@"),
            TensorRule("\(layer)self_attn.out_proj.@", "\(target)attention.output.dense.@"),
            TensorRule("\(layer)mlp.fc1.@", "\(target)intermediate.dense.@"),
            TensorRule("\(layer)mlp.fc2.@", "\(target)output.dense.@"),
            TensorRule("text_model.final_layer_norm.@", "\(stack)norm.@"),
        ]
    }()
}
