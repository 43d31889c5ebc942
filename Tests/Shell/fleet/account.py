"""Whether central has what two workers have written: every number once, and each repeat marked.

    account.py DATABASE COUNTED PRINTED
"""

import sqlite3
import sys

REPEAT = 1

with sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True) as database:
    failed = False
    for series, count in (("number", int(sys.argv[2])), ("printed", int(sys.argv[3]))):
        rows = database.execute(
            "SELECT value, flags FROM reading JOIN series ON series.number = reading.series WHERE series.name = ?", (series,)
        ).fetchall()
        plain = [value for value, flags in rows if not flags & REPEAT]
        marked = [value for value, flags in rows if flags & REPEAT]
        there = set(plain) | set(marked)
        missing = set(range(1, count + 1)) - there
        unmarked = len(plain) - len(set(plain))
        print(f"{series}: {count} written, {len(missing)} missing, {unmarked} twice without a mark, {len(marked)} marked")
        if missing:
            print("missing:", *sorted(missing)[:20])
        failed |= bool(missing) or unmarked > 0
sys.exit(failed)
