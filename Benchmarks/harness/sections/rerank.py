"""Re-ranking: the fusion encoder reads one text with each candidate."""

from harness.alternation import Group, Side
from harness.ratios import Row
from harness.sections import product_type, row_names

NAME, TITLE, SECONDS, WHEN = "rerank", "Re-ranking", 420, "always"
ABOUT = """\
One text with all of its candidates, by the fusion encoder of the paper's size, in seconds for all
candidates. LAVIS repeats the text for every candidate and runs all twelve layers; *fusion alone*
leaves out its text layers, as the original program does. Ours begins with an encoded text too, and
with image tokens in half precision, as an index stores them. A run without `--all` takes 128
candidates at 25 tokens, on one and on all threads, and 64 at 12 and 30 tokens on all threads."""

# Tokens of the text, tokens of an image, candidates.
TOKENS, PATCHES, CANDIDATES = (12, 25, 30), (257, 577), (64, 128)


def sizes(options):
    """What is measured: tokens, patches, candidates, threads."""
    for patches in PATCHES:
        for tokens in TOKENS:
            for candidates in CANDIDATES:
                for threads in options.threads:
                    is_usual = (tokens == 25) == (candidates == 128) and (
                        tokens == 25 or threads == options.most)
                    if options.all or is_usual:
                        yield tokens, patches, candidates, threads


def operations(tokens, patches, width=768, heads=12, layers=6):
    """Operations of our matrix products per candidate.

    Of the first layer, what no image changes is computed once per text; of the last one, only the
    state of `[CLS]`. A layer reads images in the cheaper of two forms; see `FusionForm`.
    """
    total = 0
    for layer in range(layers):
        rows = 1 if layer == layers - 1 else tokens
        if layer > 0:
            total += 4 * (tokens + rows) * width**2 + 4 * rows * tokens * width
        text_side = 4 * rows * width**2 + 4 * heads * rows * patches * width
        image_side = 4 * patches * width**2 + 4 * rows * patches * width
        total += min(text_side, image_side) + (4 + 16) * rows * width**2
    return total


def groups(options, has_bfloat16=False):
    made = []
    for tokens, patches, candidates, threads in sizes(options):
        request = {"do": "rerank", "tokens": tokens, "patches": patches, "candidates": candidates,
                   "threads": threads}
        sides = [
            Side("LAVIS", "torch", request | {"form": "all"}, engine="LAVIS"),
            Side("LAVIS, fusion alone", "torch", request | {"form": "fusion"},
                 engine="LAVIS, fusion alone")]
        size, rows = f"{tokens}x{patches}x{candidates}", []
        title = f"{tokens} tokens, {patches} patches, {candidates} candidates"
        for precision in ("float32", "automatic"):
            name = f"ours, {precision}"
            sides.append(Side(name, "measure", request | {"precision": precision}, engine=name))
            for short, side in (("LAVIS", "LAVIS"), ("fusion", "LAVIS, fusion alone")):
                rows.append(Row(
                    f"rerank/{size}/{threads}/{precision}/{short}", f"{title}, {precision}", name,
                    [side], threads=threads, operations=candidates * operations(tokens, patches),
                    type=product_type(precision, has_bfloat16)))
        made.append(Group(f"rerank {title}, {threads} threads", sides, rows))
    return made


def names(options):
    return row_names(groups(options))


def run(context):
    return context.groups(groups(context.options, "bfloat16" in context.peaks))
