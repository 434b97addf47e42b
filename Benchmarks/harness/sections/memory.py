"""The memory of our training step at several batch sizes, with and without checkpointing."""

from harness.sections import Found

NAME, TITLE, SECONDS, WHEN = "memory", "Memory of a training step", 240, "all"
ABOUT = """\
The peak resident memory of our step of the paper's model, each in a process of its own, after two
steps. With checkpointing, the image encoder computes its activations again in the backward pass.
Measured with `--all` or `--only memory`."""

BATCHES = (4, 8, 16)


def cases():
    return [(batch, is_checkpointed) for batch in BATCHES for is_checkpointed in (False, True)]


def row_name(batch, is_checkpointed):
    return f"memory/{batch}/{'checkpointed' if is_checkpointed else 'plain'}"


def names(options):
    return [row_name(*case) for case in cases()]


def run(context):
    found = Found()
    for batch, is_checkpointed in cases():
        context.workers.close()
        request = {"do": "training", "model": "full", "batch": batch,
                   "checkpointed": is_checkpointed, "threads": context.options.most, "calls": 2}
        name = row_name(batch, is_checkpointed)
        context.say(f"{name}: two steps")
        answer = context.workers.ask("measure", request)
        title = f"{batch} pairs" + (", checkpointed" if is_checkpointed else "")
        found.rows.append({"id": name, "title": title, "unit": "bytes",
                           "ours": answer["peak_bytes"], "threads": context.options.most})
    return found
