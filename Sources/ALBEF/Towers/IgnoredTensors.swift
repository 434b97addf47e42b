/// The tensors of a layout that an import may leave out.
struct IgnoredTensors {
    let layout: TowerLayout

    /// Returns why a tensor may be left out; nil if it is unknown.
    func reason(_ name: String) -> String? {
        if name.hasSuffix("embeddings.position_ids") {
            return "position numbers, which are the same in every model"
        }
        switch layout {
        case .timm, .huggingFaceViT, .huggingFaceNewViT: return image(name)
        case .bert: return bert(name)
        case .openCLIP, .openCLIPText, .openCLIPTimm:
            let settings = ["input_resolution", "context_length", "vocab_size"]
            if settings.contains(name) { return "a setting of OpenAI's code" }
            return name == "attn_mask" || name == "text.attn_mask"
                ? "the causal mask, which is the same in every model" : nil
        case .chineseCLIP, .huggingFaceChineseCLIP:
            return name.hasPrefix("bert.pooler.") || name.hasPrefix("text_model.pooler.")
                ? "a pooler, which the model's own loader also leaves out" : nil
        case .blip, .huggingFaceBLIP: return blip(name)
        case .huggingFaceCLIP, .huggingFaceCLIPImage, .huggingFaceSigLIP, .huggingFaceSigLIPImage:
            return nil
        }
    }

    private func image(_ name: String) -> String? {
        let heads = [
            "head.", "head_dist.", "pre_logits.", "fc_norm.", "pooler.", "classifier.",
            "cls_classifier.", "distillation_classifier.",
        ]
        if heads.contains(where: name.hasPrefix) { return "the head of another task" }
        if name == "embeddings.mask_token" { return "the mask token, used only in pretraining" }
        if ["dist_token", "embeddings.distillation_token"].contains(name) {
            return "the distillation token; without it the tower can start a model, but computes"
                + " other features"
        }
        return nil
    }

    private func bert(_ name: String) -> String? {
        if name.hasPrefix("pooler.") { return "a pooler, which ALBEF does not have" }
        if name.hasPrefix("cls.seq_relationship.") {
            return "the head of next-sentence prediction, which ALBEF does not have"
        }
        return nil
    }

    private func blip(_ name: String) -> String? {
        let module = name.prefix { $0 != "." }
        if module.hasSuffix("_m"), name.contains(".") {
            return "momentum twin, used only in training"
        }
        if ["image_queue", "text_queue", "idx_queue", "ptr_queue"].contains(name) {
            return "training queue, which starts empty in the next training"
        }
        if name.hasPrefix("text_encoder.pooler.") { return "a pooler, which BLIP does not use" }
        return nil
    }
}
