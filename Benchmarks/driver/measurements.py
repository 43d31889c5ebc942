"""The measurements themselves. Times are in seconds unless a name says otherwise."""

import os
import signal
import statistics
import time

import processes
from channel import TookTooLong

# Between two kills, so that what one system still does after a restart does not disturb the measurement of the next.
SETTLE_S = 0.005


def quantile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def summary(samples):
    """Of a list of rounds, each a list of samples in milliseconds."""
    values = sorted(value for samples_of_round in samples for value in samples_of_round)
    if not values:
        return None
    medians = [statistics.median(samples_of_round) for samples_of_round in samples if samples_of_round]
    result = {
        "samples": len(values),
        "p50_ms": round(statistics.median(values), 4),
        "p90_ms": round(quantile(values, 0.90), 4),
        "p99_ms": round(quantile(values, 0.99), 4),
        "max_ms": round(values[-1], 4),
    }
    if len(medians) > 1:
        result["rounds_p50_ms"] = [round(min(medians), 4), round(max(medians), 4)]
    return result


def kill_one(system, index, timeout_s=30):
    """Kills a worker; returns the milliseconds from the kill to its replacement's first instruction."""
    system.channel.drain()
    began = time.monotonic_ns()
    os.kill(system.pids[index], signal.SIGKILL)
    start = system.channel.next(timeout_s)
    while start.index != index:
        start = system.channel.next(timeout_s)
    system.pids[index] = start.pid
    return (start.at_ns - began) / 1e6


def kill_in_turn(systems, rounds, samples_per_round, settle_s=SETTLE_S):
    """Kills one worker of each system in turn; returns the summary for each system's name."""
    samples = {system.name: [[] for _ in range(rounds)] for system in systems}
    for one_round in range(rounds):
        for number in range(samples_per_round):
            for system in systems:
                time.sleep(settle_s)
                samples[system.name][one_round].append(kill_one(system, number % len(system.pids)))
    return {name: summary(rounds_of_system) for name, rounds_of_system in samples.items()}


def kill_all(system, timeout_s=60):
    """Kills every worker at once; returns the milliseconds until the last replacement's first instruction."""
    system.channel.drain()
    victims = list(system.pids.values())
    began = time.monotonic_ns()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    started = system.channel.take(len(victims), timeout_s)
    system.pids = {index: start.pid for index, start in started.items()}
    return (max(start.at_ns for start in started.values()) - began) / 1e6


def kill_all_in_turn(systems, repetitions, settle_s=0.5):
    samples = {system.name: [] for system in systems}
    for _ in range(repetitions):
        for system in systems:
            time.sleep(settle_s)
            samples[system.name].append(kill_all(system))
    return {name: summary([values]) for name, values in samples.items()}


def peer(system, workers, samples):
    """A peer's two numbers: a worker killed after more than a second of peace, and one killed again as soon as it is
    back. A peer that gives up is one result too."""
    result = {}
    system.start(workers)
    time.sleep(1.5)
    for name, settle_s, victims in (("calm", 1.5 / workers, workers), ("again_at_once", 0.001, 1)):
        values = []
        try:
            end = time.monotonic() + 30
            for number in range(samples):
                time.sleep(settle_s)
                values.append(kill_one(system, number % victims, timeout_s=15))
                if time.monotonic() > end:
                    break
        except TookTooLong:
            result[name + "_gave_up_after"] = len(values)
        result[name] = summary([values])
    return result


def start_and_stop(make, workers):
    """Starts a fresh system and stops it."""
    system = make()
    try:
        first_s, last_s = system.start(workers)
        stop_s = system.stop()
        return {"first_s": first_s, "last_s": last_s, "stop_s": stop_s, "orphans": len(system.orphans())}
    finally:
        system.remove()


def start_and_stop_in_turn(make, kinds, workers, repetitions):
    """Fresh systems of each kind in turn; returns medians, the least and the most, and all orphans, by name."""
    runs = {kind.name: [] for kind in kinds}
    for _ in range(repetitions):
        for kind in kinds:
            runs[kind.name].append(start_and_stop(lambda kind=kind: make(kind), workers))
    result = {}
    for name, of_system in runs.items():
        result[name] = {"orphans": sum(run["orphans"] for run in of_system)}
        for key in ("first_s", "last_s", "stop_s"):
            values = [run[key] for run in of_system]
            result[name][key] = round(statistics.median(values), 4)
            result[name]["range_" + key] = [round(min(values), 4), round(max(values), 4)]
    return result


def footprint(pids):
    """Of a group of processes by name: memory, descriptors, threads."""
    result = {}
    for name, pid in pids.items():
        pss, anonymous = processes.memory_kib(pid)
        result[name] = {
            "pss_kib": pss,
            "anonymous_kib": anonymous,
            "descriptors": processes.descriptors(pid),
            "threads": processes.threads(pid),
        }
    return result


def idle_footprint(resident):
    """The footprint once the start is over."""
    time.sleep(2)
    return footprint(resident())


def idle(resident, seconds):
    """What processes do when nothing happens."""
    time.sleep(5)
    pids = resident()
    before = {name: (processes.context_switches(pid), processes.cpu_ns(pid)) for name, pid in pids.items()}
    time.sleep(seconds)
    result = {}
    for name, pid in pids.items():
        (voluntary, involuntary), cpu = before[name]
        voluntary_now, involuntary_now = processes.context_switches(pid)
        result[name] = {
            "voluntary_switches": voluntary_now - voluntary,
            "involuntary_switches": involuntary_now - involuntary,
            "cpu_ms": round((processes.cpu_ns(pid) - cpu) / 1e6, 3),
        }
    return result


def restarts(system, pids_of, count, steps=10):
    """Restarts workers over and over; returns footprints along the way."""
    samples, done = [{"restarts": 0, **footprint(pids_of())}], 0
    for step in range(1, steps + 1):
        while done < count * step // steps:
            kill_all(system)
            done += len(system.pids)
            time.sleep(SETTLE_S)
        time.sleep(1)
        samples.append({"restarts": done, **footprint(pids_of())})
    return samples
