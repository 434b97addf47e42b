"""What a soak test found, as JSON and as text."""

import json

from samples import FEWEST, flatness, growth

UNITS = {"rss_mb": "resident memory, MB", "anonymous_mb": "of it anonymous, MB",
         "handles": "open handles", "threads": "threads", "maps": "memory maps",
         "deleted_maps": "maps of deleted files", "index_mb": "index on disk, MB"}


def summary(soak, was_interrupted):
    lives = {}
    for row in soak.samples.rows:
        lives.setdefault(row["life"], []).append(row)
    # A leak shows in the process that lived longest.
    life = max(lives.values(), key=len, default=[])
    grown = growth(life)
    return {
        "minutes": round(soak.seconds / 60, 2), "seed": soak.options.seed,
        "was_interrupted": was_interrupted, "work": soak.WORK,
        "counts": dict(sorted(soak.samples.counts.items())),
        "in_all": sum(soak.samples.counts.values()), "kills": soak.kills,
        "checks_at_rest": soak.checks, "faults": soak.fault_count, "first_faults": soak.faults,
        "samples": len(soak.samples.rows), "samples_compared": len(life), "growth": grown,
        "latency": flatness(life, soak.samples.operations), "disk": soak.disk,
        "passed": soak.fault_count == 0
        and not any(each["grew"] for each in (grown or {}).values())}


def text(found):
    lines = [
        f"ran {found['minutes']} minutes with seed {found['seed']}"
        + (", then was interrupted" if found["was_interrupted"] else ""),
        f"{found['in_all']} {found['work']}, {found['kills']} kills,"
        f" {found['checks_at_rest']} checks at rest, {found['faults']} faults",
        f"index on disk: at most {found['disk']['most_mb']:.1f} MB, allowed"
        f" {found['disk']['allowed_mb']:.1f} MB"]
    if found["growth"] is None:
        lines.append(f"too few samples of one process to compare ({found['samples_compared']} of"
                     f" {FEWEST})")
    for name, each in (found["growth"] or {}).items():
        limit = "" if each["allowed"] is None else f", allowed {each['allowed']:.1f}"
        lines.append(f"{UNITS[name]}: {each['second']:.1f} in the second quarter,"
                     f" {each['last']:.1f} in the last{limit}{' GREW' if each['grew'] else ''}")
    if found["latency"]:
        lines.append("median times, which other programs on the machine affect too:")
    for name, each in found["latency"].items():
        lines.append(f"  {name}: {each['second_ms']:.1f} ms in the second quarter,"
                     f" {each['last_ms']:.1f} ms in the last, ratio {each['ratio']:.2f}")
    lines.append("passed" if found["passed"] else "FAILED")
    return "\n".join(lines + [f"  wrong: {each}" for each in found["first_faults"]])


def write(found, out):
    (out / "summary.json").write_text(json.dumps(found, indent=1) + "\n")
    (out / "summary.txt").write_text(text(found) + "\n")
