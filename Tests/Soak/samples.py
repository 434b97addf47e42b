"""Samples of the service's process, and whether they grew."""

import csv
import os
import statistics
import threading
from pathlib import Path

from service_under_load import percentile

# What may grow between the second and the last quarter of the life that is compared: a share, and
# an amount on top of it.
ALLOWED = {"rss_mb": (0.10, 50), "handles": (0, 5), "threads": (0, 5)}
# The fewest samples whose quarters say anything.
FEWEST = 12
PERCENTILES = (0.5, 0.95, 0.99)


def sample_interval(length):
    """The seconds between samples of a run: 10, or fewer if too few samples would come together."""
    return max(1.0, min(10.0, length / (2 * FEWEST)))


def folder_bytes(folder):
    """The size of all files in a folder that others change meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name)).st_size
            except FileNotFoundError:
                pass
    return total


def process_figures(number):
    """Memory in MB, handles, threads and memory maps of a process, from /proc."""
    place = Path("/proc") / str(number)
    status = dict(
        line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)

    def megabytes(name):
        return int(status[name].split()[0]) / 1024

    maps = (place / "maps").read_text().splitlines()
    return {"rss_mb": megabytes("VmRSS"), "anonymous_mb": megabytes("RssAnon"),
            "handles": len(os.listdir(place / "fd")), "threads": int(status["Threads"]),
            "maps": len(maps), "deleted_maps": sum(line.endswith("(deleted)") for line in maps)}


class Samples:
    """Takes samples, and writes each as a row of a CSV file at once."""

    def __init__(self, path, operations):
        self.operations, self.rows, self.counts = sorted(operations), [], {}
        self.lock, self.durations = threading.Lock(), {}
        self.file = open(path, "w", newline="")
        self.writer = None

    def record(self, name, seconds):
        with self.lock:
            self.durations.setdefault(name, []).append(seconds)
            self.counts[name] = self.counts.get(name, 0) + 1

    def take(self, when, life, process, index, more):
        with self.lock:
            durations, self.durations = self.durations, {}
        row = {"seconds": round(when, 1), "life": life,
               **process_figures(process), "index_mb": folder_bytes(index) / 2**20,
               **more}
        for name in self.operations:
            times = durations.get(name, [])
            row[f"{name} requests"] = len(times)
            for share in PERCENTILES:
                row[f"{name} p{100 * share:.0f} ms"] = percentile(times, share) if times else ""
        self.rows.append(row)
        if self.writer is None:
            self.writer = csv.DictWriter(self.file, list(row))
            self.writer.writeheader()
        self.writer.writerow(
            {name: round(value, 2) if isinstance(value, float) else value
             for name, value in row.items()})
        self.file.flush()

    def close(self):
        self.file.close()


def quarters(values):
    """The medians of the second and of the last quarter of a series."""
    count = len(values)
    return (statistics.median(values[count // 4:count // 2]),
            statistics.median(values[3 * count // 4:]))


def growth(rows):
    """Compares the quarters of the samples of one life; None if there are too few."""
    if len(rows) < FEWEST:
        return None
    found = {}
    for name in ("rss_mb", "anonymous_mb", "handles", "threads", "maps", "deleted_maps", "index_mb"):
        second, last = quarters([row[name] for row in rows])
        share, amount = ALLOWED.get(name, (None, None))
        limit = None if share is None else second * (1 + share) + amount
        found[name] = {"second": second, "last": last, "allowed": limit,
                       "grew": limit is not None and last > limit}
    return found


def flatness(rows, operations):
    """For each operation the medians of its p50 in both quarters, and their ratio."""
    found = {}
    for name in operations:
        times = [row[f"{name} p50 ms"] for row in rows if row[f"{name} requests"]]
        if len(times) >= FEWEST:
            second, last = quarters(times)
            found[name] = {"second_ms": second, "last_ms": last, "ratio": last / second}
    return found
