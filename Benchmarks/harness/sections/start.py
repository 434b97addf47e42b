"""Whole processes: from the start of `albef search` to its answer."""

import statistics
import subprocess
import time

from harness import environment
from harness.sections import Found
from harness.workers import WorkerError

NAME, TITLE, SECONDS, WHEN = "start", "From start to answer", 20, "always"
ABOUT = """\
Whole processes from their start to their end, one after another, with files in the system's cache:
a program that loads libtorch and ends, `albef --version`, and `albef search` for a sentence in an
index of the demonstration's forty photographs, by the model `photos`, re-ranking included."""

PHOTOS = environment.ROOT / "Sources/Demo/Photos"
ROWS = {"start/libtorch": "a program that only loads libtorch",
        "start/version": "albef --version", "start/search": "albef search"}


def names(options):
    return list(ROWS)


def seconds(command):
    start = time.perf_counter()
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    taken = time.perf_counter() - start
    if done.returncode:
        raise WorkerError(
            f"{' '.join(map(str, command))} ended with {done.returncode}: "
            + done.stderr.decode(errors="replace").strip())
    return taken


def run(context):
    index = context.folder / "demo.index"
    context.say("indexing the photographs of the demonstration")
    seconds([context.albef, "index", PHOTOS, "--index", index])
    commands = {
        "start/libtorch": [context.measure, "nothing"],
        "start/version": [context.albef, "--version"],
        "start/search": [context.albef, "search", "flowers in a field", "--index", index,
                         "--threads", str(context.options.most)]}
    times = {name: [] for name in commands}
    for turn in range(5 * context.options.rounds + 1):
        context.say(f"start: turn {turn} of {5 * context.options.rounds}")
        for name, command in commands.items():
            taken = seconds(command)
            if turn:
                times[name].append(taken)
    return Found([
        {"id": name, "title": title, "unit": "s", "ours": statistics.median(times[name]),
         "spread_seconds": [min(times[name]), max(times[name])]}
        for name, title in ROWS.items()])
