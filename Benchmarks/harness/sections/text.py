"""The text encoder: six layers, one text."""

from harness.alternation import Group, Side
from harness.ratios import Row
from harness.sections import row_names
from harness.sections.image import encoder_operations

NAME, TITLE, SECONDS, WHEN = "text", "Text encoder", 30, "always"
ABOUT = """\
The six text layers of ALBEF over one text, as for a query, from token ids to states, on all threads
of the run. For 12 tokens the table of engines also has the kernels that we call, called from PyTorch:
*products* are the four products of each layer alone, and *layers* add attention, norms and sums. They
show what 8-bit weights would change, with a scale per output and, for the inputs, one per token."""

KERNELS = [(f"{form}, {kind}", {"type": kind, "form": form})
          for kind in ("bfloat16", "int8") for form in ("products", "layers")]


def groups(options, kinds=("bfloat16", "int8")):
    made = []
    for tokens in (12, 30):
        request = {"do": "text", "tokens": tokens, "threads": options.most, "calls": 20}
        sides = [Side("LAVIS", "torch", request, engine="LAVIS")]
        rows = []
        for precision in ("float32", "automatic"):
            name = f"ours, {precision}"
            sides.append(Side(name, "measure", request | {"precision": precision}, engine=name))
            rows.append(Row(
                f"text/{tokens}/{precision}", f"{tokens} tokens, {precision}", name, ["LAVIS"],
                threads=options.most, type="float32",
                operations=encoder_operations(tokens, 6) if precision == "float32" else 0))
        if tokens == 12:
            sides += [Side(name, "torch", request | {"do": "text_products"} | form, engine=name)
                      for name, form in KERNELS if form["type"] in kinds]
        made.append(Group(f"text {tokens} tokens", sides, rows))
    return made


def names(options):
    return row_names(groups(options))


def run(context):
    return context.groups(groups(context.options, context.peaks))
