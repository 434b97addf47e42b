"""The text encoder: six layers, one text."""

from harness.alternation import Group, Side
from harness.ratios import Row
from harness.sections import row_names
from harness.sections.image import encoder_operations

NAME, TITLE, SECONDS, WHEN = "text", "Text encoder", 30, "always"
ABOUT = """\
The six text layers of ALBEF over one text, as for a query, from token ids to states, on all threads
of the run."""


def groups(options, kinds=("int8",)):
    made = []
    precisions = ["float32", "automatic"] + ["int8"] * ("int8" in kinds)
    for tokens in (12, 30):
        request = {"do": "text", "tokens": tokens, "threads": options.most, "calls": 20}
        sides = [Side("LAVIS", "torch", request, engine="LAVIS")]
        rows = []
        for precision in precisions:
            name = f"ours, {precision}"
            sides.append(Side(name, "measure", request | {"precision": precision}, engine=name))
            rows.append(Row(
                f"text/{tokens}/{precision}", f"{tokens} tokens, {precision}", name, ["LAVIS"],
                threads=options.most, type="float32",
                operations=encoder_operations(tokens, 6) if precision == "float32" else 0))
        made.append(Group(f"text {tokens} tokens", sides, rows))
    return made


def names(options):
    return row_names(groups(options))


def run(context):
    return context.groups(groups(context.options, context.peaks))
