"""Measures Holdfast against a minimal C program and other supervisors. What and how: README.md one folder up.

Exit status: 0 every target that was measured is met, 1 one is missed, 2 nothing could be measured.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

import deploy
import device
import executor
import fleet
import goosebit
import measurements
import processes
import report
import storage
from holdfast import Holdfast
from systems import HERE, PEERS, UNDER_SYSTEMD, Baseline

MEASUREMENTS = ["kill-one", "kill-100", "start-10", "start-1000", "memory", "restarts", "idle", "peers", "spool",
                "executor", "deploy", "device", "fleet", "ingest", "goosebit"]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=MEASUREMENTS, metavar="MEASUREMENT",
                        help=" ".join(MEASUREMENTS))
    parser.add_argument("--samples", type=int, default=200, help="kills of each system in each of the rounds (200)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--restarts", type=int, default=5000, help="of the leak measurement (5000)")
    parser.add_argument("--idle-seconds", type=int, default=60)
    parser.add_argument("--devices", type=int, default=10_000, help="of the fleet (10000)")
    parser.add_argument("--fleet-seconds", type=int, default=120, help="for which the fleet is measured (120)")
    parser.add_argument("--ingest-seconds", type=int, default=30)
    parser.add_argument("--central", type=pathlib.Path, default=fleet.CENTRAL, help="the program (release build)")
    parser.add_argument("--results", type=pathlib.Path, default=HERE / "results", help="where the report goes")
    parser.add_argument("--name", default="latest", help="of the report's files")
    parser.add_argument("--peers-under-systemd", type=pathlib.Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def started(folder, kinds, workers):
    systems = []
    try:
        for kind in kinds:
            systems.append(kind(tempfile.mkdtemp(dir=folder)))
            os.chmod(systems[-1].folder.parent, 0o755)
            systems[-1].start(workers)
        yield systems
    finally:
        for system in systems:
            system.remove()


def measure_peers(folder, kinds):
    results = {}
    for kind in kinds:
        if kind.missing():
            results[kind.name] = "not installed"
            continue
        say(f"  {kind.name}")
        system = kind(tempfile.mkdtemp(dir=folder))
        os.chmod(system.folder.parent, 0o755)
        try:
            results[kind.name] = measurements.peer(system, workers=10, samples=30)
        except (measurements.TookTooLong, subprocess.SubprocessError, OSError) as error:
            results[kind.name] = f"could not be measured: {error}"
        finally:
            system.remove()
    return results


def peers_under_systemd():
    """Runs this driver again with a systemd of its own as init, and returns what it found."""
    if os.getuid() != 0:
        return {kind.name: "needs root" for kind in UNDER_SYSTEMD}
    with tempfile.TemporaryDirectory() as folder:
        found = pathlib.Path(folder) / "found.json"
        command = [HERE.parent / "scripts/systemd-sandbox", "--share", HERE.parent, "--share", folder, "--",
                   sys.executable, HERE / "driver", "--peers-under-systemd", found]
        done = subprocess.run(command, stdout=sys.stderr)
        if done.returncode != 0 or not found.exists():
            return {kind.name: f"the sandbox ended with status {done.returncode}" for kind in UNDER_SYSTEMD}
        return json.loads(found.read_text())


def measure(choice, folder, results):
    ours = [Baseline]
    if Holdfast.missing():
        say("holdfastd is not built; only the baseline and peers are measured")
    else:
        ours.append(Holdfast)

    def make(kind):
        system = kind(tempfile.mkdtemp(dir=folder))
        os.chmod(system.folder.parent, 0o755)
        return system

    if "kill-one" in choice.only:
        say(f"kill-one: {choice.rounds} rounds of {choice.samples} kills, 10 workers")
        with started(folder, ours, 10) as systems:
            results["kill_one"] = measurements.kill_in_turn(systems, choice.rounds, choice.samples)
    if "kill-100" in choice.only:
        say("kill-100: 100 workers killed at once, 20 times")
        with started(folder, ours, 100) as systems:
            results["kill_100"] = measurements.kill_all_in_turn(systems, 20)
    for workers, repetitions in ((10, 20), (1000, 7)):
        if f"start-{workers}" in choice.only:
            say(f"start-{workers}: {workers:,} workers started and stopped, {repetitions} times")
            results[f"start_{workers}"] = measurements.start_and_stop_in_turn(make, ours, workers, repetitions)
    if "spool" in choice.only:
        say(f"spool: {choice.rounds} rounds, beside SQLite")
        results["spool"] = storage.measure(choice.rounds, HERE.parent / ".build-bench")
    if "executor" in choice.only and not executor.missing():
        say(f"executor: {choice.rounds} rounds of 100 commands of each kind, beside fork, exec and wait")
        results["executor"] = executor.measure(choice.rounds, 100)
    measure_central(choice, folder, results)
    if Holdfast in ours:
        measure_footprint(choice, folder, results)
    if "peers" in choice.only:
        say("peers:")
        results["peers"] = measure_peers(folder, [*ours, *PEERS]) | peers_under_systemd()


def measure_central(choice, folder, results):
    wanted = {"deploy", "device", "fleet", "ingest", "goosebit"} & set(choice.only)
    if not wanted:
        return
    if not choice.central.exists():
        say("holdfast-central is not built; nothing of it is measured")
        return
    parent = HERE.parent / ".build-bench"
    steps = {
        "deploy": (f"{choice.rounds} rounds of 200 MB in turn", lambda: deploy.measure(choice.central, folder, choice.rounds)),
        "device": ("an enrolled device with 20 workers, and central",
                   lambda: device.measure(choice.central, parent, folder)),
        "fleet": (f"{choice.devices:,} devices, {choice.fleet_seconds} s, with TLS and behind a proxy",
                  lambda: fleet.fleet(choice.central, parent, choice.devices, choice.fleet_seconds)),
        "ingest": (f"{choice.ingest_seconds} s", lambda: fleet.ingest(choice.central, parent, choice.ingest_seconds)),
        "goosebit": (f"{choice.rounds} rounds in turn",
                     lambda: fleet.beside_goosebit(choice.central, parent, choice.rounds)),
    }
    for name in sorted(wanted, key=list(steps).index):
        description, step = steps[name]
        say(f"{name}: {description}")
        try:
            results[name] = step()
        except (fleet.Failed, goosebit.Missing, measurements.TookTooLong, OSError, subprocess.SubprocessError) as error:
            say(f"  could not be measured: {error}")
            results[name] = f"could not be measured: {error}"


def measure_footprint(choice, folder, results):
    if "memory" in choice.only:
        say("memory: with 20 and with 120 workers")
        results["memory"] = {}
        for workers in (20, 120):
            with started(folder, [Holdfast], workers) as [system]:
                results["memory"][f"workers_{workers}"] = measurements.idle_footprint(system.resident)
    if "restarts" in choice.only:
        say(f"restarts: {choice.restarts}, 20 workers")
        with started(folder, [Holdfast], 20) as [system]:
            results["restarts"] = measurements.restarts(system, system.resident, choice.restarts)
    if "idle" in choice.only:
        say(f"idle: {choice.idle_seconds} s, 20 workers")
        with started(folder, [Holdfast], 20) as [system]:
            results["idle"] = {
                "seconds": choice.idle_seconds,
                "processes": measurements.idle(system.resident, choice.idle_seconds),
            }


def main():
    choice = options()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a thousand workers need descriptors
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        os.chmod(folder, 0o755)
        if choice.peers_under_systemd:
            choice.peers_under_systemd.write_text(json.dumps(measure_peers(folder, UNDER_SYSTEMD)))
            return 0
        results = {
            "date": datetime.date.today().isoformat(),
            "command": " ".join(["Benchmarks/run", *sys.argv[1:]]),
            "machine": processes.machine(),
        }
        measure(choice, folder, results)
    report.write(results, choice.results, choice.name)
    print(report.markdown(results))
    if len(results) == 3:
        return 2
    return 0 if all(met for *_, met in report.judged(results)) else 1


if __name__ == "__main__":
    sys.exit(main())
