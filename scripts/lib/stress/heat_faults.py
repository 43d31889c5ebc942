"""What happens when the device gets hot: real libsensors and the real monitor, on a chip whose temperature is a file
(scripts/with-fake-sensors)."""

import contextlib
import pathlib

import device
from device import noticed, now, recorded
from trial import configured, worker

SENSORS = None  # the folder of the fake chip and of its thermal zone; set at the start
COOL, WARM, HOT = 45.0, 77.0, 95.0
INTERVAL = 1.0
ESSENTIAL = "essential"
MONITOR = "holdfast-monitor"
SHEDDABLE = 50
# Shorter than in the field: it is not the patience that is tested here.
PRESERVATION = """
[preservation]
interval = "1s"
sensor_timeout = "5s"
throttle_at = 70.0
pause_at = 75.0
resume_below = 68.0
critical_at = 90.0
throttle_margin = "off"
pause_margin = "off"
critical_margin = "off"
resume_margin = "off"
dwell = "1s"
shed_interval = "1s"
restore_interval = "20ms"
forecast = "off"
"""


def set_temperature(celsius):
    for path in ("hwmon/temp1_input", "thermal_zone0/temp"):
        pathlib.Path(SENSORS, path).write_text(f"{round(celsius * 1000)}\n")


@contextlib.contextmanager
def heatable(*others):
    """Workers that may be paused for heat, one that may not, and a chip that is cool in the end."""
    essential = worker(ESSENTIAL, "steady", watchdog="2s", essential=True)
    with configured(preservation=PRESERVATION, steady=SHEDDABLE, extra=[essential, *others]):
        # With each relapse a monitor waits twice as long, and the fault before was no relapse of this one.
        former = device.workers()[MONITOR]["pid"]
        device.call("RestartWorker", name=MONITOR)
        device.until("a new monitor", lambda: device.workers()[MONITOR]["pid"] not in (None, former))
        device.await_ready()
        with device.Events() as events:
            try:
                yield events
            finally:
                set_temperature(COOL)
                device.until("everybody back", nobody_paused, 120, every=0.1)


def paused():
    return sorted(name for name, one in device.workers().items() if one["state"] == "paused")


def nobody_paused():
    return not paused() and device.all_ready()


def overheated(trial):
    """The device is at 95 °C at once (critical from 90 °C; read every second), with 50 workers"""
    with heatable() as events, trial.spared():
        spans = []
        for _ in range(trial.rounds):
            began = now()
            set_temperature(HOT)
            changed = events.next("level-changed", to="critical")
            last = [events.next("worker-changed", to="paused") for _ in range(SHEDDABLE)][-1]
            trial.report.measured(noticed(changed) - began, recorded(last) - began)
            spans.append(recorded(last) - noticed(changed))
            trial.report.promise(f"{ESSENTIAL} runs on", ESSENTIAL not in paused())
            set_temperature(COOL)
            device.until("everybody back", nobody_paused, 120, every=0.1)
    trial.report.within("noticed within a reading and a little", trial.report.detected, INTERVAL + 0.25)
    trial.report.within("then 5 ms for each worker", spans, 0.005 * SHEDDABLE)


def warm_for_long(trial):
    """77 °C for a while (work is paused from 75 °C on): one after the other, and the last comes back first"""
    with heatable() as events, trial.spared():
        began = now()
        set_temperature(WARM)
        changed = events.next("level-changed", to="shed")
        gone = [events.next("worker-shed")["worker"] for _ in range(4)]
        trial.report.measured(noticed(changed) - began, None)
        trial.report.promise("four are paused after four intervals, and no more", len(paused()) in (4, 5))
        set_temperature(COOL)
        trial.report.promise("they come back in reverse", come_back_in_reverse(events, gone))


def come_back_in_reverse(events, gone):
    """Reads on until all are back. One more may go before it is cool."""
    while gone:
        event = events.read(30)
        if not event:
            raise device.Broken(f"{gone} are not back within 30 s")
        if event["kind"] == "worker-shed":
            gone.append(event["worker"])
        elif event["kind"] == "worker-restored" and gone.pop() != event["worker"]:
            return False
    return True


def blinded_at_the_peak(trial):
    """The sensor says nonsense while work is paused for heat"""
    with heatable() as events, trial.spared():
        set_temperature(HOT)
        events.next("level-changed", to="critical")
        for _ in range(SHEDDABLE):
            events.next("worker-changed", to="paused")
        began = now()
        set_temperature(4242.0)
        lost = events.next("sensor-failed")
        trial.report.measured(noticed(lost) - began, None)
        trial.report.promise("nobody is resumed for it", len(paused()) == SHEDDABLE)
        trial.report.promise("it is said: " + lost["message"], True)


def monitor_killed_in_the_heat(trial):
    """holdfast-monitor is killed while work is paused for heat"""
    with heatable() as events, trial.spared():
        set_temperature(HOT)
        events.next("level-changed", to="critical")
        for _ in range(SHEDDABLE):
            events.next("worker-changed", to="paused")
        for _ in range(trial.rounds):
            trial.kill(events, MONITOR)
            trial.report.promise("everybody stays paused", len(paused()) == SHEDDABLE)
        trial.report.within("watched again", trial.report.recovered, 0.5)


FAULTS = [overheated, warm_for_long, blinded_at_the_peak, monitor_killed_in_the_heat]
