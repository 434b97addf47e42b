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
Memory is the largest resident memory of that process, PyTorch's or ours and all."""

PAIRS = {"full": 4, "tiny": 64}


def group(threads, model):
    request = {"do": "training", "model": model, "batch": PAIRS[model], "threads": threads,
               "calls": 1 if model == "full" else 3}
    title = f"{model}, {PAIRS[model]} pairs"
    sides = [Side("LAVIS", "training", request), Side("ours", "measure", request)]
    return Group(f"training step, {title}", sides, [
        Row(f"training/{model}/time", f"{title}, time", "ours", ["LAVIS"], threads=threads),
        Row(f"training/{model}/memory", f"{title}, peak memory", "ours", ["LAVIS"],
            quantity="peak_bytes", threads=threads)])


def names(options):
    return row_names([group(options.most, model) for model in PAIRS])


def run(context):
    found = None
    for model in PAIRS:
        # Fresh processes: a peak never falls.
        context.workers.close()
        part = context.groups([group(context.options.most, model)])
        if found:
            found.rows += part.rows
        else:
            found = part
    return found
