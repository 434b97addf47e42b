"""Chinese-CLIP: Hugging Face's class, and the original's names for the same weights, in cn_clip's own class."""

import torch

from common import bert_ids, empty, fill, measured, pair_outputs, pixels, write_expected
from pairs import IMAGE, TEXT, E, catch, check, facts, hf_pair

CHINESE_IMAGE = IMAGE | dict(hidden_size=8, num_attention_heads=2, intermediate_size=32)  # cn_clip's is always 4 times
BERT = dict(TEXT, vocab_size=60, max_position_embeddings=16, type_vocab_size=2)


def chinese_model():
    from transformers import ChineseCLIPConfig, ChineseCLIPModel

    model = fill(ChineseCLIPModel(ChineseCLIPConfig(text_config=BERT, vision_config=CHINESE_IMAGE, projection_dim=E)))
    with torch.no_grad():  # transformers 5 clears the padding's row after loading, whatever the file has
        model.text_model.embeddings.word_embeddings.weight[0] = 0
    return model


def hf_chinese_clip():
    """ChineseCLIPModel. image_tokens are not normed; text_tokens are BERT's last states; padding is masked."""
    from transformers import ChineseCLIPImageProcessor

    folder, model = empty("hf-chinese-clip"), chinese_model()
    model.save_pretrained(folder)
    size = {"height": 12, "width": 12}
    ChineseCLIPImageProcessor(size=size, do_center_crop=False).save_pretrained(folder)
    given = chinese_inputs()
    told = facts("transformers ChineseCLIPModel", *CHINESE)
    write_expected(folder, given, *measured(lambda m, x: hf_pair(m, x, mask=True), model, given), told)


CHINESE = (dict(heads=2, activation="quick_gelu", eps=1e-5), dict(heads=2, activation="gelu", eps=1e-12))


def chinese_inputs():
    ids, mask = bert_ids(vocabulary=60)
    return {"pixel_values": pixels(12), "input_ids": ids, "attention_mask": mask}


def chinese_original(state):
    """Hugging Face's tensors of Chinese-CLIP under the original's names."""
    names = {
        "vision_model.embeddings.class_embedding": "visual.class_embedding",
        "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
        "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
        "logit_scale": "logit_scale",
    }
    parts = {
        "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj",
    }
    found = {"visual.proj": state["visual_projection.weight"].T, "text_projection": state["text_projection.weight"].T}
    for name, tensor in state.items():
        if name in names:
            found[names[name]] = tensor
        elif name.startswith("text_model."):
            found["bert." + name.removeprefix("text_model.")] = tensor
        elif name.startswith("vision_model.encoder.layers."):
            number, rest = name.removeprefix("vision_model.encoder.layers.").split(".", 1)
            block, (part, kind) = f"visual.transformer.resblocks.{number}.", rest.rsplit(".", 1)
            if part in parts:
                found[f"{block}{parts[part]}.{kind}"] = tensor
            elif part == "self_attn.q_proj":
                three = [state[name.replace("q_proj", f"{p}_proj")] for p in "qkv"]
                found[f"{block}attn.in_proj_{kind}"] = torch.cat(three)
        elif name.startswith("vision_model."):
            name = name.removeprefix("vision_model.")
            found["visual." + name.replace("pre_layrnorm", "ln_pre").replace("post_layernorm", "ln_post")] = tensor
    return {k: v.clone().contiguous() for k, v in found.items()}


def chinese_clip():
    """The original: cn_clip's own class holds hf-chinese-clip's weights under its names, so outputs are the same.
    `module.` under `state_dict`; a BERT pooler to ignore.

    flash.pt is what its flash-attention build writes: Wqkv for the three of attention, and BERT's
    `attention.output.dense` as `attention.self.out_proj`. No file tells sizes of heads: facts do.
    """
    from cn_clip.clip.model import CLIP, LayerNorm, convert_state_dict

    LayerNorm.forward = torch.nn.LayerNorm.forward  # its own turns everything to single precision
    folder = empty("chinese-clip")
    model = fill(
        CLIP(
            embed_dim=E, image_resolution=12, vision_layers=2, vision_width=8, vision_patch_size=4, vision_head_width=4,
            vocab_size=60, text_attention_probs_dropout_prob=0.1, text_hidden_act="gelu", text_hidden_dropout_prob=0.1,
            text_hidden_size=8, text_initializer_range=0.02, text_intermediate_size=14, text_max_position_embeddings=16,
            text_num_attention_heads=2, text_num_hidden_layers=2, text_type_vocab_size=2,
        )
    )
    missing, unexpected = model.load_state_dict(chinese_original(chinese_model().state_dict()), strict=False)
    if unexpected or any(not name.startswith("bert.pooler.") for name in missing):
        raise SystemExit(f"names are wrong: {missing}, {unexpected}")
    state = {f"module.{k}": v.clone() for k, v in model.state_dict().items()}
    torch.save({"epoch": 3, "step": 120, "name": "tiny", "state_dict": state}, folder / "clip_cn.pt")
    flash = {k: v.clone() for k, v in convert_state_dict(dict(state)).items()}
    torch.save({"epoch": 3, "step": 120, "name": "tiny", "state_dict": flash}, folder / "flash.pt")

    def outputs(model, x):
        visual, bert = model.visual, model.bert
        image, seen = catch({"image_tokens": visual.transformer}, lambda: model.encode_image(x["pixel_values"]))
        written, states = catch({"text_tokens": bert.encoder.layer[-1]}, lambda: model.encode_text(x["input_ids"]))
        tokens = seen["image_tokens"].permute(1, 0, 2).contiguous()  # the transformer has tokens first
        logits = model.get_similarity(x["pixel_values"], x["input_ids"])[1]
        found = pair_outputs(image, written, model.logit_scale)
        check("logits", found["logits_per_text"], logits)
        return found | {"image_tokens": tokens, "text_tokens": states["text_tokens"]}

    given = chinese_inputs()
    found, errors = measured(outputs, model, given)
    theirs, _ = measured(lambda m, x: hf_pair(m, x, mask=True), chinese_model(), given)
    for name in found:
        check(f"Hugging Face's {name}", found[name], theirs[name])
    write_expected(folder, given, found, errors, facts("cn_clip CLIP", *CHINESE))


LAYOUTS = {"hf-chinese-clip": hf_chinese_clip, "chinese-clip": chinese_clip}
