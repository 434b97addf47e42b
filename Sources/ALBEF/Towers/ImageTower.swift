import Torch
import WeightFiles

/// A reader of an image tower's configuration.
///
/// Sizes come from the tensors; heads, epsilon and activation come from the documents beside them.
struct ImageTowerReader {
    let file: TowerFile
    let layout: TowerLayout

    /// Returns the configuration of the image tower.
    ///
    /// - Throws: ``ModelFileError``, which names a missing key or document.
    func configuration() throws -> ALBEFConfiguration.Vision {
        var vision: ALBEFConfiguration.Vision
        switch layout {
        case .timm: vision = try timm()
        case .huggingFaceViT, .huggingFaceNewViT: vision = try huggingFaceViT()
        case .openCLIP, .openCLIPText: vision = try openCLIP()
        case .openCLIPTimm: vision = try openCLIPTimm()
        case .chineseCLIP: vision = try chineseCLIP()
        case .huggingFaceCLIP, .huggingFaceChineseCLIP, .huggingFaceCLIPImage:
            vision = try huggingFaceCLIP()
        case .huggingFaceSigLIP, .huggingFaceSigLIPImage: vision = try huggingFaceSigLIP()
        case .blip, .huggingFaceBLIP: vision = try blip()
        case .bert:
            throw ModelFileError(
                file.path, .configuration("is a text model; it has no image tower"))
        }
        try prepare(&vision)
        return vision
    }

    // MARK: Layouts

    private func timm() throws -> ALBEFConfiguration.Vision {
        let document = try needed(file.configuration, "config.json", "architecture")
        let architecture = TimmArchitecture(
            name: try document.text("architecture"), file: document.file)
        return try timm(prefix: "", architecture, arguments: document.section("model_args"))
    }

    /// Returns the configuration of a timm tower, alone or inside an OpenCLIP model.
    private func timm(
        prefix: String, _ architecture: TimmArchitecture, arguments: ConfigurationDocument?
    ) throws -> ALBEFConfiguration.Vision {
        var vision = try sizes(
            patches: "\(prefix)patch_embed.proj.weight", positions: "\(prefix)pos_embed",
            layer: "\(prefix)blocks.", mlp: "\(prefix)blocks.0.mlp.fc1.weight")
        vision.heads =
            try arguments.flatMap { $0.has("num_heads") ? try $0.integer("num_heads") : nil }
            ?? architecture.heads()
        vision.layerNormEpsilon = architecture.layerNormEpsilon
        vision.activation = architecture.activation
        vision.normalizesEmbeddings = file.has("\(prefix)norm_pre.weight")
        vision.hasPatchBias = file.has("\(prefix)patch_embed.proj.bias")
        vision.hasClassToken = file.has("\(prefix)cls_token")
        vision.positionFilter = .antialiased
        if file.has("\(prefix)attn_pool.latent") { vision.pooling = .attention }
        return vision
    }

    private func huggingFaceViT() throws -> ALBEFConfiguration.Vision {
        let document = try needed(file.configuration, "config.json", "num_attention_heads")
        var vision = try sizes(
            patches: "embeddings.patch_embeddings.projection.weight",
            positions: "embeddings.position_embeddings",
            layer: layout == .huggingFaceViT ? "encoder.layer." : "layers.",
            mlp: layout == .huggingFaceViT
                ? "encoder.layer.0.intermediate.dense.weight" : "layers.0.mlp.fc1.weight")
        vision.heads = try document.integer("num_attention_heads")
        vision.layerNormEpsilon = try document.number("layer_norm_eps")
        vision.activation = try document.activation("hidden_act")
        return vision
    }

    private func openCLIP() throws -> ALBEFConfiguration.Vision {
        let (model, tower) = try openCLIPSections("vision_cfg")
        var vision = try clip(
            prefix: "visual.", layer: "visual.transformer.resblocks.",
            mlp: "visual.transformer.resblocks.0.mlp.c_fc.weight", names: .openAI)
        let headWidth = try tower.integer("head_width", else: 64)
        guard headWidth > 0 else {
            throw ModelFileError(
                tower.file, .configuration("\"vision_cfg.head_width\" must be positive"))
        }
        vision.heads = vision.width / headWidth
        vision.activation = try model.truth("quick_gelu", else: false) ? .quickGELU : .gelu
        vision.positionFilter = .antialiased
        // OpenCLIP normalises all tokens; OpenAI's own code normalises the pooled one.
        vision.normalizesTokens = true
        return vision
    }

    private func openCLIPTimm() throws -> ALBEFConfiguration.Vision {
        let (_, tower) = try openCLIPSections("vision_cfg")
        let architecture = TimmArchitecture(
            name: try tower.text("timm_model_name"), file: tower.file)
        var vision = try timm(
            prefix: "visual.trunk.", architecture, arguments: tower.section("timm_model_kwargs"))
        vision.projection = file.has("visual.head.proj.weight") ? .matrix : .none
        return vision
    }

    private func chineseCLIP() throws -> ALBEFConfiguration.Vision {
        var vision = try clip(
            prefix: "visual.", layer: "visual.transformer.resblocks.",
            mlp: "visual.transformer.resblocks.0.mlp.c_fc.weight", names: .openAI)
        vision.heads = try publishedHeads(
            [768: 12, 1024: 16, 1280: 16], vision.width)
        vision.activation = .quickGELU
        vision.fit = .squeeze
        return vision
    }

    private func huggingFaceCLIP() throws -> ALBEFConfiguration.Vision {
        let tower = try huggingFaceTower()
        let prefix = file.has("vision_model.embeddings.class_embedding") ? "vision_model." : ""
        var vision = try clip(
            prefix: prefix, layer: "\(prefix)encoder.layers.",
            mlp: "\(prefix)encoder.layers.0.mlp.fc1.weight", names: .huggingFace)
        // The defaults are those of Hugging Face's classes.
        vision.heads = try tower.integer("num_attention_heads", else: 12)
        vision.activation = try tower.activation("hidden_act", else: "quick_gelu")
        vision.layerNormEpsilon = try tower.number("layer_norm_eps", else: 1e-5)
        return vision
    }

    private func huggingFaceSigLIP() throws -> ALBEFConfiguration.Vision {
        let tower = try huggingFaceTower()
        let prefix = file.has("vision_model.head.probe") ? "vision_model." : ""
        var vision = try sizes(
            patches: "\(prefix)embeddings.patch_embedding.weight",
            positions: "\(prefix)embeddings.position_embedding.weight",
            layer: "\(prefix)encoder.layers.", mlp: "\(prefix)encoder.layers.0.mlp.fc1.weight",
            hasClassToken: false)
        vision.heads = try tower.integer("num_attention_heads", else: 12)
        vision.activation = try tower.activation("hidden_act", else: "gelu_pytorch_tanh")
        vision.layerNormEpsilon = try tower.number("layer_norm_eps", else: 1e-6)
        vision.pooling = .attention
        vision.projection = .none
        return vision
    }

    private func blip() throws -> ALBEFConfiguration.Vision {
        let isOriginal = layout == .blip
        let prefix = isOriginal ? "visual_encoder." : "vision_model."
        var vision = try sizes(
            patches: isOriginal
                ? "\(prefix)patch_embed.proj.weight" : "\(prefix)embeddings.patch_embedding.weight",
            positions: isOriginal
                ? "\(prefix)pos_embed" : "\(prefix)embeddings.position_embedding",
            layer: isOriginal ? "\(prefix)blocks." : "\(prefix)encoder.layers.",
            mlp: isOriginal
                ? "\(prefix)blocks.0.mlp.fc1.weight" : "\(prefix)encoder.layers.0.mlp.fc1.weight")
        vision.heads = try publishedHeads(
            [768: 12, 1024: 16], vision.width)
        // BLIP was trained with 1e-6; older documents of Hugging Face say 1e-5.
        vision.layerNormEpsilon = 1e-6
        return vision
    }

    // MARK: Parts

    /// Returns the heads that a document states, or those of published models of this width.
    private func publishedHeads(_ known: [Int: Int], _ width: Int) throws -> Int {
        try TowerHeads(file: file, published: known).of(width: width, "vision_config")
    }

    /// Returns the document of the image tower: a part of the model's document, or all of its own.
    private func huggingFaceTower() throws -> ConfigurationDocument {
        let document = try needed(file.configuration, "config.json", "vision_config")
        return document.section("vision_config") ?? document
    }

    private func openCLIPSections(
        _ name: String
    ) throws -> (model: ConfigurationDocument, tower: ConfigurationDocument) {
        let document = try needed(file.openCLIP, "open_clip_config.json", "model_cfg")
        guard let model = document.section("model_cfg"), let tower = model.section(name) else {
            throw ModelFileError(document.file, .neededKey("model_cfg.\(name)"))
        }
        return (model, tower)
    }

    private enum CLIPNames { case openAI, huggingFace }

    /// Returns the settings that all image towers of CLIP share.
    private func clip(
        prefix: String, layer: String, mlp: String, names: CLIPNames
    ) throws -> ALBEFConfiguration.Vision {
        var vision =
            switch names {
            case .openAI:
                try sizes(
                    patches: "\(prefix)conv1.weight", positions: "\(prefix)positional_embedding",
                    layer: layer, mlp: mlp)
            case .huggingFace:
                try sizes(
                    patches: "\(prefix)embeddings.patch_embedding.weight",
                    positions: "\(prefix)embeddings.position_embedding.weight", layer: layer,
                    mlp: mlp)
            }
        vision.layerNormEpsilon = 1e-5
        vision.hasPatchBias = false
        vision.normalizesEmbeddings = true
        vision.normalizesTokens = false
        vision.projection = .matrix
        vision.fit = .crop
        return vision
    }

    /// Returns the sizes that the tensors determine.
    private func sizes(
        patches: String, positions: String, layer: String, mlp: String, hasClassToken: Bool? = nil
    ) throws -> ALBEFConfiguration.Vision {
        let patch = try file.shape(patches, rank: 4)
        guard let shape = file.tensor(positions)?.shape, shape.count >= 2 else {
            throw ModelFileError(file.path, .missing([positions]))
        }
        let rows = shape[shape.count - 2]
        let root = Int(Double(rows).squareRoot().rounded())
        // A square number of rows is a grid without a class token, as in DeiT-3 and SigLIP.
        let isGrid = hasClassToken.map { !$0 } ?? (root * root == rows)
        let grid = isGrid ? rows : rows - (file.has(distillation) ? 2 : 1)
        let side = Int(Double(grid).squareRoot().rounded())
        guard side > 0, side * side == grid else {
            throw ModelFileError(
                file.path,
                .tensor(
                    name: positions,
                    problem: "has \(rows) rows, which do not form a square grid of patches"))
        }
        var vision = ALBEFConfiguration.Vision(
            imageSize: side * patch[2], patchSize: patch[2], width: patch[0],
            depth: file.layers(layer), mlpWidth: try file.shape(mlp, rank: 2)[0])
        vision.hasClassToken = hasClassToken ?? true
        return vision
    }

    private var distillation: String {
        layout == .timm ? "dist_token" : "embeddings.distillation_token"
    }

    /// Sets the preparation of images, as far as a document states it.
    private func prepare(_ vision: inout ALBEFConfiguration.Vision) throws {
        try ImagePreparationReader(file: file, layout: layout).apply(to: &vision)
    }

    private func needed(
        _ document: ConfigurationDocument?, _ name: String, _ keys: String
    ) throws -> ConfigurationDocument {
        guard let document else {
            throw ModelFileError(
                file.path,
                .configuration(
                    "needs a \(name) beside it with \"\(keys)\", which the tensors do not determine"
                ))
        }
        return document
    }
}
