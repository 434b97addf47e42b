"""Checks measured ratios against thresholds.json, so that a loss of speed does not pass unseen."""

import json
import pathlib
import sys

_LIMITS = json.loads((pathlib.Path(__file__).parent / "thresholds.json").read_text())


def check(name, ratio):
    """Ends the program with status 1 if a ratio is outside its threshold."""
    limit = _LIMITS[name]
    least, most = limit.get("at_least"), limit.get("at_most")
    if (least is not None and ratio < least) or (most is not None and ratio > most):
        bound = f"at least {least}" if least is not None else f"at most {most}"
        sys.exit(
            f"{name}: the {limit['ratio']} is {ratio:.2f}; thresholds.json demands {bound}")
