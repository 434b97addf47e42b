"""What is done with a large index, by the program `index-scale` of the package Benchmarks."""

import subprocess

from harness import environment
from harness.sections import Found
from harness.workers import WorkerError

NAME, TITLE, SECONDS, WHEN = "index", "A large index", 900, "only"
ABOUT = """\
Operations on an index of synthetic entries, by `index-scale`, whose first build takes minutes.
Measured with `--only index`; `--all` then adds ten million entries. Medians, with the files in the
system's cache."""

# What a row is called here and in the table that index-scale prints.
ROWS = {"open": "open", "search": "search with another condition, and count",
        "page": "page of 24 images, in the middle",
        "commit": "commit of one image, and the new state"}


def counts(options):
    return [10_000, 1_000_000] + ([10_000_000] if options.all else [])


def names(options):
    return [f"index/{count}/{name}" for count in counts(options) for name in ROWS]


def table(text):
    """The figures of index-scale's table in milliseconds: {count: {row: number}}."""
    lines = [[cell.strip() for cell in line.strip().strip("|").split("|")]
             for line in text.splitlines() if line.startswith("|")]
    heads = [int(cell) for cell in lines[0][1:]]
    return {count: {line[0]: float(line[column + 1]) for line in lines[2:]}
            for column, count in enumerate(heads)}


def run(context):
    package = environment.ROOT / "Benchmarks"
    context.say("building index-scale")
    output(["swift", "build", "-c", "release", "--package-path", package, "--product",
            "index-scale"])
    numbers = counts(context.options)
    context.say(f"index-scale over {', '.join(f'{count:,}' for count in numbers)} entries")
    text = output([package / ".build/release/index-scale", context.folder, *map(str, numbers)])
    rows = []
    for count, figures in table(text).items():
        for name, line in ROWS.items():
            if line not in figures:
                raise WorkerError(f"index-scale printed no line {line!r}")
            rows.append({"id": f"index/{count}/{name}", "title": f"{count:,} entries: {line}",
                         "unit": "s", "ours": figures[line] / 1000})
    return Found(rows)


def output(command):
    done = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise WorkerError(
            f"{command[0]} ended with {done.returncode}:\n{done.stderr.strip()[-2000:]}")
    return done.stdout
