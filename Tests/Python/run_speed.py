"""Prints the speed of a run: run_speed.py RUN NAME "USER SYSTEM"

USER and SYSTEM are the seconds of processor time that all its processes took.
"""

import json
import statistics
import sys

run, name, used = sys.argv[1:]
with open(f"{run}/metrics.jsonl") as log:
    rows = [row for row in map(json.loads, log) if "pairs_per_second" in row]
# The first steps warm up.
speed = statistics.median(row["pairs_per_second"] for row in rows[2:])
work = sum(map(float, used.split())) / rows[-1]["pairs_seen"]
print(f"  {name:20} {speed:8.1f} {1000 * work:8.1f} ms")
