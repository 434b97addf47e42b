"""The trunk of the model `photos`: EfficientNet-Lite0."""

from harness.alternation import Group, Side
from harness.ratios import Row
from harness.sections import row_names

NAME, TITLE, SECONDS, WHEN = "cnn", "EfficientNet-Lite0", 25, "always"
ABOUT = """\
The convolutional trunk of the model `photos` at 224 pixels, batch norms folded, from normalised
pixels to the feature map; seconds per image, on all threads of the run. Both of our rows are
compared with ONNX Runtime in single precision."""

ENGINES = {"PyTorch": "torch", "ONNX Runtime": "onnx", "OpenVINO": "openvino"}


def groups(options, models):
    made = []
    for batch in (1, 8):
        request = {"do": "cnn", "side": 224, "batch": batch, "threads": options.most,
                   "path": f"{models}/lite0.onnx", "type": "f32", "calls": 40 // batch}
        own = {key: value for key, value in request.items() if key not in ("path", "type")}
        sides = [Side(name, worker, own if worker == "torch" else request, batch, name)
                 for name, worker in ENGINES.items()]
        rows = []
        for precision in ("float32", "automatic"):
            name = f"ours, {precision}"
            sides.append(Side(name, "measure", own | {"precision": precision}, batch, name))
            rows.append(Row(f"cnn/{batch}/{precision}", f"batch {batch}, {precision}", name,
                            ["ONNX Runtime"], threads=options.most))
        made.append(Group(f"cnn batch {batch}", sides, rows))
    return made


def names(options):
    return row_names(groups(options, "models"))


def run(context):
    path = context.models / "lite0.onnx"
    if not path.exists():
        context.say("exporting EfficientNet-Lite0 as ONNX")
        partial = path.with_suffix(".partial")
        context.workers.ask("torch", {
            "do": "export", "model": "lite0", "side": 224, "path": str(partial)})
        partial.rename(path)
    return context.groups(groups(context.options, context.models))
