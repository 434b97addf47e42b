"""A run: the chosen sections one after another, and what becomes of their figures."""

import datetime
import pathlib
import sys
import tempfile
import time

from harness import environment, machine, report, results
from harness.sections import Context
from harness.workers import Workers


class Progress:
    """Lines on standard error: what is done, and the step that runs.

    On a terminal, a step overwrites the one before. Elsewhere steps appear at most every ten
    seconds.
    """

    def __init__(self, stream=sys.stderr):
        self.stream, self.start = stream, time.monotonic()
        self.is_open, self.last = False, -10.0

    def __call__(self, text, done=False):
        now = time.monotonic() - self.start
        line = f"[{int(now) // 60:2}:{int(now) % 60:02}] {text}"
        if self.stream.isatty():
            self.stream.write(f"\r\033[K{line[:110]}" + ("\n" if done else ""))
            self.is_open = not done
        elif done or now - self.last >= 10:
            self.stream.write(line + "\n")
            self.last = now
        self.stream.flush()

    def end(self):
        if self.is_open:
            self.stream.write("\n")
            self.is_open = False


def estimate(sections, options, old):
    """About how many seconds a run takes: as the last one took, else as a guess."""
    total = 0
    for section in sections:
        known = old["sections"].get(section.NAME, {})
        if "seconds" in known and not options.all:
            total += known["seconds"] * (options.rounds + 1) / (known["rounds"] + 1)
        else:
            total += section.SECONDS * (options.rounds + 1) / 4
    return total


def measure(sections, options, programs, say, show):
    """Measures sections; returns {name: what results.json has of it}.

    `show` is called with each section and its rows as soon as they are there.
    """
    about = machine.describe()
    found, peaks = {}, {}
    with tempfile.TemporaryDirectory(prefix="albef-bench-") as folder:
        for section in sections:
            start, others = time.monotonic(), machine.Others()
            with Workers(programs["measure"], options.most) as workers:
                part = section.run(Context(
                    options, workers, programs["albef"], programs["measure"],
                    pathlib.Path(folder), environment.models(), about["flags"], peaks, say))
            found[section.NAME] = {
                "date": datetime.date.today().isoformat(), "rounds": options.rounds,
                "seconds": round(time.monotonic() - start, 1), "others": rounded(others.share()),
                "rows": part.rows, "engines": part.engines, "notes": part.notes}
            show(section, found[section.NAME])
    return found


def rounded(share):
    return None if share is None else round(share, 3)


def faults(sections, thresholds):
    """A sentence for every row outside its bound."""
    return [fault for part in sections.values() for row in part["rows"]
            if (fault := thresholds.fault(row))]


def print_section(section, part, thresholds, stream=sys.stdout):
    stream.write(f"\n{section.TITLE}\n")
    for line in report.lines(part["rows"], thresholds):
        stream.write(f"  {line}\n")
    for name, engines in part["engines"].items():
        each = ", ".join(
            f"{engine} {report.figure(seconds, 's')}" for engine, seconds in engines.items())
        stream.write(f"  {name}: {each}\n")
    for note in part["notes"]:
        stream.write(f"  {note}\n")
    if part["others"] and part["others"] > 0.1:
        stream.write(f"  other programs took {report.percent(part['others'])} of the processors: "
                     "do not trust these figures\n")
    stream.flush()


def keep(path, found):
    """Puts sections into the file of results, and returns all that it then has."""
    about = machine.describe(environment.python())
    merged = results.merged(results.read(path), about, found)
    results.write(path, merged)
    return merged
