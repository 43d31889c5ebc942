"""What happens to holdfastd: kills, hangs, upgrades, bad files, a stop."""

import os
import random
import shutil
import signal
import time

import device
import witness
from device import noticed, now, recorded, send
from trial import configured, worker

ADOPTED_WITHIN = 0.25
BACK_WITHIN = 0.05
CONTROL_GROUPS = [f"/sys/fs/cgroup/system.slice/{unit}.service" for unit in ("holdfast", "holdfast-workers")]


def adoption(trial, former, began):
    """Waits for the next holdfastd, and measures from the fault, and from its start by systemd."""
    _, started = device.next_main(former)
    device.until("an answer of the next holdfastd", device.answers)
    answered = now()
    adopted = recorded(device.until("the adoption", lambda: device.event("runtime-adopted")))
    trial.report.measured(device.exit_noticed(began) - began, adopted - began)
    return started, adopted, answered


def killed(trial):
    """holdfastd is killed (kill -9), with 50 workers"""
    after_start, answers = [], []
    with trial.spared():
        for _ in range(trial.rounds):
            former = device.main_pid()
            began = send(former)
            started, adopted, answered = adoption(trial, former, began)
            after_start.append(adopted - started)
            answers.append(answered - started)
            device.await_ready()
    trial.report.within("adopted, counted from its start by systemd,", after_start, ADOPTED_WITHIN)
    print("  answers a client, counted from there: at most", f"{max(answers) * 1000:.0f} ms")


def hung(trial):
    """holdfastd hangs (SIGSTOP; WatchdogSec={watchdog} s)"""
    watchdog = 1 if trial.options.quick else 10
    with device.override("holdfast.service", f"WatchdogSec={watchdog}s"):
        # The unit's setting reaches the process with its next start.
        former = device.main_pid()
        send(former)
        device.next_main(former)
        device.await_ready()
        with trial.spared():
            former = device.main_pid()
            began = send(former, signal.SIGSTOP)
            adoption(trial, former, began)
            device.await_ready()
    former = device.main_pid()
    send(former)
    device.next_main(former)
    device.await_ready()
    # It pings at half of the time; TimeoutAbortSec is 2 s.
    trial.report.within("adopted", trial.report.recovered, watchdog + 2.5)


def gap(trial):
    """A worker is killed while there is no holdfastd"""
    back, ends, twice = [], set(), 0
    with trial.spared("w10"):
        for _ in range(trial.rounds):
            before = device.workers()["w10"]
            former = device.main_pid()
            send(former)
            began = send(before["pid"])
            _, started = device.next_main(former)
            device.until("an answer", device.answers)
            with device.Events(since=0) as events:
                adopted = recorded(events.next("runtime-adopted"))
                failed = noticed(events.next("worker-failed", worker="w10"))
                ready = recorded(events.next("worker-recovered", worker="w10"))
            trial.report.measured(failed - began, ready - began)
            back.append(ready - adopted)
            if began > started:
                trial.report.promise("the worker was killed before the next holdfastd was there", False)
            after = device.workers()["w10"]
            twice += after["restarts"] != before["restarts"] + 1
            ends.add(after["last_exit"]["message"])
            device.await_forgotten("w10")
            device.await_ready()
    trial.report.promise("handled once", not twice)
    trial.report.promise(f"how it ended is known: {', '.join(ends)}", ends == {"was ended by SIGKILL"})
    trial.report.within("ready again, counted from the adoption,", back, BACK_WITHIN)


def twenty_kills(trial):
    """holdfastd is killed 20 times, while a worker prints 1,000 lines a second"""
    chance = random.Random(trial.options.seed)
    with configured(extra=[worker("counter", "numbered", "2000")]):
        trial.witness.watch("counter")
        trial.witness.lost()
        with trial.spared():
            first = now()
            for _ in range(20):
                time.sleep(chance.uniform(0, 0.3))
                former = device.main_pid()
                began = send(former)
                device.next_main(former)
                device.until("an answer", device.answers)
                adopted = recorded(device.until("the adoption", lambda: device.event("runtime-adopted")))
                trial.report.measured(device.exit_noticed(began) - began, adopted - began)
            device.await_ready()
            print(f"  in {now() - first:.1f} s", flush=True)
        trial.witness.watch(witness.NAME)


def many_kills(trial):
    """holdfastd is killed {kills} times"""
    chance = random.Random(trial.options.seed)
    with trial.spared():
        for number in range(1, trial.options.kills + 1):
            former = device.main_pid()
            began = send(former)
            device.next_main(former)
            # Some while it is still coming up. Few: after a start that came to nothing systemd waits for 5 s.
            if chance.random() < 0.01:
                time.sleep(chance.uniform(0, 0.05))
                continue
            device.until("an answer", device.answers)
            adopted = recorded(device.until("the adoption", lambda: device.event("runtime-adopted")))
            trial.report.measured(None, adopted - began)
            if number % 100 == 0:
                print(f"  {number} kills", flush=True)
        device.await_ready()


def upgraded(trial):
    """A new binary takes over in place (holdfast upgrade)"""
    with trial.spared():
        for _ in range(trial.rounds):
            main, restarts = device.properties("holdfast.service", "MainPID", "NRestarts")
            new = device.DAEMON.with_suffix(".new")
            shutil.copy(device.DAEMON, new)
            new.rename(device.DAEMON)
            began = now()
            device.run("holdfast", "upgrade")
            device.until("an answer", device.answers)
            trial.report.measured(None, now() - began)
            same = device.properties("holdfast.service", "MainPID", "NRestarts") == [main, restarts]
            runs_new = os.stat(f"/proc/{main}/exe").st_ino == device.DAEMON.stat().st_ino
            if not same or not runs_new:
                trial.report.promise("it is the same process with the new binary", False)
            device.await_ready()
    trial.report.within("taken over", trial.report.recovered, 1.0)


def refused(trial):
    """A new binary that does not start is refused"""
    broken = device.DAEMON.with_name("broken")
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with trial.spared():
        main = device.main_pid()
        began = now()
        done = device.run("holdfast", "upgrade", "--binary", str(broken), check=False)
        trial.report.measured(now() - began)
        trial.report.promise("refused: " + done.stderr.strip(), done.returncode != 0 and "not upgraded" in done.stderr)
        trial.report.promise("the runtime is the same", device.main_pid() == main)


def fails_after_the_check(trial):
    """A new binary passes its check and fails when it takes over"""
    broken = device.DAEMON.with_name("broken")
    broken.write_text(f'#!/bin/sh\ncase $* in *--check*) exec {device.DAEMON} "$@" ;; esac\nexit 1\n')
    broken.chmod(0o755)
    with trial.spared():
        former = device.main_pid()
        began = now()
        device.run("holdfast", "upgrade", "--binary", str(broken), check=False)
        adoption(trial, former, began)
        device.await_ready()
    broken.unlink()
    trial.report.within("the installed one has adopted", trial.report.recovered, 7.5)


def invalid_file(trial):
    """A reload with an invalid file (systemctl reload)"""
    good = device.CONFIGURATION.read_text()
    device.CONFIGURATION.write_text(good + "nonsense\n")
    try:
        with trial.spared():
            main = device.main_pid()
            began = now()
            done = device.run("systemctl", "reload", "holdfast.service", check=False)
            trial.report.measured(now() - began)
            trial.report.promise("the reload fails", done.returncode != 0)
            trial.report.promise("the service is active, and the same", device.main_pid() == main)
    finally:
        device.CONFIGURATION.write_text(good)


def corrupt_state(trial):
    """The state file is damaged, and holdfastd is killed"""
    before = trial.tally()
    former = device.main_pid()
    with open(device.STATE, "r+b") as state:
        state.seek(200)
        state.write(b"\0\xff" * 50)
    began = send(former)
    device.next_main(former)
    device.await_ready()
    trial.report.measured(None, now() - began)
    after = trial.tally()
    trial.report.promise("all workers are ready", set(after) == set(before))
    left = [name for name, (pid, _) in before.items() if device.exists(pid)]
    trial.report.promise("none of the former processes is left", not left)
    twice = [name for name in after if len(device.processes_of(name)) != 1]
    trial.report.promise("no worker is there twice", not twice)
    trial.report.within("all ready again", trial.report.recovered, 3.0)
    trial.report.loses("every worker restarts once")
    trial.witness.skip()


def stopped(trial):
    """A graceful stop (systemctl stop), and a start"""
    stops = []
    for _ in range(trial.rounds):
        pids = [worker["pid"] for worker in device.workers().values()] + [device.main_pid()]
        began = now()
        device.run("systemctl", "stop", "holdfast.service")
        stops.append(now() - began)
        left = [pid for pid in pids if device.exists(pid)]
        if left:
            trial.report.promise(f"no process is left: {left}", False)
        # The unit of the workers' control groups stops when it is no longer needed, a moment later.
        device.until("the end of the control groups", lambda: not any(map(os.path.exists, CONTROL_GROUPS)), 5)
        began = now()
        device.run("systemctl", "start", "holdfast.service")
        device.await_ready()
        trial.report.measured(None, now() - began)
    trial.report.promise("nothing is left: no process, no control group", not left)
    trial.report.within("stopped, 52 workers,", stops, 2.0)
    trial.report.within("all ready after the start", trial.report.recovered, 3.0)
    trial.report.loses("nothing but the time")
    trial.witness.skip()


FAULTS = [
    killed, hung, gap, twenty_kills, many_kills, upgraded, refused, fails_after_the_check, invalid_file, corrupt_state,
    stopped,
]
