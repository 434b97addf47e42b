"""Pairs of towers: OpenAI's and OpenCLIP's CLIP, Hugging Face's CLIP, SigLIP in both spellings."""

import contextlib
import json

import torch

from common import clip_ids, empty, fill, measured, normalised, pair_outputs, pixels, write_expected, write_json

E = 10
IMAGE = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=18, image_size=12, patch_size=4)
TEXT = dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=14)


def facts(source, image, text):
    return dict(source=source, image=image, text=text)


def catch(modules, run):
    """Runs, and gives the first output of each module."""
    found = {}

    def keep(name):
        def hook(_module, _inputs, out):
            found.setdefault(name, out[0] if isinstance(out, tuple) else out)

        return hook

    hooks = [module.register_forward_hook(keep(name)) for name, module in modules.items()]
    result = run()
    for hook in hooks:
        hook.remove()
    return result, found


def hf_pair(model, x, mask):
    """Hugging Face's CLIP, Chinese-CLIP and SigLIP. The text is run with the mask where `mask` says so."""
    text = {"input_ids": x["input_ids"]} | ({"attention_mask": x["attention_mask"]} if mask else {})
    image_out = model.vision_model(pixel_values=x["pixel_values"], output_hidden_states=True)
    text_out = model.text_model(**text, output_hidden_states=True)
    out = model(pixel_values=x["pixel_values"], **text)
    image, written = model.get_image_features(x["pixel_values"]), model.get_text_features(**text)
    image, written = (getattr(part, "pooler_output", part) for part in (image, written))
    found = pair_outputs(image, written, model.logit_scale, getattr(model, "logit_bias", None))
    check("logits", found["logits_per_text"], out.logits_per_text)
    check("image", found["image_features_normalised"], normalised(out.image_embeds))
    check("text", found["text_features_normalised"], normalised(out.text_embeds))
    found |= {f"image_states.{n}": s for n, s in enumerate(image_out.hidden_states or ())}
    found |= {"image_tokens": image_out.last_hidden_state}
    found |= {f"text_states.{n}": s for n, s in enumerate(text_out.hidden_states or ())}
    found |= {"text_tokens": text_out.last_hidden_state}
    if getattr(image_out, "pooler_output", None) is not None:
        found["image_pooled"] = image_out.pooler_output
    return found


def check(name, ours, theirs):
    """What this script puts together must be what the model's own forward says."""
    distance = float((ours - theirs).abs().max())
    if not distance < 1e-4:
        raise SystemExit(f"{name} is {distance} from the model's own")


# --- OpenAI, OpenCLIP ----------------------------------------------------------------------------------------

OPEN_IMAGE = dict(layers=2, width=12, head_width=4, mlp_ratio=1.5, patch_size=4, image_size=12)
OPEN_TEXT = dict(layers=2, width=8, heads=2, mlp_ratio=1.5, context_length=10, vocab_size=80)


def open_outputs(model, x):
    """image_states: the last block's output, class token first; image_tokens: the same after ln_post; text_states:
    the last block's output; text_tokens: after ln_final."""
    text = getattr(model, "text", model)
    visual = model.visual
    trunk = getattr(visual, "trunk", None)
    modules = {"text_tokens": text.ln_final, "text_states": text.transformer}
    if trunk is None:
        modules |= {"image_tokens": visual.ln_post, "image_states": visual.transformer}
    else:
        modules |= {"image_tokens": trunk.norm, "image_states": trunk.blocks}

    def run():
        return model.encode_image(x["pixel_values"]), model.encode_text(x["input_ids"])

    (image, written), seen = catch(modules, run)
    found = pair_outputs(image, written, model.logit_scale, model.logit_bias)
    check("logits", found["logits_per_text"].T, model.get_logits(x["pixel_values"], x["input_ids"])[0])
    return found | seen


class NoTokenizer:
    """OpenCLIP's writer asks a tokenizer to write its files too; there is no tiny one."""

    def save_pretrained(self, folder):
        pass


def make_open(layout, kind, config, given, told, name=None, preprocess=None):
    from open_clip.push_to_hf_hub import save_for_hf
    from open_clip.transform import PreprocessCfg, merge_preprocess_dict
    from open_clip.model import set_model_preprocess_cfg

    folder = empty(layout)
    arguments = {k: v for k, v in config.items() if k != "custom_text"}
    model = fill(kind(**arguments))
    preprocess = merge_preprocess_dict(PreprocessCfg(size=12), preprocess or {})
    set_model_preprocess_cfg(model, preprocess)
    save_for_hf(model, NoTokenizer(), config, folder, safe_serialization=True)
    write_expected(folder, given, *measured(open_outputs, model, given), facts(f"open_clip {kind.__name__}", *told))
    return model, folder


def open_inputs():
    ids, mask = clip_ids()
    return {"pixel_values": pixels(12), "input_ids": ids, "attention_mask": mask}


def told(activation):
    return dict(heads=3, activation=activation, eps=1e-5), dict(heads=2, activation=activation, eps=1e-5)


def open_clip_plain():
    """OpenCLIP's plain class, erf GELU: the folder form with open_clip_config.json."""
    from open_clip import CLIP

    config = dict(embed_dim=E, vision_cfg=OPEN_IMAGE, text_cfg=OPEN_TEXT)
    make_open("open-clip", CLIP, config, open_inputs(), told("gelu"))


def open_clip_quick():
    """The same architecture with QuickGELU, as OpenAI's are; openai.pt holds the same tensors beside
    the three that OpenAI's archive adds (input_resolution, context_length, vocab_size), which tell the activation."""
    from open_clip import CLIP

    config = dict(embed_dim=E, vision_cfg=OPEN_IMAGE, text_cfg=OPEN_TEXT, quick_gelu=True)
    model, folder = make_open("open-clip-quick", CLIP, config, open_inputs(), told("quick_gelu"))
    state = {k: v.clone() for k, v in model.state_dict().items()}
    state |= {"input_resolution": torch.tensor(12), "context_length": torch.tensor(10), "vocab_size": torch.tensor(80)}
    torch.save(state, folder / "openai.pt")


def open_clip_custom():
    """Text under `text.`: CustomTextCLIP with its own two towers; first end-of-text by id, linear text projection."""
    from open_clip import CustomTextCLIP

    text = dict(OPEN_TEXT, pool_type="eos", eos_id=79, proj_bias=True)
    config = dict(embed_dim=E, vision_cfg=OPEN_IMAGE, text_cfg=text, custom_text=True)
    make_open("open-clip-custom", CustomTextCLIP, config, open_inputs(), told("gelu"))


@contextlib.contextmanager
def small_timm(**arguments):
    """OpenCLIP names a timm architecture and no sizes: makes that architecture small while a model is built."""
    import open_clip.timm_model as module

    create = module.timm.create_model
    module.timm.create_model = lambda name, **given: create(name, **(given | arguments))
    try:
        yield
    finally:
        module.timm.create_model = create


def open_clip_timm():
    """A CLIP image tower of timm (visual.trunk., visual.head.proj) beside a text tower under `text.`; erf GELU.

    The architecture's name gives 12 heads: here of size 1.
    """
    from open_clip import CustomTextCLIP

    image = dict(
        image_size=12, timm_model_name="vit_base_patch16_clip_224", timm_model_pretrained=False, timm_pool="token",
        timm_proj="linear",
    )
    config = dict(embed_dim=E, vision_cfg=image, text_cfg=OPEN_TEXT, custom_text=True)
    image_facts, text_facts = told("gelu")
    with small_timm(img_size=12, patch_size=4, embed_dim=12, depth=2, mlp_ratio=1.5):
        make_open("open-clip-timm", CustomTextCLIP, config, open_inputs(), (image_facts | dict(heads=12), text_facts))


# --- Hugging Face CLIP ---------------------------------------------------------------------------------------


def make_hf_clip(layout, text, sparse=False):
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    folder = empty(layout)
    text, image = TEXT | text, IMAGE
    if sparse:
        text, image = text | dict(num_hidden_layers=1), image | dict(num_hidden_layers=1)
    model = fill(CLIPModel(CLIPConfig(text_config=text, vision_config=image, projection_dim=E)))
    model.save_pretrained(folder)
    processor = CLIPImageProcessor(size={"shortest_edge": 12}, crop_size={"height": 12, "width": 12})
    processor.save_pretrained(folder)
    if not sparse:
        prepared = folder / "preprocessor_config.json"
        document = {"image_processor": json.loads(prepared.read_text()), "processor_class": "CLIPProcessor"}
        prepared.unlink()
        write_json(folder / "processor_config.json", document)
    if sparse:
        config = json.loads((folder / "config.json").read_text())
        for part in ("text_config", "vision_config"):
            for key in ("hidden_act", "layer_norm_eps", "projection_dim", "attention_dropout"):
                config[part].pop(key, None)
        write_json(folder / "config.json", config)
    ids, mask = clip_ids(padding=79 if not sparse else 0)
    if not sparse:
        ids[:2, 2] = 81  # an added token: larger than the end of text, so the largest id is another place
    given = {"pixel_values": pixels(12), "input_ids": ids, "attention_mask": mask}
    image_facts, text_facts = told("quick_gelu" if "hidden_act" not in text else text["hidden_act"])
    image_facts = image_facts | dict(activation="quick_gelu")
    told_facts = facts("transformers CLIPModel", image_facts, text_facts)
    write_expected(folder, given, *measured(lambda m, x: hf_pair(m, x, mask=False), model, given), told_facts)


def hf_clip():
    """CLIPModel with the end-of-text id in its configuration and padding with that id: the first one is read,
    though texts hold an added token of a larger id. The text's activation is erf GELU, the image's QuickGELU, so that
    one cannot stand for the other. Preparation is in processor_config.json, as transformers 5's processors save it."""
    ids = dict(bos_token_id=78, eos_token_id=79, pad_token_id=79, hidden_act="gelu")
    make_hf_clip("hf-clip", dict(vocab_size=82, max_position_embeddings=10, **ids))


def hf_clip_eos2():
    """As OpenAI's hub files: eos_token_id 2, so the position of the largest id; padding 0; and a configuration that
    leaves out what is the default (QuickGELU, 1e-5). One layer each."""
    ids = dict(bos_token_id=0, eos_token_id=2, pad_token_id=1)
    make_hf_clip("hf-clip-eos2", dict(vocab_size=80, max_position_embeddings=10, **ids), sparse=True)


def vision_outputs(model, x):
    out = model(pixel_values=x["pixel_values"], output_hidden_states=True)
    found = {f"image_states.{n}": s for n, s in enumerate(out.hidden_states)}
    found["image_tokens"] = out.last_hidden_state
    if hasattr(out, "image_embeds"):
        found |= {"image_features": out.image_embeds, "image_features_normalised": normalised(out.image_embeds)}
    else:
        found["image_pooled"] = out.pooler_output
    return found


def make_vision(layout, model, told_facts):
    folder = empty(layout)
    fill(model).save_pretrained(folder)
    given = {"pixel_values": pixels(12)}
    write_expected(folder, given, *measured(vision_outputs, model, given), dict(image=told_facts, source=type(model).__name__))


def hf_clip_vision():
    """CLIPVisionModelWithProjection: `vision_model.` and `visual_projection` in every version of transformers. One layer."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    model = CLIPVisionModelWithProjection(CLIPVisionConfig(**IMAGE | dict(num_hidden_layers=1), projection_dim=E))
    make_vision("hf-clip-vision", model, told("quick_gelu")[0])


def hf_clip_vision_flat():
    """CLIPVisionModel as transformers 5.6 and later save it: no `vision_model.`, no projection. One layer."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    model = CLIPVisionModel(CLIPVisionConfig(**IMAGE | dict(num_hidden_layers=1)))
    make_vision("hf-clip-vision-flat", model, told("quick_gelu")[0])


# --- SigLIP --------------------------------------------------------------------------------------------------

SIGLIP = (
    dict(heads=3, activation="gelu_pytorch_tanh", eps=1e-6),
    dict(heads=2, activation="gelu_pytorch_tanh", eps=1e-6),
)


def siglip_inputs():
    """SigLIP reads every position, so texts are padded to the full length, with id 1 (v1 pads with its end)."""
    ids, mask = clip_ids(padding=1)
    ids[ids >= 78] = 1
    return {"pixel_values": pixels(12), "input_ids": ids, "attention_mask": mask}


def hf_siglip():
    """SiglipModel: attention pooling, no mask of any kind, last position, sigmoid. attention_mask is not used."""
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

    folder = empty("hf-siglip")
    text = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20)
    text |= dict(vocab_size=80, max_position_embeddings=10, projection_size=12, bos_token_id=0, eos_token_id=1)
    model = fill(SiglipModel(SiglipConfig(text_config=text, vision_config=IMAGE)))
    model.save_pretrained(folder)
    SiglipImageProcessor(size={"height": 12, "width": 12}).save_pretrained(folder)
    given = siglip_inputs()
    told_facts = facts("transformers SiglipModel", *SIGLIP)
    write_expected(folder, given, *measured(lambda m, x: hf_pair(m, x, mask=False), model, given), told_facts)


def hf_siglip_vision_flat():
    """SiglipVisionModel as transformers 5.6 and later save it: no `vision_model.`. One layer."""
    from transformers import SiglipVisionConfig, SiglipVisionModel

    make_vision("hf-siglip-vision-flat", SiglipVisionModel(SiglipVisionConfig(**IMAGE | dict(num_hidden_layers=1))), SIGLIP[0])


def open_siglip():
    """SigLIP 2 (B/32) in OpenCLIP's folder form: `visual.trunk.` of timm with attn_pool, `text.`, tanh GELU in both."""
    from open_clip import CustomTextCLIP

    image = dict(
        image_size=12, timm_model_name="vit_base_patch32_siglip_256", timm_model_pretrained=False, timm_pool="map",
        timm_proj="none",
    )
    text = dict(
        context_length=10, vocab_size=80, tokenizer_kwargs={"clean": "canonicalize"}, width=12, heads=2, layers=2,
        mlp_ratio=1.5, no_causal_mask=True, proj_bias=True, pool_type="last", norm_kwargs={"eps": 1e-6},
        act_kwargs={"approximate": "tanh"},
    )
    config = dict(embed_dim=12, init_logit_bias=-10, custom_text=True, vision_cfg=image, text_cfg=text)
    preprocess = dict(mean=(0.5,) * 3, std=(0.5,) * 3, resize_mode="squash")
    with small_timm(img_size=12, patch_size=4, embed_dim=12, depth=2, mlp_ratio=1.5):
        heads = (SIGLIP[0] | dict(heads=12), SIGLIP[1])
        make_open("open-siglip", CustomTextCLIP, config, siglip_inputs(), heads, preprocess=preprocess)


LAYOUTS = {
    "open-clip": open_clip_plain,
    "open-clip-quick": open_clip_quick,
    "open-clip-custom": open_clip_custom,
    "open-clip-timm": open_clip_timm,
    "hf-clip": hf_clip,
    "hf-clip-eos2": hf_clip_eos2,
    "hf-clip-vision": hf_clip_vision,
    "hf-clip-vision-flat": hf_clip_vision_flat,
    "hf-siglip": hf_siglip,
    "hf-siglip-vision-flat": hf_siglip_vision_flat,
    "open-siglip": open_siglip,
}
