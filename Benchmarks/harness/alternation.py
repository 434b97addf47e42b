"""Groups of sides that take turns, so that all of them meet the same machine."""

import dataclasses
import time

# Between two sides, so that the threads of the first sleep when the second begins.
PAUSE = 0.15


@dataclasses.dataclass
class Side:
    """One engine at one piece of work."""

    name: str
    worker: str
    request: dict
    # Pieces of work per call, such as the images of a batch.
    per: int = 1
    # How the engine is called in tables that compare engines; empty to leave it out.
    engine: str = ""


@dataclasses.dataclass
class Group:
    """Sides that take turns, and the rows that follow from their figures."""

    name: str
    sides: list
    rows: list


def measure(groups, workers, rounds, say, pause=PAUSE):
    """Runs all groups: every side once to warm up, then `rounds` rounds of all sides.

    Returns the answers of each side in the order of the rounds: {group: {side: [answer]}}.
    """
    found = {}
    for number, group in enumerate(groups):
        answers = {side.name: [] for side in group.sides}
        start = time.monotonic()
        for turn in range(rounds + 1):
            # The side that comes first may find the machine cooler, so every other round is turned.
            for side in group.sides[:: -1 if turn % 2 else 1]:
                say(f"{group.name} ({number + 1} of {len(groups)}), "
                    + (f"round {turn} of {rounds}" if turn else "warming up") + f": {side.name}")
                answer = workers.ask(side.worker, side.request)
                if turn:
                    answers[side.name].append(answer)
                time.sleep(pause)
        found[group.name] = answers
        say(f"{group.name}: {time.monotonic() - start:.0f} s", done=True)
    return found
