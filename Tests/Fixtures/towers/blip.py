"""BLIP for retrieval: Hugging Face's BlipForImageTextRetrieval, and the original's names for the same weights."""

import re

import torch

from common import bert_ids, empty, fill, measured, normalised, numbers, pixels, write_expected

WORDS = 64  # the last two are [DEC] (62) and [ENC] (63)
IMAGE = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=14, image_size=12, patch_size=4)
TEXT = dict(
    vocab_size=WORDS, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=14,
    max_position_embeddings=16, encoder_hidden_size=12, bos_token_id=62, sep_token_id=3, eos_token_id=3, pad_token_id=0,
)
FACTS = dict(
    image=dict(heads=3, activation="gelu", eps=1e-6),
    text=dict(heads=2, activation="gelu", eps=1e-12, match_token=63),
)

# Original name to Hugging Face's, as convert_blip_original_pytorch_to_hf.py of transformers has it.
TO_ORIGINAL = (
    (r"^vision_model\.embeddings\.class_embedding$", "visual_encoder.cls_token"),
    (r"^vision_model\.embeddings\.position_embedding$", "visual_encoder.pos_embed"),
    (r"^vision_model\.embeddings\.patch_embedding\.", "visual_encoder.patch_embed.proj."),
    (r"^vision_model\.post_layernorm\.", "visual_encoder.norm."),
    (r"^vision_model\.encoder\.layers\.(\d+)\.self_attn\.qkv\.", r"visual_encoder.blocks.\1.attn.qkv."),
    (r"^vision_model\.encoder\.layers\.(\d+)\.self_attn\.projection\.", r"visual_encoder.blocks.\1.attn.proj."),
    (r"^vision_model\.encoder\.layers\.(\d+)\.layer_norm([12])\.", r"visual_encoder.blocks.\1.norm\2."),
    (r"^vision_model\.encoder\.layers\.(\d+)\.mlp\.", r"visual_encoder.blocks.\1.mlp."),
)


def model():
    from transformers import BlipConfig, BlipForImageTextRetrieval

    image = IMAGE | dict(layer_norm_eps=1e-6)
    return fill(BlipForImageTextRetrieval(BlipConfig(text_config=TEXT, vision_config=image, image_text_hidden_size=10)))


def inputs():
    ids, mask = bert_ids(vocabulary=60)
    return {"pixel_values": pixels(12), "input_ids": ids, "attention_mask": mask}


def outputs(model, x):
    """cosine [images, texts]; itm_logits [images, texts, 2] with the ids as they are, and itm_logits_enc with the first
    id replaced by [ENC], as BLIP's own evaluation does. Column 1 of itm is "matches"."""
    images, ids, mask = x["pixel_values"], x["input_ids"], x["attention_mask"]
    recall = model(input_ids=ids, pixel_values=images, attention_mask=mask, use_itm_head=False)
    tokens = model.vision_model(pixel_values=images).last_hidden_state
    states = model.text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    image, text = model.vision_proj(tokens[:, 0]), model.text_proj(states[:, 0])
    found = {
        "cosine": recall.itm_score,
        "image_tokens": tokens,
        "text_tokens": states,
        "image_features": image,
        "text_features": text,
        "image_features_normalised": normalised(image),
        "text_features_normalised": normalised(text),
    }
    marked = ids.clone()
    marked[:, 0] = WORDS - 1
    for name, given in (("itm_logits", ids), ("itm_logits_enc", marked)):
        rows, fused = [], []
        for n in range(images.shape[0]):
            pair = images[n : n + 1].expand(ids.shape[0], -1, -1, -1)
            out = model(input_ids=given, pixel_values=pair, attention_mask=mask)
            rows.append(out.itm_score)
            fused.append(out.question_embeds)
        found[name] = torch.stack(rows)
        found[name.replace("logits", "probabilities")] = torch.stack(rows).softmax(-1)[..., 1]
        found[name.replace("logits", "states")] = torch.stack(fused)
    return found


def hf_blip():
    """BlipForImageTextRetrieval; vision eps 1e-6 and the right number of heads in its configuration."""
    from transformers import BlipImageProcessor

    folder, made = empty("hf-blip"), model()
    made.save_pretrained(folder)
    BlipImageProcessor(size={"height": 12, "width": 12}).save_pretrained(folder)
    write_expected(folder, inputs(), *measured(outputs, made, inputs()), FACTS | dict(source=type(made).__name__))


def blip():
    """The original's names, under `model`: momentum twins (a few), queues and pointers, `temp`. No configuration.

    The same weights as hf-blip, so the same outputs.
    """
    folder, made = empty("blip"), model()
    state = {}
    for name, tensor in made.state_dict().items():
        for pattern, target in TO_ORIGINAL:
            name = re.sub(pattern, target, name)
        state[name] = tensor
    if any(name.startswith("vision_model") for name in state):
        raise SystemExit("a name of the image tower has no original")
    state["text_encoder.embeddings.position_ids"] = torch.arange(16)[None]
    state["temp"] = torch.tensor(0.07)
    twins = ("visual_encoder.norm.weight", "text_encoder.embeddings.LayerNorm.bias", "vision_proj.bias", "text_proj.bias")
    for name in twins:
        first, rest = name.split(".", 1)
        state[f"{first}_m.{rest}"] = state[name] + 0.1
    state |= {"image_queue": numbers("image_queue", (10, 4)), "text_queue": numbers("text_queue", (10, 4))}
    state |= {"idx_queue": torch.full((1, 4), -100), "ptr_queue": torch.zeros(1, dtype=torch.long)}
    torch.save({"model": state}, folder / "model_base_retrieval.pth")
    write_expected(folder, inputs(), *measured(outputs, made, inputs()), FACTS | dict(source="BLIP's names"))


LAYOUTS = {"hf-blip": hf_blip, "blip": blip}
