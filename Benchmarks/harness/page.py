"""Documentation/performance.md, made from results.json and thresholds.json alone."""

import textwrap

from harness import report

INTRODUCTION = """\
# Performance

`make bench` measures this program beside the Python engines that one would use in its place, and
writes this page. The figures are in `Benchmarks/results.json`, the goals in
`Benchmarks/thresholds.json`; `Benchmarks/bench page` writes the page again from the two.

    make bench                                      # all that is standard
    Benchmarks/bench --only image text --rounds 5   # some sections, after `make bench` has built
    Benchmarks/bench --list                         # the sections and their rows

The first run installs the engines into `.venv-bench`, from PyPI alone, and needs Python 3.11. Let
nothing else run meanwhile: the page says how much of the processors other programs took.
`make performance` needs no quiet machine: it counts the instructions of our own code and compares
them with `Benchmarks/instructions.json`.

## How to read the tables

- Both sides of a row stay warm in processes of their own and take turns: each round measures one
  after the other, and every second round begins with the other end. The first round does not count.
- *ours* and *theirs* are medians over the rounds. A *ratio* is theirs divided by ours, the median
  over the pairs of rounds: above 1, ours is faster or smaller. Read ratios rather than times.
- *spread* is the smallest and the largest ratio of a pair. If 1 lies within it, no side has won.
- *peak* is the share of the processor's peak that our matrix products reach; the run measures both.
  In brackets is the ratio that we would reach if all of our time were products at that peak.
- *goal* is what we aim at, as a ratio or, in rows without another side, as our figure, and whether
  it is met. A run whose figure leaves the bound that stands beside the goal fails.
- *automatic* is the arithmetic that the library chooses by itself, *float32* single precision.
"""

BUSY = 0.1


def page(results, thresholds, sections):
    """The text of the page."""
    parts = [INTRODUCTION, machine(results)]
    for section in sections:
        found = results["sections"].get(section.NAME)
        parts.append(f"## {section.TITLE}\n\n{section.ABOUT}\n")
        if found is None:
            parts.append("Not measured yet.\n")
            continue
        parts.append(filled(conditions(found)) + "\n")
        if found["rows"]:
            parts.append(table(*rows_table(found["rows"], thresholds)))
        for name, engines in found.get("engines", {}).items():
            parts.append(engines_table(name, engines))
        notes = found.get("notes", []) + reasons(found["rows"], thresholds)
        if notes:
            parts.append("\n".join(filled(note, "- ") for note in notes) + "\n")
    return "\n".join(parts)


def reasons(rows, thresholds):
    """Why rows miss their goals, each reason once."""
    found = [thresholds.reason(row) for row in rows]
    return list(dict.fromkeys(reason for reason in found if reason))


def machine(results):
    text = "## Machine\n\n"
    about = results["machine"]
    if not about:
        return text + "Nothing has been measured yet.\n"
    flags = ", ".join(f"`{flag}`" for flag in about["flags"]) or "none of those that matter"
    rows = [["processor", about["processor"]], ["cores", str(about["cores"])],
            ["memory", report.size(about["memory_bytes"])], ["instructions", flags],
            ["system", about["system"]]]
    rows += [[name, version] for name, version in about.get("versions", {}).items()]
    return text + table(["", ""], rows)


def conditions(found):
    """A sentence on when and how quietly a section was measured."""
    rounds = found["rounds"]
    text = f"Measured on {found['date']} in {rounds} round{'s' if rounds > 1 else ''}"
    if found.get("others") is not None:
        text += f"; other programs took {report.percent(found['others'])} of the processors"
        if found["others"] > BUSY:
            text += ". **The machine was busy: take these figures for a placeholder**"
    return text + "."


def rows_table(rows, thresholds):
    """Heads and lines of a section's table; columns that no row fills are left out."""
    heads = ["what", "threads", "ours", "theirs", "of", "ratio", "spread", "peak", "goal"]
    lines = [report.cells(row, thresholds) for row in rows]
    used = [column for column in range(len(heads)) if any(line[column] for line in lines)]
    return ([heads[column] for column in used],
            [[line[column] for column in used] for line in lines])


def engines_table(name, engines):
    lines = [[engine, report.figure(seconds, "s")] for engine, seconds in engines.items()]
    return table([name, "per piece of work"], lines)


def table(heads, lines):
    rows = ["|" + "".join(f" {cell} |" if cell else " |" for cell in row) + "\n"
            for row in [heads, *lines]]
    return "".join([rows[0], "|" + "---|" * len(heads) + "\n", *rows[1:]])


def filled(text, bullet=""):
    return textwrap.fill(
        text, 100, initial_indent=bullet, subsequent_indent=" " * len(bullet),
        break_long_words=False, break_on_hyphens=False)
