"""Counts of instructions: what callgrind wrote, and whether it grew.

A count does not depend on how busy a machine is. It would depend on the processor, since libtorch,
MKL and our own kernels choose their code by it. Under valgrind they see one and the same processor
with AVX2, so the choice is the same on every machine that has AVX2. Our own code is compared
closely. All code together, which is mostly libtorch's, is compared loosely: it shows an operator
that runs more often, or a slower one in its place.
"""

import re

# What a count may grow, or shrink before it has to be recorded anew.
OWN, ALL = 0.02, 0.10

_OBJECT = re.compile(r"^(c?)ob=(?:\((\d+)\))?\s*(.*)$")
_COST = re.compile(r"^(?:[+*-]?\d*|0x[0-9a-f]+)\s+(\d+)\s*$")


def counts(text, own):
    """Instructions of a dump of callgrind: of the object whose file name is `own`, and of all."""
    names, current, mine, total, promised = {}, "", 0, 0, None
    lines = iter(text.splitlines())
    for line in lines:
        if found := _OBJECT.match(line):
            callee, number, name = found.groups()
            if name:
                names[number] = name
            if not callee:
                current = names.get(number, name)
        elif line.startswith("calls="):
            next(lines, "")  # what the callee took, which its own lines count
        elif line.startswith("totals:"):
            promised = int(line.split()[1])
        elif found := _COST.match(line):
            total += int(found[1])
            if current.rsplit("/", 1)[-1] == own:
                mine += int(found[1])
    if promised not in (None, total):
        raise ValueError(f"the lines of the dump have {total:,} instructions, not {promised:,}")
    return {"own": mine, "all": total}


def faults(recorded, measured):
    """A sentence for each count that differs from what was recorded."""
    found = []
    for name, counts in measured.items():
        for kind, tolerance in (("own", OWN), ("all", ALL)):
            before = recorded.get(name, {}).get(kind)
            if before is None:
                found.append(f"{name}: nothing is recorded")
                break
            change = counts[kind] / before - 1
            if abs(change) > tolerance:
                what = "our own code" if kind == "own" else "all code"
                found.append(
                    f"{name}: {what} runs {counts[kind]:,} instructions, {abs(change):.1%} "
                    f"{'more' if change > 0 else 'fewer'} than the {before:,} recorded")
    found += [f"{name}: it is recorded, but not measured"
              for name in recorded if name not in measured]
    return found
