"""The sections of a run, in its order.

A section is a module with NAME, TITLE, ABOUT (for the page), SECONDS (of three rounds on two cores,
until a run has measured it), WHEN it is measured ("always", with --"all", or "only" when it is named),
`names(options)` (the rows that it measures) and `run(context)`, which returns a `Found`.
"""

import dataclasses
import pathlib

from harness import alternation, ratios


@dataclasses.dataclass
class Options:
    """What the user chose."""

    rounds: int = 3
    threads: tuple = (1, 2)
    all: bool = False

    @property
    def most(self):
        return max(self.threads)


@dataclasses.dataclass
class Context:
    """What a section works with."""

    options: Options
    workers: object
    albef: pathlib.Path
    measure: pathlib.Path
    # A folder of this run, which is removed at its end.
    folder: pathlib.Path
    # Where exported models stay between runs.
    models: pathlib.Path
    flags: list
    # Operations per second of matrix products: {type: {threads: number}}.
    peaks: dict
    say: object

    def groups(self, groups):
        """Measures groups, and returns what was found."""
        answers = alternation.measure(groups, self.workers, self.options.rounds, self.say)
        found = Found()
        for group in groups:
            found.rows += ratios.computed(group, answers[group.name], self.peaks)
            engines = ratios.engines(group, answers[group.name])
            if engines:
                found.engines[group.name] = engines
        return found


@dataclasses.dataclass
class Found:
    """What a section found: rows, the times of all engines, and sentences for the page."""

    rows: list = dataclasses.field(default_factory=list)
    engines: dict = dataclasses.field(default_factory=dict)
    notes: list = dataclasses.field(default_factory=list)


def product_type(precision, has_bfloat16):
    """The type in which our side multiplies: "automatic" takes bfloat16 where the processor has it."""
    return "bfloat16" if precision == "automatic" and has_bfloat16 else "float32"


def row_names(groups):
    return [row.name for group in groups for row in group.rows]


def all_sections():
    from harness.sections import (
        cnn, image, index, loading, memory, peak, rerank, start, text, training)

    return [peak, image, cnn, text, start, rerank, training, loading, memory, index]
