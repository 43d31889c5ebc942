"""What happens to workers."""

import os
import signal

import device
from device import noticed, now, recorded, send
from trial import configured, worker


def worker_killed(trial):
    """A worker is killed (kill -9)"""
    with trial.spared("w01"), device.Events() as events:
        for _ in range(trial.rounds):
            trial.kill(events, "w01")
    trial.report.within("ready again", trial.report.recovered, 0.1)


def worker_hung(trial):
    """A worker hangs (SIGSTOP; its watchdog is 1 s)"""
    with configured(extra=[worker("hanger", "steady", watchdog="1s")]):
        with trial.spared("hanger"), device.Events() as events:
            for _ in range(trial.rounds):
                device.await_forgotten("hanger")
                began = send(device.workers()["hanger"]["pid"], signal.SIGSTOP)
                trial.await_recovery(events, "hanger", began, cause="watchdog")
        trial.report.within("judged", trial.report.detected, 1.1)
        trial.report.within("ready again", trial.report.recovered, 1.3)


def hundred_killed(trial):
    """100 workers are killed at once"""
    names = [f"w{number:02}" for number in range(1, 101)]
    with configured(steady=100):
        with trial.spared(*names):
            for _ in range(trial.rounds):
                with device.Events() as events:
                    pids = [worker["pid"] for name, worker in device.workers().items() if name in names]
                    began = now()
                    for pid in pids:
                        send(pid)
                    failed, recovered = [], []
                    while len(recovered) < len(names):
                        event = events.read(30) or {"kind": None}
                        if event["kind"] == "worker-failed":
                            failed.append(noticed(event) - began)
                        elif event["kind"] == "worker-recovered":
                            recovered.append(recorded(event) - began)
                        elif event["kind"] is None:
                            raise device.Broken(f"only {len(recovered)} came back within 30 s")
                trial.report.measured(max(failed), max(recovered))
                device.await_forgotten(*names)
        trial.report.within("all ready again", trial.report.recovered, 1.0)


def deaf_restarted(trial):
    """A worker that ignores TERM is restarted (its stop_timeout is 1 s)"""
    with configured(extra=[worker("deaf", "ignore-term", stop_timeout="1s")]):
        with trial.spared("deaf"), device.Events() as events:
            left = []
            for _ in range(trial.rounds):
                former = device.workers()["deaf"]["pid"]
                began = now()
                device.call("RestartWorker", name="deaf")
                killed = events.next("worker-changed", worker="deaf", to="starting")
                ready = events.next("worker-changed", worker="deaf", to="ready")
                trial.report.measured(noticed(killed) - began, recorded(ready) - began)
                left += [former] if device.exists(former) else []
        trial.report.promise("nothing of it is left", not left)
        trial.report.within("killed", trial.report.detected, 1.1)


def double_forker(trial):
    """A worker is killed whose child left its session (double fork)"""
    with configured(extra=[worker("leaver", "double-fork")]):
        with trial.spared("leaver"), device.Events() as events:
            left = []
            for _ in range(trial.rounds):
                former = device.until("a child", lambda: (pids := device.processes_of("leaver")) and len(pids) == 2 and pids)
                trial.kill(events, "leaver")
                left += [pid for pid in former if device.exists(pid)]
        trial.report.promise("nothing of it is left", not left)
        trial.report.within("ready again", trial.report.recovered, 0.2)


def flooder(trial):
    """A worker prints without end (its rate is 100 KB/s), while another is killed"""
    with configured(extra=[worker("flooder", "flood", "max", output={"rate": "100K", "burst": "100K"})]):
        with trial.spared("w01"), device.Events(since=0) as events:
            lost = events.next("output-lost", worker="flooder")
            with device.Events() as events:
                answered = []
                for _ in range(trial.rounds):
                    trial.kill(events, "w01")
                    began = now()
                    device.call("Status")
                    answered.append(now() - began)
        trial.report.within("the other one is ready again", trial.report.recovered, 0.2)
        trial.report.within("the runtime answers", answered, 0.2)
        trial.report.promise("what was dropped is said: " + lost["message"], True)
        trial.report.loses("the flooder's lines over its rate, counted")


def output_killed(trial):
    """holdfast-output is killed (kill -9)"""
    with trial.spared(), device.Events() as events:
        for _ in range(trial.rounds):
            trial.kill(events, "holdfast-output")
    trial.report.within("ready again", trial.report.recovered, 0.2)


def disk_full(trial):
    """The disk of the logs is full, while a worker is killed"""
    logs = "/var/lib/holdfast/log"
    os.makedirs(logs, exist_ok=True)
    device.run("mount", "-t", "tmpfs", "-o", "size=512k,mode=750", "tmpfs", logs)
    device.run("chown", "holdfast-output:holdfast", logs)
    try:
        with configured(journal="off", extra=[worker("filler", "flood", "400000", output={"max_file": "64M"})]):
            with trial.spared("w01", "witness"):
                with device.Events(since=0) as events:
                    lost = events.next("output-lost", worker="filler")
                trial.report.promise("it is said: " + lost["message"], "space" in lost["message"])
                with device.Events() as events:
                    for _ in range(trial.rounds):
                        trial.kill(events, "w01")
            trial.report.within("the worker is ready again", trial.report.recovered, 0.2)
    finally:
        device.run("umount", "--lazy", logs)
        device.run("systemctl", "reload", "holdfast.service")
    trial.witness.skip()
    trial.report.promise("lines are logged again", trial.witness.lost()[2] > 0)
    trial.report.loses("lines that found no room, counted")


FAULTS = [worker_killed, worker_hung, hundred_killed, deaf_restarted, double_forker, flooder, output_killed, disk_full]
