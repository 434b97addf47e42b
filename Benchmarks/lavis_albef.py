"""The pretraining model of PyPI's LAVIS, without what ALBEF does not need of that package.

    Benchmarks/bench prepare            # installs it, with the other engines, into .venv-bench
    .venv-bench/bin/python …

The classes are LAVIS's own, unmodified. `import lavis` would import all of its models and data
sets, and their thirty dependencies. This module imports LAVIS's packages without running their
`__init__`. Names that the ALBEF part imports from packages that are not installed, but never uses,
are placeholders. Nothing is downloaded.
"""

import functools
import importlib.machinery
import importlib.util
import pathlib
import sys
import types

import numpy
import torch
import transformers  # before the placeholders, which its own probes must not find
from transformers import BatchEncoding, BertConfig
from transformers.models.bert import configuration_bert  # noqa: F401

# Modules that LAVIS 1.0.2 and timm 0.4.12 import for ALBEF but never use there.
_PLACEHOLDERS = (
    "fairscale", "fairscale.nn", "fairscale.nn.checkpoint",
    "fairscale.nn.checkpoint.checkpoint_activations", "cv2", "pandas", "torchvision",
    "torchvision.datasets", "torchvision.datasets.utils", "torchvision.transforms",
    "torchvision.transforms.functional",
)


class _Placeholder(types.ModuleType):
    """A module that has every name that is imported from it."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def _add_module(name, module, path):
    module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
    module.__path__ = path
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)


def _open_lavis():
    transformers.logging.set_verbosity_error()
    if not hasattr(numpy, "Inf"):  # numpy 2 removed the name that LAVIS uses
        numpy.Inf = numpy.inf
    absent = {name.split(".")[0] for name in _PLACEHOLDERS}
    # torchvision is never imported: without its own kernels it fails, and `make bench` has it alone.
    absent = {name for name in absent
              if name == "torchvision" or importlib.util.find_spec(name) is None}
    for name in _PLACEHOLDERS:
        if name.split(".")[0] in absent:
            _add_module(name, _Placeholder(name), [])
    spec = importlib.util.find_spec("lavis")
    if spec is None:
        sys.exit("salesforce-lavis is not installed; Benchmarks/bench prepare installs it")
    root = pathlib.Path(spec.submodule_search_locations[0])
    for name in ("lavis", "lavis.common", "lavis.models", "lavis.processors"):
        _add_module(name, types.ModuleType(name), [str(root.joinpath(*name.split(".")[1:]))])
    # The registry looks up base classes in packages whose `__init__` did not run.
    from lavis.models.base_model import BaseModel

    sys.modules["lavis.models"].BaseModel = BaseModel
    from lavis.processors.base_processor import BaseProcessor

    sys.modules["lavis.processors"].BaseProcessor = BaseProcessor


_open_lavis()

from lavis.models.albef_models import AlbefBase  # noqa: E402
from lavis.models.albef_models.albef_pretrain import AlbefPretrain  # noqa: E402
from lavis.models.med import BertForMaskedLM  # noqa: E402
from lavis.models.vit import VisionTransformerEncoder  # noqa: E402


# The paper's sizes, as in a config.json.
PAPER = {
    "dialect": "lavis", "task": "pretraining", "embedding_width": 256,
    "vision": {"image_size": 256, "patch_size": 16, "width": 768, "depth": 12, "heads": 12,
               "mlp_width": 3072, "layer_norm_epsilon": 1e-6},
    "text": {"vocabulary_size": 30522, "width": 768, "depth": 12, "fusion_layer": 6, "heads": 12,
             "mlp_width": 3072, "positions": 512, "layer_norm_epsilon": 1e-12},
}


class GivenTokens:
    """A tokenizer that returns the same given tokens for any texts."""

    pad_token_id, cls_token_id, mask_token_id = 0, 2, 4

    def __init__(self, input_ids, attention_mask):
        self.tokens = {"input_ids": input_ids, "attention_mask": attention_mask}

    def __call__(self, texts, **options):
        return BatchEncoding(dict(self.tokens))


def encoders(configuration, dropout=0.1):
    """The image encoder and the text encoder's settings, in the sizes of a config.json."""
    vision, text = configuration["vision"], configuration["text"]
    image_encoder = VisionTransformerEncoder(
        img_size=vision["image_size"], patch_size=vision["patch_size"],
        embed_dim=vision["width"], depth=vision["depth"], num_heads=vision["heads"],
        mlp_ratio=vision["mlp_width"] / vision["width"], qkv_bias=True,
        norm_layer=functools.partial(torch.nn.LayerNorm, eps=vision["layer_norm_epsilon"]))
    image_encoder.vision_width = vision["width"]
    bert = BertConfig(
        vocab_size=text["vocabulary_size"], hidden_size=text["width"],
        num_hidden_layers=text["depth"], num_attention_heads=text["heads"],
        intermediate_size=text["mlp_width"], hidden_act="gelu",
        max_position_embeddings=text["positions"], layer_norm_eps=text["layer_norm_epsilon"],
        hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout, pad_token_id=0)
    bert.add_type_embeddings = False
    bert.add_cross_attention = True
    bert.encoder_width = vision["width"]
    bert.fusion_layer = text["fusion_layer"]
    return image_encoder, bert


def pretraining_model(configuration, queue_size, dropout=0.1, **options):
    """LAVIS's `AlbefPretrain` in the sizes of a model directory's config.json.

    `options` are those of that class: momentum, alpha, temp, mlm_mask_prob. To give the model its
    tokens, set `tokenizer` to `GivenTokens`.
    """
    image_encoder, bert = encoders(configuration, dropout)
    has_types = configuration["dialect"] == "albef"
    bert.add_type_embeddings = has_types
    AlbefBase.init_tokenizer = classmethod(lambda cls: None)
    model = AlbefPretrain(
        image_encoder, BertForMaskedLM(bert), queue_size=queue_size,
        embed_dim=configuration["embedding_width"], **options)
    if has_types:
        # LAVIS makes the table of token types but passes no types, so it would never add one; the
        # original, like BERT, treats all tokens as type 0.
        for encoder in (model.text_encoder, model.text_encoder_m):
            encoder.bert.embeddings.register_forward_pre_hook(_with_types, with_kwargs=True)
    return model


def _with_types(module, arguments, options):
    ids = options.get("input_ids")
    if ids is not None and options.get("token_type_ids") is None:
        options = dict(options, token_type_ids=torch.zeros_like(ids))
    return arguments, options
