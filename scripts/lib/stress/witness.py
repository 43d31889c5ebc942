"""A worker that prints numbered lines: what of them is in the journal?"""

import re

from device import until, run

NAME = "witness"


class Witness:
    """Looks at the lines since it looked last."""

    def __init__(self, name=NAME):
        self.watch(name)

    def watch(self, name):
        """Looks at this worker's lines from now on."""
        self.name = name
        self.cursor = None
        self.skip()

    def _read(self):
        arguments = [f"--after-cursor={self.cursor}"] if self.cursor else []
        lines = run(
            "journalctl", "--quiet", "--output=cat", "--show-cursor", f"SYSLOG_IDENTIFIER={self.name}", *arguments,
            check=False,  # nothing is a failure too
        ).stdout.splitlines()
        numbers = []
        for line in lines:
            if line.startswith("-- cursor: "):
                self.cursor = line.removeprefix("-- cursor: ")
            elif found := re.fullmatch(r"line (\d+)", line):
                numbers.append(int(found[1]))
            else:
                numbers.append(-1)  # torn
        return numbers

    def skip(self):
        """Begins anew: the worker was, or will be, restarted."""
        self._read()
        self.last = None

    def lost(self):
        """How many lines are missing or torn between the last one looked at and the newest, and how many came twice."""
        numbers = until(f"a line of {self.name}", self._read, every=0.05)
        torn = numbers.count(-1)
        whole = [number for number in numbers if number >= 0]
        first = whole[0] - 1 if self.last is None and whole else self.last or 0
        unique = set(whole)
        last = max(unique | {first})
        missing = sum(1 for number in range(first + 1, last + 1) if number not in unique)
        self.last = last
        return missing + torn, len(whole) - len(unique), last - first
