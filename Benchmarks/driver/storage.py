"""The spool against SQLite, one after the other in each round."""

import json
import pathlib
import statistics
import subprocess
import tempfile

from systems import HERE

SPOOL = HERE.parent / ".build/release/spool-benchmark"
SQLITE = HERE.parent / ".build-bench/sqlite_append"
RECORDS = {"spool": 1_000_000, "sqlite, one row": 20_000, "sqlite, ten rows": 100_000}


def run(*command):
    output = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, timeout=600)
    return json.loads(output.stdout)


def append(folder):
    """Nanoseconds for each record."""
    folder = pathlib.Path(folder)
    results = {
        "spool": run(SPOOL, "append", folder / "spool", RECORDS["spool"]),
        "sqlite, one row": run(SQLITE, folder / "one", RECORDS["sqlite, one row"], 1),
        "sqlite, ten rows": run(SQLITE, folder / "ten", RECORDS["sqlite, ten rows"], 10),
    }
    return {name: result["ns"] / result["records"] for name, result in results.items()}


def measure(rounds, parent):
    """`parent` is a folder on a real disk: a file system in memory would hide what SQLite does there."""
    samples, recoveries = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            samples.append(append(folder))
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            recoveries.append(run(SPOOL, "recover", pathlib.Path(folder) / "spool", 256 << 20))
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        written = run(SPOOL, "written", pathlib.Path(folder) / "spool", 200_000)
    ns = {name: [sample[name] for sample in samples] for name in RECORDS}
    return {
        "append_ns": {name: {"median": round(statistics.median(values)), "rounds": [round(value) for value in values]}
                      for name, values in ns.items()},
        "recover_256_mib_s": [round(recovery["ns"] / 1e9, 3) for recovery in recoveries],
        "written_for_each_byte": round(written["written"] / written["payload"], 4),
    }
