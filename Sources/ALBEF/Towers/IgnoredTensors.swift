/// Which tensors of a layout are left out, and why.
struct IgnoredTensors {
    let layout: TowerLayout

    /// Why a tensor is left out; nil if nothing is known of it.
    func reason(_ name: String) -> String? {
        if name.hasSuffix("embeddings.position_ids") {
            return "the numbers of the positions, which are always the same"
        }
        switch layout {
        case .timm, .huggingFaceViT, .huggingFaceNewViT: return image(name)
        case .bert: return bert(name)
        case .openCLIP, .openCLIPText, .openCLIPTimm:
            let settings = ["input_resolution", "context_length", "vocab_size"]
            if settings.contains(name) { return "a setting of OpenAI's program" }
            return name == "attn_mask" || name == "text.attn_mask"
                ? "the causal mask, which is always the same" : nil
        case .chineseCLIP, .huggingFaceChineseCLIP:
            return name.hasPrefix("bert.pooler.") || name.hasPrefix("text_model.pooler.")
                ? "a pooler, which the model's own loader leaves out too" : nil
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
        if name == "embeddings.mask_token" { return "hides patches in pretraining" }
        if ["dist_token", "embeddings.distillation_token"].contains(name) {
            return
                "the distillation token: the tower can start a model, but is not the same without"
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
            return "momentum twin, which only training uses"
        }
        if ["image_queue", "text_queue", "idx_queue", "ptr_queue"].contains(name) {
            return "queue of training, empty at the start of the next"
        }
        if name.hasPrefix("text_encoder.pooler.") { return "a pooler, which BLIP does not use" }
        return nil
    }
}
