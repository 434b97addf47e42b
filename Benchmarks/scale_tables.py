"""Computes the tables of Documentation/scale.md from the measured figures in scale/measured.json.

    python3 Benchmarks/scale_tables.py                      prints them
    python3 Benchmarks/scale_tables.py --write              writes them into the page
    python3 Benchmarks/scale_tables.py --prices CORE_HOUR GB_HOUR GB_MONTH

The page marks the place of each table by `<!-- table: NAME -->`. Below a block of code that is one
command line of Scripts/simulate-scale it has the table that this command prints.
"""

import argparse
import json
import math
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "Documentation/scale.md"
FIGURES = json.loads((ROOT / "Benchmarks/scale/measured.json").read_text())
VALUES = {name: figure["value"] for name, figure in FIGURES.items()}

SIZES = {"10 million": 10**7, "1 billion": 10**9, "10 billion": 10**10}
CANDIDATES = 64
# What an exact scan reads of an image: its codes, their scale and their error.
SCANNED = VALUES["feature_width"] + 8
HOURS_PER_MONTH = 730
# What a service is planned for: queries a second, and the share of time in which cores are busy.
RATE, LOAD = 10, 0.5
# Bytes of memory for codes or graphs on a machine.
FREE = 16 * 10**9
# The recipe of the paper.
PAIRS, EPOCHS, PAIRS_PER_STEP = 14_000_000, 30, 512


def significant(value):
    """A number with three significant digits and separators."""
    rounded = float(f"{value:.3g}")
    if rounded < 1:
        return f"{rounded:g}"
    text = f"{rounded:,.{max(0, 3 - len(str(int(rounded))))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(count):
    for unit, factor in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if count >= factor:
            return f"{significant(count / factor)} {unit}"
    return f"{count:,.0f} bytes"


def duration(seconds):
    for unit, factor in (("s", 1), ("ms", 1e-3)):
        if seconds >= factor:
            return f"{significant(seconds / factor)} {unit}"
    return f"{significant(seconds * 1e6)} µs"


def table(header, rows):
    lines = ["|" + "".join(f" {cell} |" if cell else " |" for cell in line)
             for line in [header, *rows]]
    lines.insert(1, "|" + "---|" * len(header))
    return "\n".join(lines)


def by_size(title, rows):
    """A table with a column for each size; each row has a name and a function of the images."""
    return table([title, *SIZES], [[name, *map(of, SIZES.values())] for name, of in rows])


def token_bytes(kept, width, precision, available):
    """What an index stores of one image's tokens: TokenBudget.byteCount."""
    weight = 4 if kept < available else 0
    return kept * ((width * 2 if precision == "float16" else width + 4) + weight)


BUDGETS = [
    (f"{'all' if kept == 577 else kept}, {precision}", token_bytes(kept, 768, precision, 577))
    for kept in (577, 128, 64, 32) for precision in ("float16", "int8")]
SMALLEST = dict(BUDGETS)["32, int8"]


def measured():
    rows = [[f"*{figure['symbol']}*", figure["shown"], figure["what"], figure["where"]]
            for figure in FIGURES.values()]
    return table(["", "measured", "what", "where, and by which command"], rows)


def features():
    return by_size("images", [
        ("on disk: *f N*", lambda n: size(VALUES["entry_bytes"] * n)),
        ("of this, features in single precision: 4 · 256 *N*", 
         lambda n: size(4 * VALUES["feature_width"] * n)),
        ("of this, codes in 8 bits with scale and error: *c N*", lambda n: size(SCANNED * n)),
        ("machines with 16 GB for codes: *c N* / 16 GB",
         lambda n: f"{math.ceil(SCANNED * n / FREE):,}"),
    ])


def tokens():
    rows = [[name, f"{count:,}", *(size(count * n) for n in SIZES.values()),
             size(count * CANDIDATES)] for name, count in BUDGETS]
    small = token_bytes(257, 768, "float16", 257)
    rows.append(["all of 257 (256 pixels), float16", f"{small:,}",
                 *(size(small * n) for n in SIZES.values()), size(small * CANDIDATES)])
    own = token_bytes(50, 256, "float16", 50)
    rows.append(["all of 50, `photos`, float16", f"{own:,}",
                 *(size(own * n) for n in SIZES.values()), size(own * CANDIDATES)])
    return table(["tokens", "bytes per image: *T*", *SIZES, "read for 64 candidates"], rows)


def recall():
    scan, graph = VALUES["scan_seconds"], VALUES["graph_seconds"]
    return by_size("", [
        ("exact: core-seconds per query, *s N*", lambda n: duration(scan * n / 1e6)),
        ("exact: shards of 10 million, a core each", lambda n: f"{n // 10**7:,}"),
        (f"exact: cores for {RATE} queries a second, half busy",
         lambda n: significant(RATE * scan * n / 1e6 / LOAD)),
        ("exact: memory for codes, *c N*", lambda n: size(SCANNED * n)),
        ("graphs: shards of a million", lambda n: f"{n // 10**6:,}"),
        ("graphs: core-seconds per query, *g N*", lambda n: duration(graph * n / 1e6)),
        (f"graphs: cores for {RATE} queries a second, half busy",
         lambda n: significant(RATE * graph * n / 1e6 / LOAD)),
        ("graphs: memory, *m N*", lambda n: size(VALUES["graph_bytes"] * n / 1e6)),
        ("graphs: core-hours to make them, *b N*",
         lambda n: significant(VALUES["graph_making_seconds"] * n / 1e6 / 3600)),
    ])


RERANKING = [
    ("all of 577", "rerank_all_seconds", "all, float16"),
    ("128", "rerank_128_seconds", "128, float16"),
    ("64", "rerank_64_seconds", "64, float16"),
    ("32", "rerank_32_seconds", "32, float16"),
]


def reranking():
    rows = [[name, duration(VALUES[figure]), significant(3600 / VALUES[figure]),
             significant(RATE * VALUES[figure] / LOAD), size(CANDIDATES * dict(BUDGETS)[budget])]
            for name, figure, budget in RERANKING]
    files = CANDIDATES * VALUES["encode_384_seconds"] + VALUES["rerank_all_seconds"]
    rows.append(["none: 64 files encoded anew", duration(files), significant(3600 / files),
                 significant(RATE * files / LOAD), "the files"])
    return table(
        ["tokens", "core-seconds per query: *r*", "queries per core-hour: 3600 / *r*",
         f"cores for {RATE} queries a second, half busy", "tokens read per query, float16"], rows)


def encoding():
    def hours(figure):
        return lambda n: significant(VALUES[figure] * n / 3600)

    def days(figure):
        return lambda n: significant(VALUES[figure] * n / 86400 / 100)

    rows = []
    for name, figure in (
            ("paper's model, 256 pixels", "encode_256_seconds"),
            ("paper's model, 384 pixels", "encode_384_seconds"),
            ("`photos`, 224 pixels", "encode_photos_seconds")):
        rows.append((f"{name}: core-hours, *e N* / 3600", hours(figure)))
        rows.append((f"{name}: days on 100 cores", days(figure)))
    return by_size("", rows)


def training():
    pair, step = VALUES["training_pair_seconds"], VALUES["training_step_seconds"]
    parameters = VALUES["training_parameters"]
    passes = PAIRS * EPOCHS
    steps = PAIRS // PAIRS_PER_STEP * EPOCHS
    hours = passes * pair / 3600
    updates = steps * 8 * step / 3600
    sent = 2 * 7 / 8 * 4 * parameters
    return table(["", "formula", "result"], [
        ["pairs read", "14 million · 30 epochs", significant(passes / 1e6) + " million"],
        ["steps of 512 pairs", "⌊14 million / 512⌋ · 30", f"{steps:,}"],
        ["core-hours of the pairs", "*t* · pairs / 3600", significant(hours)],
        ["core-hours of the updates, on 8 processes", "*u* · steps · 8 / 3600",
         significant(updates)],
        ["years on 100 cores", "core-hours / 100 / 8,766",
         significant((hours + updates) / 100 / 8766)],
        ["weights, gradients, AdamW's moments and momentum teacher, per process", "5 · 4 · *p*",
         size(20 * parameters)],
        ["memory of a process without graphics processor, 64 pairs at a time, extrapolated",
         "*w* + 64 *v*",
         size((VALUES["training_memory_gb"] + 64 * VALUES["training_pair_memory_gb"]) * 1e9)],
        ["a checkpoint", "*k*", size(VALUES["checkpoint_bytes"])],
        ["sent by each of 8 processes per step, gradients in single precision",
         "2 · 7/8 · 4 · *p*", size(sent)],
        ["sent by each of 8 processes in all", "that · steps", size(sent * steps)],
    ])


def systems(prices=None):
    """Whole services: what they need at all times, and once."""
    rerank, text = VALUES["rerank_32_seconds"], VALUES["encode_text_seconds"]
    columns = {}
    for name, images in SIZES.items():
        for method in ("exact", "graph"):
            scan = VALUES["scan_seconds" if method == "exact" else "graph_seconds"] * images / 1e6
            memory = (SCANNED if method == "exact" else VALUES["graph_bytes"] / 1e6) * images
            cores = [RATE * seconds / LOAD for seconds in (scan, rerank, text)]
            disk = (VALUES["entry_bytes"] + SMALLEST) * images
            once = VALUES["encode_384_seconds"] * images / 3600
            if method == "graph":
                disk += memory
                once += VALUES["graph_making_seconds"] * images / 1e6 / 3600
            machines = max(math.ceil(cores[0] / 2), math.ceil(memory / FREE))
            machines += math.ceil((cores[1] + cores[2]) / 2)
            column = [duration(scan + rerank + text), *map(significant, cores)]
            column += [size(memory), f"{machines:,}", size(disk), significant(once)]
            if prices:
                hour, gigabyte, month = prices
                monthly = HOURS_PER_MONTH * (sum(cores) * hour + memory / 1e9 * gigabyte)
                column += [significant(monthly + disk / 1e9 * month), significant(once * hour)]
            columns[f"{name}, {method}"] = column
    names = ["core-seconds per query", "cores of recall: *C*₁", "cores of re-ranking: *C*₂",
             "cores of the text encoder: *C*₃", "memory of recall: *M*",
             "machines of two cores and 16 GB", "disk: *D*", "core-hours once: *H*"]
    if prices:
        names += ["price per month", "price once"]
    return table(["", *columns], [[name, *(column[n] for column in columns.values())]
                                  for n, name in enumerate(names)])


TABLES = {
    "measured": measured, "features": features, "tokens": tokens, "recall": recall,
    "reranking": reranking, "encoding": encoding, "training": training, "systems": systems}

MARKED = re.compile(r"(<!-- table: (\w+) -->\n)((?:\|.*\n)*)")
COMMAND = re.compile(r"(?m)^(    (Scripts/simulate-scale.*(?:\\\n.*)*)\n\n)((?:\|.*\n)*)")


def simulated(command):
    words = shlex.split(command.replace("\\\n", " "))
    return subprocess.run(
        [sys.executable, "-B", str(ROOT / words[0]), *words[1:]], check=True,
        stdout=subprocess.PIPE, text=True).stdout


def filled(page):
    """The page with the tables as they have to be."""
    page = MARKED.sub(lambda match: match[1] + TABLES[match[2]]() + "\n", page)
    return COMMAND.sub(lambda match: match[1] + simulated(match[2]), page)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument(
        "--prices", type=float, nargs=3, metavar=("CORE_HOUR", "GB_HOUR", "GB_MONTH"),
        help="of a core, of memory and of disk: prints the table of whole services")
    options = parser.parse_args()
    if options.prices:
        print(systems(options.prices))
    elif options.write:
        PAGE.write_text(filled(PAGE.read_text()))
    else:
        for name, make in TABLES.items():
            print(f"{name}\n\n{make()}\n")


if __name__ == "__main__":
    main()
