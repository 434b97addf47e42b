"""The image encoder: ViT-B/16, alone, from pixels to tokens."""

from harness.alternation import Group, Side
from harness.ratios import Row
from harness.sections import product_type, row_names

NAME, TITLE, SECONDS, WHEN = "image", "Image encoder", 300, "always"
ABOUT = """\
ViT-B/16 from normalised pixels to tokens, on all threads of the run; seconds per image. *LAVIS* is
LAVIS's own encoder in PyTorch's eager mode, *PyTorch + SDPA* the same with its fused attention.
ONNX Runtime and OpenVINO run the encoder that PyTorch exported. *ours, automatic* computes in what
the library takes for the processor by itself. Each of our rows is compared with the fastest of the
four engines in single precision; OpenVINO in bfloat16 is in the table of engines where the
processor has bfloat16, and takes no part in that. *ours, int8* is `--compute-type int8`, where the
processor has such products, compared with our own single precision."""

SIDES, BATCHES = (256, 384), (1, 8)
ENGINES = {"LAVIS": "lavis", "PyTorch + SDPA": "sdpa", "ONNX Runtime": "onnx",
           "OpenVINO": "openvino"}


def operations(side):
    """Operations of the matrix products of one image."""
    patches, width = (side // 16) ** 2, 768
    return encoder_operations(patches + 1, 12, width) + 2 * patches * 3 * 16**2 * width


def encoder_operations(tokens, layers, width=768):
    """Operations of the matrix products of transformer layers with an MLP of four widths."""
    return layers * (24 * tokens * width**2 + 4 * tokens**2 * width)


def groups(options, models, kinds=("bfloat16", "int8")):
    return [group(options.most, side, models, kinds) for side in SIDES]


def group(threads, side, models, kinds):
    has_bfloat16 = "bfloat16" in kinds
    sides, rows = [], []
    for batch in BATCHES:
        request = {"do": "image", "side": side, "batch": batch, "threads": threads,
                   "calls": 3 if batch == 1 else 1}

        def add(name, worker, per=batch, request=request, **more):
            sides.append(Side(f"{name}, batch {per}", worker, request | more, per, name))

        for name, engine in ENGINES.items():
            if engine in ("lavis", "sdpa"):
                add(name, "torch", engine=engine)
            else:
                add(name, engine, path=f"{models}/vit-{side}.onnx", type="f32")
        if has_bfloat16:
            add("OpenVINO, bfloat16", "openvino", path=f"{models}/vit-{side}.onnx", type="bf16")
        for precision in ("float32", "automatic"):
            add(f"ours, {precision}", "measure", precision=precision)
            rows.append(Row(
                f"image/{side}/{batch}/{precision}", f"{side} px, batch {batch}, {precision}",
                f"ours, {precision}, batch {batch}",
                [f"{name}, batch {batch}" for name in ENGINES], "fastest in float32",
                threads=threads, operations=operations(side),
                type=product_type(precision, has_bfloat16)))
        rows.append(Row(
            f"image/{side}/{batch}/gain", f"{side} px, batch {batch}, what automatic gains",
            f"ours, automatic, batch {batch}", [f"ours, float32, batch {batch}"],
            threads=threads))
        if "int8" in kinds:
            add("ours, int8", "measure", precision="int8")
            rows.append(Row(
                f"image/{side}/{batch}/int8", f"{side} px, batch {batch}, what int8 gains",
                f"ours, int8, batch {batch}", [f"ours, float32, batch {batch}"],
                threads=threads))
    for precision in ("float32", "automatic"):
        rows.append(Row(
            f"image/{side}/batching/{precision}",
            f"{side} px, an image in a batch of 8 and alone, {precision}",
            f"ours, {precision}, batch 8", [f"ours, {precision}, batch 1"], threads=threads))
    return Group(f"image {side} px", sides, rows)


def names(options):
    return row_names(groups(options, "models"))


def run(context):
    for side in SIDES:
        path = context.models / f"vit-{side}.onnx"
        if not path.exists():
            context.say(f"exporting ViT-B/16 at {side} px as ONNX")
            partial = path.with_suffix(".partial")
            context.workers.ask("torch", {
                "do": "export", "model": "vit", "side": side, "path": str(partial)})
            partial.rename(path)
    return context.groups(groups(context.options, context.models, context.peaks))
