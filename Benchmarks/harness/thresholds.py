"""Goals, and the bounds that a run must keep."""

import fnmatch
import json


class Thresholds:
    """For rows by name or pattern: `goal`, and a bound `at_least` or `at_most`.

    They hold for a row's ratio, or for our figure if a row has no other side. With `at_least`, a
    larger number is better, with `at_most` a smaller one. `why` says what keeps a row from its goal.
    """

    def __init__(self, entries):
        for name, entry in entries.items():
            if set(entry) - {"goal", "at_least", "at_most", "why"} or (
                    ("at_least" in entry) == ("at_most" in entry)):
                raise ValueError(
                    f"thresholds.json, {name}: give at_least or at_most, and if you like goal")
        self.entries = entries

    @classmethod
    def read(cls, path):
        return cls(json.loads(path.read_text()))

    def of(self, name):
        """The first entry whose pattern fits the row of a name; None if there is none."""
        for pattern, entry in self.entries.items():
            if fnmatch.fnmatchcase(name, pattern):
                return entry
        return None

    def goal(self, row):
        """The goal of a row and whether it is met; None without a goal."""
        entry = self.of(row["id"])
        if entry is None or "goal" not in entry:
            return None
        figure, goal = figure_of(row), entry["goal"]
        return goal, figure >= goal if "at_least" in entry else figure <= goal

    def reason(self, row):
        """Why a row misses its goal; None if it is met or if no reason is known."""
        goal = self.goal(row)
        return None if goal is None or goal[1] else self.of(row["id"]).get("why")

    def fault(self, row):
        """What is wrong with a row, as a sentence; None if it is within its bound."""
        entry = self.of(row["id"])
        if entry is None:
            return None
        figure = figure_of(row)
        what = "ratio" if "ratio" in row else "figure"
        if "at_least" in entry and figure < entry["at_least"]:
            return f"{row['id']}: the {what} is {figure:.3g}, below {entry['at_least']:g}"
        if "at_most" in entry and figure > entry["at_most"]:
            return f"{row['id']}: the {what} is {figure:.3g}, above {entry['at_most']:g}"
        return None


def figure_of(row):
    """The number that a threshold speaks of."""
    return row["ratio"] if "ratio" in row else row["ours"]
