"""The table, and the promises behind it."""

import statistics


def milliseconds(seconds):
    """A duration as people read it."""
    if seconds is None:
        return "-"
    if seconds < 0.01:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def spread(values):
    """The median, and from the least to the most."""
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    if len(values) == 1:
        return milliseconds(values[0])
    return f"{milliseconds(statistics.median(values))} ({milliseconds(min(values))} to {milliseconds(max(values))})"


class Report:
    """Collects rows, and what of the promises did not hold."""

    COLUMNS = ("fault", "detected in", "recovered in", "lost")

    def __init__(self, slack):
        self.slack = slack
        self.rows = []
        self.broken = []
        self.fault = None

    def begin(self, fault):
        self.fault = fault
        self.detected, self.recovered, self.lost = [], [], []
        print(f"\n{fault}", flush=True)

    def measured(self, detected=None, recovered=None):
        self.detected.append(detected)
        self.recovered.append(recovered)

    def promise(self, what, kept):
        print(f"  {'kept' if kept else 'BROKEN'}: {what}", flush=True)
        if not kept:
            self.broken.append(f"{self.fault}: {what}")

    def within(self, what, values, limit):
        """A promise about each of these durations. The limit is stretched by the slack: for slow builds and busy machines."""
        values = [value for value in values if value is not None]
        stretched = limit * self.slack
        allowed = milliseconds(limit) + (f" x {self.slack:g}" if self.slack != 1 else "")
        self.promise(f"{what} within {allowed}: {spread(values)}", bool(values) and max(values) <= stretched)

    def loses(self, *what):
        """Says what was lost; nothing if nothing is said."""
        self.lost += what

    def end(self):
        self.rows.append(
            (self.fault, spread(self.detected), spread(self.recovered), ", ".join(self.lost) or "nothing"))

    def table(self):
        rows = [self.COLUMNS, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(self.COLUMNS))]
        lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return "\n".join(lines)
