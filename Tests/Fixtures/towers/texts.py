"""Text towers alone: BERT in the spellings that are in circulation, and a MiniLM as sentence-transformers stores it."""

import json

import torch
from safetensors.torch import load_file, save_file

from common import bert_ids, empty, fill, measured, normalised, numbers, write_expected, write_json

WORDS = 60
SIZES = dict(
    vocab_size=WORDS, hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20,
    max_position_embeddings=16, type_vocab_size=2,
)


def inputs(types=True):
    ids, mask = bert_ids(vocabulary=WORDS)
    given = {"input_ids": ids, "attention_mask": mask}
    if types:
        # ALBEF reads every token as one of type 0; the table's row 0 shows in the outputs.
        given["token_type_ids"] = torch.zeros_like(ids)
    return given


def outputs(model, x):
    """States of the embeddings and each layer [B, T, W] (padding's rows too: mask them before comparing), the mean
    over unmasked tokens before and after L2, and the logits of masked words where there is that head."""
    out = getattr(model, "bert", model)(**x, output_hidden_states=True)
    mask = x["attention_mask"][..., None].to(out.last_hidden_state.dtype)
    mean = (out.last_hidden_state * mask).sum(1) / mask.sum(1)
    found = {f"hidden.{n}": state for n, state in enumerate(out.hidden_states)}
    found |= {"cls": out.last_hidden_state[:, 0], "mean": mean, "mean_normalised": normalised(mean)}
    if hasattr(model, "cls"):
        logits = model(**x).logits if not hasattr(model.cls, "seq_relationship") else model(**x).prediction_logits
        found["mlm_logits"] = logits
    return found


def facts(source, **more):
    return dict(text=dict(heads=2, activation="gelu", eps=1e-12) | more, source=source)


def vocabulary(folder):
    """A vocab.txt of the right length: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, and letters, whole and continuing."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = "abcdefghijklmnopqrstuvwxyz"
    words += list(letters) + ["##" + letter for letter in letters] + [".", ",", "!"]
    (folder / "vocab.txt").write_text("\n".join(words[:WORDS]) + "\n")


def masked_language_model(layers=2):
    from transformers import BertConfig, BertForMaskedLM

    return fill(BertForMaskedLM(BertConfig(**SIZES | dict(num_hidden_layers=layers))))


def bert_mlm():
    """BertForMaskedLM as transformers saves it: `bert.` in front, the tied decoder left out."""
    folder, model = empty("bert-mlm"), masked_language_model()
    model.save_pretrained(folder)
    vocabulary(folder)
    write_expected(folder, inputs(), *measured(outputs, model, inputs()), facts("transformers BertForMaskedLM"))


def bert_tf():
    """As bert-base-chinese is: pytorch_model.bin from TensorFlow's names (gamma, beta), pooler, position_ids, next
    sentence head, and the tied decoder written out. One layer."""
    folder, model = empty("bert-tf"), masked_language_model(layers=1)
    state = {}
    for name, tensor in model.state_dict().items():
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        if name != "cls.predictions.decoder.bias":
            state[name] = tensor
    state["bert.embeddings.position_ids"] = torch.arange(16)[None]
    for name, shape in (
        ("bert.pooler.dense.weight", (12, 12)), ("bert.pooler.dense.bias", (12,)),
        ("cls.seq_relationship.weight", (2, 12)), ("cls.seq_relationship.bias", (2,)),
    ):
        state[name] = numbers(name, shape)
    torch.save(state, folder / "pytorch_model.bin")
    config = json.loads(model.config.to_json_string())
    write_json(folder / "config.json", config | {"architectures": ["BertForMaskedLM"], "directionality": "bidi"})
    vocabulary(folder)
    write_expected(folder, inputs(), *measured(outputs, model, inputs()), facts("transformers BertForMaskedLM"))


def bert_tied():
    """The other name of each tied pair: `cls.predictions.decoder.{weight,bias}` stand for the word embeddings and
    `cls.predictions.bias`. One layer. differs.safetensors holds both names with unlike values: refuse."""
    folder, model = empty("bert-tied"), masked_language_model(layers=1)
    state = {k: v.clone().contiguous() for k, v in model.state_dict().items()}
    differs = {k: v for k, v in state.items()}
    differs["cls.predictions.decoder.weight"] = state["cls.predictions.decoder.weight"] + 0.25
    del state["bert.embeddings.word_embeddings.weight"], state["cls.predictions.bias"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    save_file(differs, folder / "differs.safetensors", metadata={"format": "pt"})
    model.config.architectures = ["BertForMaskedLM"]
    model.config.save_pretrained(folder)
    vocabulary(folder)
    write_expected(folder, inputs(), *measured(outputs, model, inputs()), facts("transformers BertForMaskedLM"))


def minilm():
    """As all-MiniLM-L6-v2 is stored: no prefix, a pooler, position_ids, 3 heads of 4, mean pooling told by modules.json."""
    from transformers import BertConfig, BertModel

    folder = empty("minilm")
    model = fill(BertModel(BertConfig(**SIZES | dict(num_attention_heads=3, num_hidden_layers=3))), seed=2)
    model.save_pretrained(folder)
    state = load_file(folder / "model.safetensors")
    state["embeddings.position_ids"] = torch.arange(16)[None]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    vocabulary(folder)
    kinds = ("Transformer", "Pooling", "Normalize")
    modules = [
        {"idx": n, "name": str(n), "path": "" if n == 0 else f"{n}_{kind}", "type": f"sentence_transformers.models.{kind}"}
        for n, kind in enumerate(kinds)
    ]
    write_json(folder / "modules.json", modules)
    (folder / "1_Pooling").mkdir()
    modes = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")
    pooling = {"word_embedding_dimension": 12} | {f"pooling_mode_{m}": m == "mean_tokens" for m in modes}
    write_json(folder / "1_Pooling" / "config.json", pooling)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 16, "do_lower_case": False})
    given = inputs(types=False)
    told = facts("transformers BertModel", heads=3, pooling="mean")
    write_expected(folder, given, *measured(outputs, model, given), told)


LAYOUTS = {
    "bert-mlm": bert_mlm,
    "bert-tf": bert_tf,
    "bert-tied": bert_tied,
    "minilm": minilm,
}
