"""Rows: what follows from the figures of sides that took turns."""

import dataclasses
import statistics


@dataclasses.dataclass
class Row:
    """What a row compares: one of our sides with one or several of theirs."""

    name: str
    title: str
    ours: str
    # The names of sides; of several, the one with the smallest median is compared.
    theirs: list = dataclasses.field(default_factory=list)
    # What the other side is called; empty for its own name.
    against: str = ""
    # The field of the answers: seconds or peak_bytes.
    quantity: str = "seconds"
    threads: int = 0
    # Operations of matrix products in one piece of work, and the type that they are counted in.
    operations: float = 0
    type: str = ""


def values(answers, side, quantity):
    """The figures of a side per piece of work, one per round."""
    return [answer[quantity] / side.per for answer in answers[side.name]]


def pairs(ours, theirs):
    """In each round, theirs divided by ours: above 1, ours is faster or smaller."""
    return [other / own for own, other in zip(ours, theirs, strict=True)]


def computed(group, answers, peaks):
    """The rows of a group as dictionaries for results.json.

    `peaks` has the operations per second that the processor reached: {type: {threads: number}}.
    """
    sides = {side.name: side for side in group.sides}
    return [row_of(row, sides, answers, peaks) for row in group.rows]


def row_of(row, sides, answers, peaks):
    ours = values(answers, sides[row.ours], row.quantity)
    result = {"id": row.name, "title": row.title, "unit": "bytes" if row.quantity == "peak_bytes"
              else "s", "ours": statistics.median(ours)}
    if row.threads:
        result["threads"] = row.threads
    if row.theirs:
        others = {name: values(answers, sides[name], row.quantity) for name in row.theirs}
        name = min(others, key=lambda name: statistics.median(others[name]))
        found = pairs(ours, others[name])
        label = sides[name].engine or name
        result |= {
            "theirs": statistics.median(others[name]),
            "against": f"{row.against} ({label})" if row.against else label,
            "ratio": statistics.median(found), "spread": [min(found), max(found)]}
    peak = peaks.get(row.type, {}).get(str(row.threads))
    if row.operations and peak:
        result["peak_share"] = row.operations / result["ours"] / peak
    return result


def engines(group, answers):
    """The median of every engine of a group, for tables that compare engines."""
    table = {}
    for side in group.sides:
        if side.engine:
            table[side.name] = statistics.median(values(answers, side, "seconds"))
    return table
