"""Figures as text, for the terminal and for the page."""


def significant(value):
    """A number with three significant digits, never in powers of ten."""
    if value >= 1000:
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    if "e" in text:
        return f"{value:.6f}"
    # Trailing zeros that .3g drops belong to the measurement.
    digits = len(text.replace(".", "").lstrip("0"))
    if digits < 3 and value:
        text += ("" if "." in text else ".") + "0" * (3 - digits)
    return text


def duration(seconds):
    for unit, factor in (("s", 1), ("ms", 1e-3)):
        if seconds >= factor:
            return f"{significant(seconds / factor)} {unit}"
    return f"{significant(seconds * 1e6)} µs"


def size(count):
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if count >= factor:
            return f"{significant(count / factor)} {unit}"
    return f"{count:,.0f} bytes"


def percent(share):
    return f"{share * 100:.0f} %"


def figure(value, unit):
    return size(value) if unit == "bytes" else duration(value)


def rate(row, seconds):
    """What a row of the peak shows: operations per second."""
    operations = row["operations_per_second"] * min(row["ours"], row.get("theirs", row["ours"]))
    return f"{significant(operations / seconds / 1e9)} GFLOP/s"


def cells(row, thresholds):
    """A row as text: what, threads, ours, theirs, of, ratio, spread, peak, goal."""
    def shown(key):
        if key not in row:
            return ""
        if "operations_per_second" in row:
            return rate(row, row[key])
        return figure(row[key], row["unit"])

    spread = row.get("spread")
    between = row.get("spread_seconds")
    return [
        row["title"], str(row.get("threads", "")), shown("ours"), shown("theirs"),
        row.get("against", ""),
        f"{row['ratio']:.2f}" if "ratio" in row else "",
        f"{spread[0]:.2f} to {spread[1]:.2f}" if spread
        else f"{duration(between[0])} to {duration(between[1])}" if between else "",
        peak(row), goal(row, thresholds)]


def peak(row):
    """The share of the processor's peak, and the ratio that all of it would give."""
    if "peak_share" not in row:
        return ""
    text = percent(row["peak_share"])
    return text + (f" ({row['ratio'] / row['peak_share']:.2f})" if "ratio" in row else "")


def goal(row, thresholds):
    found = thresholds.goal(row)
    if found is None:
        return ""
    number, is_met = found
    text = f"{number:g}" if "ratio" in row else figure(number, row["unit"])
    return f"{text}, {'met' if is_met else 'not met'}"


def lines(rows, thresholds):
    """A section's rows as a table for the terminal."""
    heads = ["", "threads", "ours", "theirs", "of", "ratio", "spread", "peak", "goal"]
    body = [cells(row, thresholds) for row in rows]
    used = [column for column in range(len(heads)) if any(line[column] for line in body)]
    table = [[heads[column] for column in used]] + [[line[c] for c in used] for line in body]
    widths = [max(len(line[column]) for line in table) for column in range(len(used))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
            for line in table]
