"""PyTorch and LAVIS: the encoders in eager mode, re-ranking, and matrix products."""

import pathlib
import sys
import types

import protocol

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import lavis_albef  # noqa: E402  imports LAVIS without its other models
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from lavis.models.med import XBertEncoder  # noqa: E402

# Candidates that LAVIS reads at once.
CANDIDATES_AT_ONCE = 32

made = {}


def kept(key, make):
    """What `make` returned for the key before, or returns now."""
    if key not in made:
        torch.manual_seed(1)
        made[key] = make()
    return made[key]


def image_encoder(side):
    """LAVIS's ViT-B/16 for images of `side` pixels."""
    vision = dict(lavis_albef.PAPER["vision"], image_size=side)
    return lavis_albef.encoders(dict(lavis_albef.PAPER, vision=vision))[0].eval()


def with_sdpa(encoder):
    """Lets the attention of a ViT run in PyTorch's scaled_dot_product_attention."""

    def forward(self, x, register_hook=False):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(
            batch, length, 3, self.num_heads, width // self.num_heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y.transpose(1, 2).reshape(batch, length, width))

    for block in encoder.blocks:
        block.attn.forward = types.MethodType(forward, block.attn)
    return encoder


def image(request):
    side, batch = request["side"], request["batch"]
    encoder = kept(f"image {side} {request['engine']}", lambda: (
        with_sdpa(image_encoder(side)) if request["engine"] == "sdpa" else image_encoder(side)))
    torch.manual_seed(2)
    pixels = torch.randn(batch, 3, side, side)
    return protocol.timed(request, lambda: encoder(pixels))


def cnn(request):
    import lite0

    trunk = kept("cnn", lambda: lite0.Lite0().eval().to(memory_format=torch.channels_last))
    torch.manual_seed(2)
    pixels = torch.randn(request["batch"], 3, request["side"], request["side"])
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    return protocol.timed(request, lambda: trunk(pixels))


def bert():
    return kept("bert", lambda: XBertEncoder(
        lavis_albef.encoders(lavis_albef.PAPER)[1], add_pooling_layer=False).eval())


def text(request):
    encoder, length = bert(), request["tokens"]
    ids = torch.arange(length)[None] * 37 % 29000 + 1000
    mask = torch.ones_like(ids)
    return protocol.timed(request, lambda: encoder(
        ids, attention_mask=mask, return_dict=True, mode="text"))


def rerank(request):
    encoder, length, patches = bert(), request["tokens"], request["patches"]
    head = kept("head", lambda: torch.nn.Linear(768, 2))
    torch.manual_seed(3)
    images = torch.randn(request["candidates"], patches, 768)
    states = torch.randn(CANDIDATES_AT_ONCE, length, 768)

    def call():
        for batch in images.split(CANDIDATES_AT_ONCE):
            count = len(batch)
            mask = torch.ones(count, length, dtype=torch.long)
            source = (
                {"input_ids": torch.full((count, length), 2000)} if request["form"] == "all"
                else {"encoder_embeds": states[:count], "mode": "fusion"})
            fused = encoder(
                attention_mask=mask, encoder_hidden_states=batch, return_dict=True,
                encoder_attention_mask=torch.ones(count, patches, dtype=torch.long), **source)
            head(fused.last_hidden_state[:, 0])

    return protocol.timed(request, call)


def peak(request):
    side = request["side"]
    if request["type"] == "int8":
        matrix = torch.randint(-127, 127, (side, side), dtype=torch.int8)
        return protocol.timed(request, lambda: torch._int_mm(matrix, matrix))
    matrix = torch.randn(side, side).to(getattr(torch, request["type"]))
    return protocol.timed(request, lambda: torch.mm(matrix, matrix))


def export(request):
    """Writes a model as ONNX to "path": "vit" or "lite0"."""
    import lite0

    side = request["side"]
    model = image_encoder(side) if request["model"] == "vit" else lite0.Lite0().eval()
    torch.onnx.export(
        model, (torch.randn(1, 3, side, side),), request["path"], input_names=["x"],
        output_names=["y"], dynamic_axes={"x": {0: "b"}, "y": {0: "b"}}, opset_version=17,
        dynamo=False)
    return {"bytes": pathlib.Path(request["path"]).stat().st_size}


def set_threads(request):
    torch.set_num_threads(request.get("threads", torch.get_num_threads()))


if __name__ == "__main__":
    with torch.no_grad():
        protocol.serve(
            {"image": image, "cnn": cnn, "text": text, "rerank": rerank, "peak": peak,
             "export": export}, set_threads)
