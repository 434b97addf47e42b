"""Re-ranking: the fusion encoder reads one text with each candidate."""

from harness.alternation import Group, Side
from harness.ratios import Row
from harness.sections import row_names

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


def groups(options):
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
                    [side], threads=threads))
        made.append(Group(f"rerank {title}, {threads} threads", sides, rows))
    return made


def names(options):
    return row_names(groups(options))


def run(context):
    return context.groups(groups(context.options))
