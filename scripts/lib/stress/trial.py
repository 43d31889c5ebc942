"""What all faults share: the configuration, the tally before and after."""

import contextlib
import json

import device
import witness
from device import noticed, recorded

STEADY = 50


def worker(name, *arguments, output=None, **settings):
    settings = {"ready": "notify", "supervisor": "stress", **settings}
    command = json.dumps([device.WORKER, *arguments])
    text = f'[[worker]]\nname = "{name}"\ncommand = {command}\n{members(settings)}'
    return f"{text}[worker.output]\n{members(output)}" if output else text


def members(settings):
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())


# How warm this machine is pauses nobody.
WITHOUT_HEAT = """
[preservation]
throttle_margin = "off"
pause_margin = "off"
critical_margin = "off"
resume_margin = "off"
"""


def configuration(steady=STEADY, journal="on", preservation=WITHOUT_HEAT, extra=()):
    """So many workers that do everything right, the witness, and others."""
    # The intensity is not what is tested here.
    text = f"""
{preservation}
[preservation.memory]
pause_at = "off"
critical_at = "off"
resume_below = "off"
[output]
journal = "{journal}"
rate = "10M"
burst = "10M"
[worker_defaults]
stable_after = "1s"
[[supervisor]]
name = "stress"
strategy = "one-for-one"
max_restarts = 10000
within = "1s"
"""
    steadies = [worker(f"w{number:02}", "steady", watchdog="20s") for number in range(1, steady + 1)]
    # A witness that is paused prints nothing.
    return text + "\n".join([*steadies, worker(witness.NAME, "numbered", "100", essential=True), *extra])


def configure(**settings):
    """Writes it and, if somebody is there, has it applied, until all are ready."""
    device.CONFIGURATION.write_text(configuration(**settings))
    if device.answers():
        device.run("systemctl", "reload", "holdfast.service")
        device.await_ready()


@contextlib.contextmanager
def configured(**settings):
    """For a while."""
    configure(**settings)
    try:
        yield
    finally:
        configure()


class Trial:
    """One run of the list."""

    def __init__(self, report, options):
        self.report = report
        self.rounds = options.rounds
        self.options = options
        self.witness = witness.Witness()

    def tally(self):
        """Who runs, and how often it was restarted; Holdfast's own processes are replaced at each adoption."""
        return {
            name: (worker["pid"], worker["restarts"])
            for name, worker in device.workers().items() if worker["supervisor"] != "system"
        }

    @contextlib.contextmanager
    def spared(self, *touched):
        """Nobody but these is restarted, and no line of the witness is lost."""
        before = self.tally()
        self.witness.skip()
        yield
        after = self.tally()
        others = [name for name in before if name not in touched and before[name] != after.get(name)]
        spared = sum(name not in touched for name in before)
        self.report.promise(f"none of the {spared} other workers was restarted", not others)
        if others:
            self.report.loses(f"restarts of {', '.join(sorted(others)[:5])}")
        if self.witness.name not in touched:
            self.count_lines()

    def kill(self, events, name):
        """Waits until the next failure of a worker is a first one, kills it and measures until it is ready again."""
        device.await_forgotten(name)
        self.await_recovery(events, name, device.send(device.workers()[name]["pid"]))

    def await_recovery(self, events, name, began, **details):
        failed = events.next("worker-failed", worker=name, **details)
        recovered = events.next("worker-recovered", worker=name)
        self.report.measured(noticed(failed) - began, recorded(recovered) - began)

    def count_lines(self):
        lost, twice, lines = self.witness.lost()
        self.report.promise(f"none of {lines} lines of {self.witness.name} was lost", lost == 0)
        if lost:
            self.report.loses(f"{lost} of {lines} lines")
        if twice:
            print(f"  {twice} lines are there twice", flush=True)
