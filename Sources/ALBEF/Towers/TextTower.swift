import Torch

/// A reader of a text tower's configuration.
///
/// Sizes come from the tensors; heads, epsilon, activation, pooling and padding come from the
/// documents beside them.
struct TextTowerReader {
    let file: TowerFile
    let layout: TowerLayout

    /// Returns the configuration of the text tower.
    ///
    /// - Throws: ``ModelFileError``, which names a missing key or document.
    func configuration() throws -> ALBEFConfiguration.Text {
        switch layout {
        case .bert: try bert()
        case .chineseCLIP, .huggingFaceChineseCLIP: try chineseCLIP()
        case .openCLIP, .openCLIPText, .openCLIPTimm: try openCLIP()
        case .huggingFaceCLIP: try huggingFaceCLIP()
        case .huggingFaceSigLIP: try huggingFaceSigLIP()
        case .blip, .huggingFaceBLIP: try blip()
        case .timm, .huggingFaceViT, .huggingFaceNewViT, .huggingFaceCLIPImage,
            .huggingFaceSigLIPImage:
            throw ModelFileError(
                file.path, .configuration("is an image model; it has no text tower"))
        }
    }

    // MARK: BERT and its relatives

    private func bert() throws -> ALBEFConfiguration.Text {
        guard let document = file.configuration else {
            throw ModelFileError(
                file.path,
                .configuration(
                    "needs a config.json beside it with \"num_attention_heads\", \"hidden_act\" and"
                        + " \"layer_norm_eps\", which the tensors do not determine"))
        }
        var text = try sizes(prefix: "")
        try readBERT(document, into: &text)
        // A sentence encoder is trained to be compared by the mean of its states.
        if try file.sentencePooling?.truth("pooling_mode_mean_tokens", else: false) == true {
            text.pooling = .mean
        }
        return text
    }

    private func chineseCLIP() throws -> ALBEFConfiguration.Text {
        let isOriginal = layout == .chineseCLIP
        var text = try sizes(prefix: isOriginal ? "bert." : "text_model.")
        if isOriginal {
            text.heads = try TowerHeads(file: file, published: [768: 12, 1024: 16])
                .of(width: text.width, "text_config")
        } else {
            let tower = try section("text_config")
            // The defaults are those of Hugging Face's class.
            text.heads = try tower.integer("num_attention_heads", else: 12)
            text.activation = try tower.activation("hidden_act", else: "gelu")
            text.layerNormEpsilon = try tower.number("layer_norm_eps", else: 1e-12)
            text.paddingToken = try tower.integer("pad_token_id", else: 0)
        }
        text.projection = .matrix
        text.maximumTokens = min(52, text.positions)
        text.fusionLayer = text.depth
        return text
    }

    private func blip() throws -> ALBEFConfiguration.Text {
        var text = try sizes(prefix: "text_encoder.")
        text.heads = try TowerHeads(file: file, published: [768: 12])
            .of(width: text.width, "text_config")
        text.activation = .gelu
        text.hasTokenTypes = false
        text.sharesLayers = true
        text.fusionLayer = 0
        text.maximumTokens = min(35, text.positions)
        // Its last two tokens are [DEC] and [ENC]; its own evaluation puts [ENC] first.
        text.matchingToken = text.vocabularySize - 1
        return text
    }

    private func readBERT(
        _ document: ConfigurationDocument, into text: inout ALBEFConfiguration.Text
    ) throws {
        try document.require(
            "model_type", in: ["bert"],
            "only BERT's architecture can become a text encoder; RoBERTa-wwm and MiniLM have it")
        try document.require(
            "position_embedding_type", in: ["absolute"], "only absolute positions are supported")
        text.heads = try document.integer("num_attention_heads")
        text.activation = try document.activation("hidden_act")
        text.layerNormEpsilon = try document.number("layer_norm_eps")
        text.paddingToken = try document.integer("pad_token_id")
    }

    // MARK: CLIP and its relatives

    private func openCLIP() throws -> ALBEFConfiguration.Text {
        guard let model = file.openCLIP?.section("model_cfg"),
            let tower = model.section("text_cfg")
        else {
            throw ModelFileError(
                file.path,
                .configuration(
                    "needs an open_clip_config.json beside it with \"model_cfg.text_cfg\"; the"
                        + " tensors do not determine heads and activation"))
        }
        for key in ["hf_model_name", "embed_cls", "proj_type"] where tower.has(key) {
            if key == "proj_type", try ["linear", "none"].contains(tower.text(key)) { continue }
            throw ModelFileError(
                tower.file,
                .configuration("\"text_cfg.\(key)\" is set, which is not supported"))
        }
        let prefix = layout == .openCLIP ? "" : "text."
        var text = try modern(
            words: "\(prefix)token_embedding.weight", positions: "\(prefix)positional_embedding",
            layer: "\(prefix)transformer.resblocks.",
            mlp: "\(prefix)transformer.resblocks.0.mlp.c_fc.weight")
        text.heads = try tower.integer("heads")
        let isApproximate = try tower.section("act_kwargs")?.text("approximate", else: "none")
        text.activation =
            isApproximate == "tanh" || isSigLIP
            ? .tanhGELU : try model.truth("quick_gelu", else: false) ? .quickGELU : .gelu
        text.layerNormEpsilon = try tower.section("norm_kwargs")?.number("eps", else: 1e-5) ?? 1e-5
        text.attention = try tower.truth("no_causal_mask", else: false) ? .all : .causal
        text.paddingToken = try tower.integer("pad_id", else: 0)
        text.cleaning = try cleaning(tower)
        switch try tower.text("pool_type", else: "argmax") {
        case "argmax": text.pooling = .largest
        case "last": text.pooling = .last
        case "first": text.pooling = .start
        case "eos":
            text.pooling = .endOfText
            text.endToken = try tower.integer("eos_id", else: 2)
        case let other:
            throw ModelFileError(
                tower.file,
                .configuration("\"text_cfg.pool_type\" is '\(other)', which is not supported"))
        }
        if file.has("text.text_projection.bias") {
            text.projection = .linear
        } else {
            text.projection =
                file.has("\(prefix)text_projection") || file.has("text.text_projection.weight")
                ? .matrix : .none
        }
        return padded(text)
    }

    /// Returns OpenCLIP's cleaning of texts; nil if the document does not set it.
    private func cleaning(
        _ tower: ConfigurationDocument
    ) throws -> ALBEFConfiguration.Text.Cleaning? {
        guard let settings = tower.section("tokenizer_kwargs"), settings.has("clean") else {
            return nil
        }
        switch try settings.text("clean") {
        case "lower": return .openCLIP
        case "whitespace": return .openCLIPWhitespace
        case "canonicalize": return .openCLIPCanonical
        case let other:
            throw ModelFileError(
                tower.file,
                .configuration(
                    "\"text_cfg.tokenizer_kwargs.clean\" is '\(other)', which is not supported"))
        }
    }

    /// Returns the sizes of the text towers of CLIP and SigLIP in Hugging Face's layout.
    private func huggingFace() throws -> ALBEFConfiguration.Text {
        try modern(
            words: "text_model.embeddings.token_embedding.weight",
            positions: "text_model.embeddings.position_embedding.weight",
            layer: "text_model.encoder.layers.",
            mlp: "text_model.encoder.layers.0.mlp.fc1.weight")
    }

    private var isSigLIP: Bool { file.has("logit_bias") }

    private func huggingFaceCLIP() throws -> ALBEFConfiguration.Text {
        let tower = try section("text_config")
        var text = try huggingFace()
        // The defaults are those of Hugging Face's class.
        text.heads = try tower.integer("num_attention_heads", else: 8)
        text.activation = try tower.activation("hidden_act", else: "quick_gelu")
        text.layerNormEpsilon = try tower.number("layer_norm_eps", else: 1e-5)
        text.attention = .causal
        let end = try tower.integer("eos_token_id", else: 49_407)
        // Old files have 2 for compatibility; the class then pools at the largest token.
        text.pooling = end == 2 ? .largest : .endOfText
        text.endToken = end == 2 ? nil : end
        text.paddingToken = try tower.integer("pad_token_id", else: 1)
        text.projection = .matrix
        return padded(text)
    }

    private func huggingFaceSigLIP() throws -> ALBEFConfiguration.Text {
        let tower = try section("text_config")
        var text = try huggingFace()
        text.heads = try tower.integer("num_attention_heads", else: 12)
        text.activation = try tower.activation("hidden_act", else: "gelu_pytorch_tanh")
        text.layerNormEpsilon = try tower.number("layer_norm_eps", else: 1e-6)
        text.attention = .all
        text.pooling = .last
        text.paddingToken = try tower.integer("pad_token_id", else: 1)
        // SigLIP 2 has Gemma's tokens and keeps the punctuation of texts.
        text.cleaning = text.vocabularySize >= 256_000 ? .lowercase : .siglip
        return padded(text)
    }

    // MARK: Parts

    private func section(_ name: String) throws -> ConfigurationDocument {
        guard let document = file.configuration else {
            throw ModelFileError(
                file.path,
                .configuration("needs a config.json beside it with \"\(name)\""))
        }
        guard let tower = document.section(name) else {
            throw ModelFileError(document.file, .neededKey(name))
        }
        return tower
    }

    /// Sets the fixed length if padding affects the result.
    ///
    /// Behind a causal mask, tokens after the end of a text change nothing, so CLIP's texts need no
    /// padding.
    private func padded(_ text: ALBEFConfiguration.Text) -> ALBEFConfiguration.Text {
        var text = text
        if text.attention == .all || text.pooling == .last { text.paddedLength = text.positions }
        return text
    }

    private func sizes(prefix: String) throws -> ALBEFConfiguration.Text {
        let own = "\(prefix)embeddings.word_embeddings.weight"
        let words = try file.shape(
            file.has(own) ? own : "cls.predictions.decoder.weight", rank: 2)
        let positions = try file.shape("\(prefix)embeddings.position_embeddings.weight", rank: 2)[0]
        let depth = file.layers("\(prefix)encoder.layer.")
        var text = ALBEFConfiguration.Text(
            vocabularySize: words[0], width: words[1], depth: depth, fusionLayer: depth,
            mlpWidth: try file.shape(
                "\(prefix)encoder.layer.0.intermediate.dense.weight", rank: 2)[0],
            positions: positions, maximumTokens: min(30, positions))
        text.hasTokenTypes = file.has("\(prefix)embeddings.token_type_embeddings.weight")
        return text
    }

    /// Returns the sizes of towers like those of CLIP and SigLIP: pre-norm, and of a fixed length.
    private func modern(
        words: String, positions: String, layer: String, mlp: String
    ) throws -> ALBEFConfiguration.Text {
        let table = try file.shape(words, rank: 2)
        let length = try file.shape(positions, rank: 2)[0]
        let depth = file.layers(layer)
        var text = ALBEFConfiguration.Text(
            vocabularySize: table[0], width: table[1], depth: depth, fusionLayer: depth,
            mlpWidth: try file.shape(mlp, rank: 2)[0], positions: length, maximumTokens: length)
        text.hasTokenTypes = false
        text.normPlacement = .before
        text.hasWordPieces = false
        return text
    }
}
