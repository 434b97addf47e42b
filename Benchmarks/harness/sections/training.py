"""A step of pretraining: its time and its memory, beside LAVIS."""

from harness.alternation import Group, Side
from harness.ratios import Row
from harness.sections import row_names

NAME, TITLE, SECONDS, WHEN = "training", "A training step", 150, "always"
ABOUT = """\
A step of pretraining: ITC, ITM and MLM, their gradients, AdamW, the momentum teacher and the
queues, with a dropout of 0.1, on all threads of the run. *full* is the paper's model: 4 pairs of
256 pixels and 30 tokens, a queue of 65,536. *tiny* has 64 pixels in patches of 8, a width of 192, 6
+ 3 + 3 layers, 64 pairs of 16 tokens and a queue of 4,096. Each side runs in a process of its own.
Memory is the largest resident memory of that process, PyTorch's or ours and all. *bfloat16* is our
step with `training.precision: bfloat16` beside LAVIS's in single precision, on a processor with
instructions for it."""

PAIRS = {"full": 4, "tiny": 64}
STEPS = (("full", "float32"), ("full", "bfloat16"), ("tiny", "float32"))


def group(threads, model, precision):
    request = {"do": "training", "model": model, "batch": PAIRS[model], "threads": threads,
               "calls": 1 if model == "full" else 3}
    key, title = f"training/{model}", f"{model}, {PAIRS[model]} pairs"
    own = dict(request)
    if precision != "float32":
        key, title = f"{key}/{precision}", f"{title}, {precision}"
        own["precision"] = "automatic"
    sides = [Side("LAVIS", "training", request), Side("ours", "measure", own)]
    return Group(f"training step, {title}", sides, [
        Row(f"{key}/time", f"{title}, time", "ours", ["LAVIS"], threads=threads),
        Row(f"{key}/memory", f"{title}, peak memory", "ours", ["LAVIS"],
            quantity="peak_bytes", threads=threads)])


def names(options):
    return row_names([group(options.most, *step) for step in STEPS])


def run(context):
    found = None
    for model, precision in STEPS:
        if precision != "float32" and precision not in context.peaks:
            continue
        # Fresh processes: a peak never falls.
        context.workers.close()
        part = context.groups([group(context.options.most, model, precision)])
        if found:
            found.rows += part.rows
        else:
            found = part
    return found
